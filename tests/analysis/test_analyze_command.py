"""`nmdeploy analyze` on the digits, its mistakes, and `nmdeploy report --analysis`."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from command_line import ROOT, nmdeploy, nmdeploy_here, refused
from torch import nn

import nmdeploy as package

SAMPLES = 40


def analyze(artifact, data, *options):
    ended = nmdeploy_here("analyze", artifact, "--data", data, "--limit", SAMPLES, *options)
    assert ended.code == 0, ended.stderr
    return ended


def run(artifact, data, *options):
    ended = nmdeploy_here("run", artifact, "--data", data, "--limit", SAMPLES, "--json", *options)
    assert ended.code == 0, ended.stderr
    return ended.json


def scores(point):
    return {name: point[name] for name in ("accuracy", "agreement")}


def test_fixed_neurons_one_run_gives_all_windows(plain_artifact, digits_data):
    analysis = analyze(plain_artifact, digits_data, "--json").json
    whole = run(plain_artifact, digits_data, "--curve")
    shared = ("samples", "timesteps", "latency_steps", "accuracy", "float_accuracy", "agreement", "saturations")
    assert {name: analysis[name] for name in shared} == {name: whole[name] for name in shared}
    assert analysis["spikes_per_inference"] == pytest.approx(whole["spikes_per_inference"])
    points = analysis["curve"]["points"]
    assert analysis["curve"]["windows_are_prefixes"]
    assert whole["curve_of"] == "windows"
    assert [point["timesteps"] for point in points] == list(range(1, 13))
    assert [scores(point["window"]) for point in points] == [scores(point) for point in whole["curve"]]
    assert [point["read_out"] for point in points] == [point["window"] for point in points]
    assert [row["name"] for row in analysis["layers"]["rows"]] == ["stem", "add", "conv2", "classifier"]


@pytest.mark.parametrize(("artifact", "levels"), [("paced_artifact", 12), ("refined_artifact", 10 * 4 + 2 + 1)])
def test_paced_neurons_every_window_is_a_run(artifact, levels, digits_data, request):
    artifact = request.getfixturevalue(artifact)
    analysis = analyze(artifact, digits_data, "--json").json
    curve = analysis["curve"]
    assert analysis["levels"] == levels
    assert not curve["windows_are_prefixes"]
    early = run(artifact, digits_data, "--curve")
    assert early["curve_of"] == "early read-out"
    assert analysis["spikes_per_inference"] == pytest.approx(early["spikes_per_inference"])
    assert [scores(point["read_out"]) for point in curve["points"]] == [scores(point) for point in early["curve"]]
    for steps in (1, 2, 5, 12):
        alone, point = run(artifact, digits_data, "-T", steps), curve["points"][steps - 1]
        assert scores(point["window"]) == scores(alone)
        assert point["latency_steps"] == alone["latency_steps"]
        assert point["steps_per_sample"] == steps + 1
    assert curve["points"][0]["window"] != curve["points"][0]["read_out"]
    assert curve["points"][-1]["window"] == curve["points"][-1]["read_out"]


def test_run_says_what_the_curve_of_paced_neurons_is(paced_artifact, plain_artifact, digits_data):
    arguments = ("--data", digits_data, "--limit", 5, "--curve")
    paced, plain = (nmdeploy_here("run", one, *arguments).stdout for one in (paced_artifact, plain_artifact))
    assert "read out" in paced
    assert "windows of the same network" not in " ".join(paced.split())
    assert "windows of the same network" in " ".join(plain.split())


def test_other_windows(plain_artifact, paced_artifact, digits_data):
    """The layers are those of the window asked for."""
    few = analyze(paced_artifact, digits_data, "-T", "7", "--windows", "landmarks", "--json").json
    assert [point["timesteps"] for point in few["curve"]["points"]] == [1, 2, 3, 4, 6, 7]
    assert few["raster"]["timesteps"] == few["timesteps"] == 7
    short, long = (analyze(plain_artifact, digits_data, "-T", steps, "--json").json for steps in ("2", "24"))
    ideals = [one["layers"]["rows"][0]["ideal_snr_db"] for one in (short, long)]
    assert ideals[0] < 15 < 25 < ideals[1]


def test_sampled_neurons(plain_artifact, digits_data):
    options = ("-T", "4", "--json", "--sample-neurons")
    several = [
        analyze(plain_artifact, digits_data, *options, "7", "--seed", seed).json["raster"] for seed in ("0", "0", "1")
    ]
    assert several[0] == several[1] != several[2]
    assert len(several[0]["neurons"]) == 7
    nobody = analyze(plain_artifact, digits_data, *options, "0").json["raster"]
    assert nobody == {"seed": 0, "timesteps": 4, "neurons": []}


def test_tables(paced_artifact, digits_data, tmp_path):
    ended = analyze(paced_artifact, digits_data, "-o", tmp_path / "page.html")
    for words in ("read out", "drop", "own SNR", "clipped", "silent", "cut off", "classifier", "furthest below its"):
        assert words in ended.stdout, ended.stdout
    assert ended.stdout.splitlines()[-1].startswith(f"{tmp_path / 'page.html'}: ")


def test_equal_pages_and_nothing_left_beside_them(plain_artifact, digits_data, tmp_path):
    for name in ("first", "second"):
        ended = analyze(plain_artifact, digits_data, "-o", tmp_path / f"{name}.html", "--json")
        (tmp_path / f"{name}.json").write_text(ended.stdout)
    for kind in ("html", "json"):
        assert (tmp_path / f"first.{kind}").read_bytes() == (tmp_path / f"second.{kind}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 4


def test_without_labels(plain_artifact, digits_data, tmp_path):
    np.savez(tmp_path / "x.npz", x=np.load(digits_data)["x"])
    analysis = analyze(plain_artifact, tmp_path / "x.npz", "--json", "-o", tmp_path / "page.html").json
    assert analysis["accuracy"] is analysis["float_accuracy"] is None
    assert analysis["agreement"] > 0.9
    assert "accuracy" in analyze(plain_artifact, tmp_path / "x.npz").stdout


@pytest.fixture(scope="module")
def two_maps(tmp_path_factory):
    """A network with two maps as outputs, compiled, and samples that happen to have labels."""

    class TwoMaps(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.fine, self.coarse = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 2, 1), nn.Conv2d(4, 3, 3, stride=2)

        def forward(self, x):
            x = self.stem(x).relu()
            return self.fine(x), self.coarse(x)

    folder = tmp_path_factory.mktemp("maps")
    torch.manual_seed(0)
    samples = np.random.default_rng(0).random((24, 1, 9, 9), dtype=np.float32)
    package.save(TwoMaps().eval(), torch.zeros(1, 1, 9, 9), folder / "maps.pt", calibration=samples)
    np.savez(folder / "data.npz", x=samples, y=np.full(24, 7))
    ended = nmdeploy_here("compile", "maps.pt", "--method", "channel-max", "-T", "8", cwd=folder)
    assert ended.code == 0, ended.stderr
    return folder / "maps.nmd", folder / "data.npz"


def test_maps_have_errors_in_place_of_decisions(two_maps, tmp_path):
    page = tmp_path / "page.html"
    ended = analyze(*two_maps, "--json", "-o", page)
    assert "labels are not used" in ended.stderr
    analysis = ended.json
    assert analysis["accuracy"] is analysis["float_accuracy"] is analysis["agreement"] is None
    outputs = [row["name"] for row in analysis["layers"]["rows"] if row["is_output"]]
    assert len(outputs) == 2
    first, last = analysis["curve"]["points"][0]["window"], analysis["curve"]["points"][-1]["window"]
    assert list(first["output_errors"]) == outputs
    assert first["error"] > 3 * last["error"] > 0
    for row in analysis["layers"]["rows"]:
        if row["is_output"]:
            assert last["output_errors"][row["name"]] == pytest.approx(row["relative_error"], rel=1e-4)
            assert f"error of {row['name']}" in page.read_text()
    text = analyze(*two_maps).stdout
    assert "error" in text
    assert "agreement │" not in text


def test_report_with_an_analysis(plain_artifact, paced_artifact, digits_data, tmp_path):
    (tmp_path / "analysis.json").write_text(analyze(plain_artifact, digits_data, "--json").stdout)
    options = ("-o", tmp_path / "report.html", "--analysis", tmp_path / "analysis.json")
    ended = nmdeploy_here("report", plain_artifact, *options)
    assert ended.code == 0, ended.stderr
    page = (tmp_path / "report.html").read_text()
    assert "What each layer loses" in page
    assert "Legal placement" in page
    refused(nmdeploy_here("report", paced_artifact, *options), "another network")
    refused(nmdeploy_here("report", plain_artifact, "--analysis", tmp_path / "none.json"), "none.json")


def files_with_mistakes(folder):
    np.savez(folder / "wrong_shape.npz", x=np.zeros((2, 9, 9), np.uint8))
    np.savez(folder / "no_x.npz", images=np.zeros((2, 8, 8)))
    np.savez(folder / "too_few_labels.npz", x=np.zeros((2, 8, 8)), y=np.zeros(1, np.int64))
    np.savez(folder / "labels_are_words.npz", x=np.zeros((2, 8, 8)), y=np.array(["one", "two"]))
    np.savez(folder / "label_of_no_output.npz", x=np.zeros((2, 8, 8)), y=np.array([3, 10]))
    np.savez(folder / "nan.npz", x=np.full((2, 8, 8), np.nan))
    (folder / "text.npz").write_text("text")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing", "no such file"),
        ("wrong_shape", "(1, 9, 9)"),
        ("no_x", "'x'"),
        ("too_few_labels", "one integer label a sample"),
        ("labels_are_words", "one integer label a sample"),
        ("label_of_no_output", "label 10; the network has 10 outputs"),
        ("nan", "NaN"),
        ("text", "text.npz"),
    ],
)
def test_bad_data(plain_artifact, tmp_path, name, words):
    files_with_mistakes(tmp_path)
    ended = nmdeploy_here("analyze", plain_artifact, "--data", tmp_path / f"{name}.npz")
    assert len(ended.stderr.splitlines()) == 1
    refused(ended, "error: ", words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["--data"]),
        (["--data", "{data}", "--limit", "0"], ["--limit"]),
        (["--data", "{data}", "-T", "0"], ["--timesteps"]),
        (["--data", "{data}", "--windows", "some"], ["--windows"]),
        (["--data", "{data}", "--sample-neurons", "-1"], ["--sample-neurons"]),
        (["--data", "{data}", "--seed", "-1"], ["--seed"]),
        (["--data", "{data}", "--memory", "lots"], ["--memory", "lots"]),
        (["--data", "{data}", "--limit", "2", "--memory", "1KiB"], ["memory"]),
        (["--data", "{data}", "-o", "/nowhere/at/all.html"], ["/nowhere/at/all.html", "folder does not exist"]),
        (["--data", "{data}", "--limit", "2", "-T", "2", "-o", "{folder}"], ["cannot be written"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_options(plain_artifact, digits_data, tmp_path, options, words):
    given = [option.format(data=digits_data, folder=tmp_path) for option in options]
    refused(nmdeploy_here("analyze", plain_artifact, *given), *words)
    assert list(tmp_path.iterdir()) == []


def test_in_a_process_of_its_own(plain_artifact, digits_data, tmp_path):
    refused(nmdeploy("analyze", tmp_path / "none.nmd", "--data", digits_data), "none.nmd", "no nmdeploy artifact")
    ended = nmdeploy("analyze", plain_artifact, "--data", digits_data, "--limit", "3", "--json")
    assert (ended.code, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["samples"] == 3


def test_matplotlib_is_imported_for_pages_alone(plain_artifact, digits_data):
    """It takes about a second, and nothing else needs it."""
    arguments = ["analyze", str(plain_artifact), "--data", str(digits_data), "--limit", "2", "-T", "2", "--json"]
    program = (
        f"import sys; sys.argv = ['nmdeploy', *{arguments!r}]\n"
        "from nmdeploy.cli.app import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print('matplotlib' in sys.modules, 'torch' in sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ended.stderr.split() == ["False", "False"]
    assert json.loads(ended.stdout)["timesteps"] == 2
