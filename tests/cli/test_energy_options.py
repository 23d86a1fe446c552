"""Formats, groupings, windows and presets of `nmdeploy energy`."""

import csv
import io

import numpy as np
import pytest
from command_line import nmdeploy_here, refused

from hw_profiles.energy import EVENT_KINDS, energy_presets

PRESET = """
title = "mine"
scope = "chip"
node = "7 nm"
includes = "spikes"
leaves_out = "all else"
status = "assumed"
source = "a test"
[energy_pj]
spike = 2.0
"""


def energy(compiled, *options):
    ended = nmdeploy_here("energy", compiled[1], *options)
    assert ended.code == 0, ended.stderr
    return ended


@pytest.mark.parametrize(
    ("by", "name"), [("layer", "name"), ("core", "core"), ("chip", "chip"), ("projection", "name")]
)
def test_csv_has_the_rows_of_the_json_and_all_events(compiled, by, name):
    report = energy(compiled, "--format", "json", "--preset", "loihi-sanafe", "--by", by).json
    rows = list(
        csv.DictReader(io.StringIO(energy(compiled, "--format", "csv", "--by", by, "--preset", "loihi-sanafe").stdout))
    )
    assert [row[by] for row in rows] == [*(one[name] for one in report[f"{by}s"]), "total"]
    for row, one in zip(rows, [*report[f"{by}s"], report["total"]], strict=True):
        assert [float(row[kind]) for kind in EVENT_KINDS] == [one["events"][kind] for kind in EVENT_KINDS]
        assert float(row["energy_pj"]) == one["energy_pj"]
        assert (row["status"], row["preset"], row["timesteps"]) == ("estimate", "loihi-sanafe", "16")


def test_top_are_the_largest_in_order(compiled):
    rows = energy(compiled, "--format", "json").json["cores"]
    top = energy(compiled, "--format", "json", "--by", "core", "--top", "2").json["cores"]
    assert top == sorted(rows, key=lambda row: -row["energy_pj"])[:2]
    shown = energy(compiled, "--by", "core", "--top", "2").stdout
    assert [row["core"] in shown for row in sorted(rows, key=lambda row: -row["energy_pj"])] == [True] * 2 + [False] * (
        len(rows) - 2
    )


def test_markdown_and_table_say_estimate_preset_and_what_is_left_out(compiled):
    for options in (
        ("--format", "md"),
        (),
        ("--preset", "loihi-davies2018"),
        ("--preset", "lemaire2022", "--format", "md"),
    ):
        shown = " ".join(energy(compiled, *options).stdout.split())
        for words in (
            "ESTIMATE",
            "leaves out:",
            "without a price:",
            "includes:",
            "not a measurement",
            "latency 19 steps",
        ):
            assert words in shown, options


def test_both_networks_in_several_formats_and_no_chip_beside_arithmetic(compiled):
    arithmetic, chip = (energy(compiled, "--format", "json", "--preset", one).json for one in ("int32", "loihi-sanafe"))
    assert [one["name"] for one in arithmetic["comparisons"]] == [
        "32-bit float",
        "32-bit integer",
        "8-bit integer",
        "5-bit activations, 8-bit weights",
    ]
    assert arithmetic["comparisons"] == chip["comparisons"]
    integer = arithmetic["comparisons"][1]
    assert integer["spiking_pj"] == pytest.approx(arithmetic["total"]["energy_pj"], rel=1e-12)
    assert integer["trained_pj"] == pytest.approx(arithmetic["float_network"]["energy_pj"], rel=1e-12)
    assert chip["float_network"]["energy_pj"] is None
    presets = {one["preset"]: one["left_out"] for one in arithmetic["presets"]}
    assert "static power" in presets["int8"]
    assert "loihi-sanafe" in presets
    assert "spinnaker" not in presets


def test_a_preset_of_another_chip_and_of_another_rate_is_remarked(compiled):
    shown = " ".join(energy(compiled, "--preset", "truenorth-average").stdout.split())
    assert "is of truenorth; this network was compiled for loihi" in shown
    assert "holds at 20 Hz; neurons here fire at" in shown
    assert "compiled for" not in energy(compiled, "--preset", "loihi-sanafe").stdout


def test_names_are_no_markup(compiled, digits_data, tmp_path):
    path = tmp_path / "x[d]|[bold].npz"
    path.write_bytes(digits_data.read_bytes())
    for options in ((), ("--format", "md")):
        shown = " ".join(energy(compiled, "--data", path, "--limit", "3", *options).stdout.replace("\\", "").split())
        assert "x[d]|[bold].npz" in shown
    preset = tmp_path / "mine.toml"
    preset.write_text(PRESET.replace("a test", "see [/foo]"))
    assert "see [/foo]" in energy(compiled, "--preset", preset).stdout
    assert "see [/foo]" in nmdeploy_here("presets", preset).stdout


def test_windows_are_runs_of_their_own(compiled, digits_data, tmp_path):
    """Accuracy, spikes and energy of a window are those of a run of so many steps."""
    found = energy(compiled, "--data", digits_data, "--limit", "30", "--windows", "8,4,16", "--format", "json").json
    points = found["windows"]
    assert [point["timesteps"] for point in points] == [4, 8, 16]
    for point in points:
        run = nmdeploy_here(
            "run", compiled[1], "--data", digits_data, "--limit", "30", "--timesteps", point["timesteps"], "--json"
        ).json
        assert point["accuracy"] == pytest.approx(run["accuracy"])
        assert point["agreement"] == pytest.approx(run["agreement"])
        assert point["spikes"] == pytest.approx(run["spikes_per_inference"])
        assert point["latency_steps"] == point["timesteps"] + 3
    assert points[-1]["energy_pj"] == found["total"]["energy_pj"]
    for point in points:
        better = [
            other
            for other in points
            if other["accuracy"] >= point["accuracy"] and other["timesteps"] < point["timesteps"]
        ]
        assert point["is_pareto"] == (not better)


def test_windows_without_labels(compiled, digits_data, tmp_path):
    with np.load(digits_data) as data:
        np.savez(tmp_path / "unlabelled.npz", x=data["x"][:10])
    points = energy(compiled, "--data", tmp_path / "unlabelled.npz", "--windows", "4,8", "--format", "json").json[
        "windows"
    ]
    assert [point["accuracy"] for point in points] == [None, None]
    assert all(0 <= point["agreement"] <= 1 for point in points)


def test_preset_of_ones_own(compiled, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(PRESET)
    report = energy(compiled, "--preset", path, "--format", "json").json
    assert report["preset"] == "mine"
    assert report["total"]["energy_pj"] == pytest.approx(2 * report["spikes"], rel=1e-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PRESET.replace("spike = 2.0", "spikes = 2.0"), "energy_pj.spikes"),
        (PRESET.replace("spike = 2.0", "spike = -1"), "greater than or equal to 0"),
        (PRESET.replace("spike = 2.0", "spike = nan"), "energy_pj.spike"),
        (PRESET.replace('source = "a test"', ""), "source"),
        (PRESET.replace('scope = "chip"', 'scope = "arithmetic"'), "multiply_accumulate"),
        (PRESET.replace("[energy_pj]", 'contained = ["spike"]\n[energy_pj]'), "contained"),
        (PRESET + "[memory]\naccess_pj = [[0, 0], [1, 1]]\nvalue_bytes = 4\nqueue_values = 1\n", "memory"),
        (PRESET + "[static]\nchip_mw = 1\n", "step_us"),
        ("[", "cannot be read"),
        ("spike = " + "1" * 5000, "cannot be read"),
        ("a = " + "[" * 10_000, "cannot be read"),
        ('name = "int32"\n' + PRESET, "name of the file"),
        (PRESET.replace("spike = 2.0", 'spike = "2.0"'), "valid number"),
        (PRESET.replace("spike = 2.0", "spike = 1e300"), "less than or equal"),
        (PRESET + "spike = 3\n", "cannot be read"),
    ],
)
def test_bad_presets(compiled, tmp_path, text, words):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    refused(nmdeploy_here("energy", compiled[1], "--preset", path), "bad.toml", words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--windows", "8"), ["--windows", "--data"]),
        (("--limit", "8"), ["--limit", "--data"]),
        (("--preset", "none.toml"), ["none.toml", "cannot be read"]),
    ],
)
def test_options_that_mean_nothing(compiled, options, words):
    refused(nmdeploy_here("energy", compiled[1], *options), *words)


@pytest.mark.parametrize("windows", ["17", "0", "", "4,", "-3", "8.5", "a", "²", "1" * 5000])
def test_bad_windows(compiled, digits_data, windows):
    refused(nmdeploy_here("energy", compiled[1], "--data", digits_data, "--windows", windows), "from 1 to 16")


def test_presets_are_listed_with_their_sources(tmp_path):
    listed = nmdeploy_here("presets", "--json").json
    assert list(listed) == list(energy_presets())
    for name, preset in listed.items():
        shown = " ".join(nmdeploy_here("presets", name).stdout.split())
        for word in (name, preset["node"], preset["status"], *(f"{price:g}" for price in preset["energy_pj"].values())):
            assert word in shown, name
        assert name in nmdeploy_here("presets").stdout
    path = tmp_path / "mine.toml"
    path.write_text(PRESET)
    assert nmdeploy_here("presets", path, "--json").json["mine"]["energy_pj"] == {"spike": 2.0}
    refused(nmdeploy_here("presets", "free"), "free", "int32")


def test_whatever_shows_an_energy_says_estimate_preset_and_what_is_left_out(compiled, digits_data, tmp_path):
    folder = compiled[1]
    page = tmp_path / "report.html"
    nmdeploy_here("report", folder, "-o", page)
    shown = [
        nmdeploy_here("check", folder, "--budget", "energy_pj=1e9").stdout,
        nmdeploy_here("check", folder, "--budget", "energy_pj=1e9", "--format", "markdown").stdout,
        nmdeploy_here("check", folder, "--format", "json").stdout.replace('"energy_left_out"', "estimate, leaves out"),
        nmdeploy_here("run", folder, "--data", digits_data, "--limit", "5", "--early-exit", "1").stdout,
        page.read_text(),
    ]
    for text in (" ".join(one.replace("│", " ").split()) for one in shown):
        for word in ("stimate", "int32", "leaves out", "static power"):
            assert word in text
