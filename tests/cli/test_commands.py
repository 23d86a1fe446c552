"""compile, run, check, energy, targets: exit codes, keys of the JSON, files written."""

import json
import subprocess
import sys

import numpy as np
import pytest
from command_line import ROOT, nmdeploy

from hw_profiles import available_profiles, load_profile
from nmdeploy.cli.target_tables import figure_rows

VIOLATION_KEYS = {"rule", "severity", "where", "demand", "capacity", "remedy"}


def test_compile_json(compiled):
    ended, _ = compiled
    assert ended.stderr == ""
    summary = ended.json
    assert {
        "target",
        "timesteps",
        "method",
        "cores",
        "cores_bound",
        "chips",
        "neurons",
        "synapses",
        "activations_converted",
        "activations_total",
        "approximate_layers",
        "seconds",
    } <= set(summary)
    assert (summary["target"], summary["timesteps"], summary["chips"]) == ("loihi", 16, 1)
    assert 1 <= summary["cores_bound"] <= summary["cores"]
    # stem and residual sum 16 x 8 x 8, conv2 32 x 4 x 4, ten classes
    assert summary["neurons"] == 2 * 16 * 8 * 8 + 32 * 4 * 4 + 10
    assert summary["activations_converted"] == summary["activations_total"] == 3
    assert summary["approximate_layers"] == []
    assert set(summary["seconds"]) >= {"convert", "quantize", "partition", "place", "verify"}


def test_compile_table(digits_model, tmp_path):
    ended = nmdeploy("compile", digits_model, "-T", "4", cwd=tmp_path)
    assert ended.code == 0
    assert (tmp_path / "model.nmd" / "manifest.json").is_file()
    for word in ("loihi", "cores", "activations converted", "3 of 3"):
        assert word in ended.stdout


def test_compile_can_stop_early(digits_model, tmp_path):
    ended = nmdeploy("compile", digits_model, "-T", "4", "--stop-after", "partition", cwd=tmp_path)
    assert ended.code == 0
    assert "stopped after partition" in ended.stdout
    assert list(tmp_path.iterdir()) == []


def test_compile_without_calibration_says_so_loudly(tmp_path):
    import torch

    import nmdeploy as package

    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2)).eval()
    package.save(module, torch.zeros(1, 4), tmp_path / "model.pt", layout="NF")
    ended = nmdeploy("compile", "model.pt", "-T", "4", "--json", cwd=tmp_path)
    assert ended.code == 0
    assert ended.json["neurons"] == 5
    assert "NO CALIBRATION DATA" in ended.stderr


def test_run(compiled, digits_data, tmp_path):
    _, folder = compiled
    output = tmp_path / "out.npz"
    ended = nmdeploy("run", folder, "--data", digits_data, "--output", output, "--json")
    assert ended.code == 0
    assert ended.stderr == ""
    report = ended.json
    assert {
        "backend",
        "samples",
        "timesteps",
        "accuracy",
        "correct",
        "float_accuracy",
        "agreement",
        "spikes_per_inference",
        "saturations",
        "seconds",
    } <= set(report)
    labels = np.load(digits_data)["y"]
    with np.load(output) as arrays:
        potentials, predictions = arrays["potentials"], arrays["predictions"]
        counts = {name: arrays[name] for name in arrays.files if name.startswith("spike_counts/")}
    assert potentials.shape == (450, 16, 10)
    assert potentials.dtype == np.int64
    assert report["samples"] == len(labels) == 450
    assert report["correct"] == int((predictions == labels).sum())
    assert report["accuracy"] == report["correct"] / 450
    assert report["accuracy"] > 0.98
    assert sorted(values.shape for values in counts.values()) == [(450, 10), (450, 512), (450, 1024), (450, 1024)]
    spikes = sum(int(values.sum()) for values in counts.values())
    assert report["spikes_per_inference"] == pytest.approx(spikes / 450)


def test_run_with_other_window_limit_and_no_labels(compiled, digits_data, tmp_path):
    _, folder = compiled
    np.savez(tmp_path / "x.npz", x=np.load(digits_data)["x"])
    ended = nmdeploy("run", folder, "--data", tmp_path / "x.npz", "--limit", "7", "-T", "3", "--json")
    report = ended.json
    assert (report["samples"], report["timesteps"]) == (7, 3)
    assert report["accuracy"] is report["correct"] is report["float_accuracy"] is None
    assert 0 <= report["agreement"] <= 1
    ended = nmdeploy("run", folder, "--data", tmp_path / "x.npz", "--limit", "7")
    assert ended.code == 0
    assert "unknown" in ended.stdout


@pytest.mark.lava
def test_lava_gives_the_same_file(compiled, digits_data, tmp_path):
    pytest.importorskip("lava.magma", reason="Lava is not installed")
    _, folder = compiled
    for backend in ("simulator", "lava"):
        output = tmp_path / f"{backend}.npz"
        ended = nmdeploy(
            "run", folder, "--data", digits_data, "--limit", "3", "--backend", backend, "--output", output, "--json"
        )
        assert ended.code == 0
        assert ended.json["backend"] == backend
    with np.load(tmp_path / "simulator.npz") as ours, np.load(tmp_path / "lava.npz") as lava:
        assert set(ours.files) == set(lava.files)
        for name in ours.files:
            np.testing.assert_array_equal(ours[name], lava[name], err_msg=name)


def test_check(compiled):
    _, folder = compiled
    ended = nmdeploy("check", folder)
    assert (ended.code, ended.stderr) == (0, "")
    assert "0 violations" in ended.stdout
    ended = nmdeploy("check", folder, "--format", "json")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.json["violations"] == []
    assert ended.json["cores_used"] == compiled[0].json["cores"]


def test_energy_json(compiled, digits_data):
    _, folder = compiled
    ended = nmdeploy("energy", folder, "--preset", "int32", "--format", "json", "--data", digits_data, "--limit", "9")
    assert (ended.code, ended.stderr) == (0, "")
    report = ended.json
    assert (report["preset"], report["timesteps"], report["samples"]) == ("int32", 16, 9)
    assert len(report["cores"]) == compiled[0].json["cores"]
    for rows in (report["layers"], report["cores"]):
        for key in ("ac", "mac", "energy_pj"):
            assert sum(row[key] for row in rows) == pytest.approx(report["total"][key], rel=1e-9)
    assert {"core"} <= set(report["cores"][0])
    assert {"name"} <= set(report["layers"][0])
    assert report["total"]["energy_pj"] == pytest.approx(
        0.1 * report["total"]["ac"] + 3.2 * report["total"]["mac"], rel=1e-12
    )
    # per axis, a padded kernel of 3 has 22 taps on 8 rows, and 11 on 4 rows of stride 2
    macs = 16 * 22**2 + 16 * 16 * 22**2 + 16 * 32 * 11**2 + 128 * 10
    assert report["float_network"]["mac"] == macs


@pytest.mark.parametrize("options", [(), ("--by", "core"), ("--counting", "effective", "--input", "every-step")])
def test_energy_table(compiled, options):
    ended = nmdeploy("energy", compiled[1], *options)
    assert ended.code == 0
    for word in ("ESTIMATE", "int32", "T = 16", "calibration samples", "not a measurement", "times the energy"):
        assert word in ended.stdout


def test_targets():
    listed = nmdeploy("targets")
    assert listed.code == 0
    for known in ("loihi:", "loihi2:", "rolls:", "speck:", "spinnaker:", "spinnaker2:", "truenorth:"):
        assert f"│ {known} " in listed.stdout
    as_json = nmdeploy("targets", "--json").json
    assert set(as_json) == {"loihi", "loihi2", "rolls", "speck", "spinnaker", "spinnaker2", "truenorth"}
    assert (as_json["loihi"]["cores_per_chip"], as_json["spinnaker2"]["cores_per_chip"]) == (128, 152)
    assert as_json["loihi"]["neuron_models"] == ["if"]
    assert "1,024 compartments, 4,096 input axons" in as_json["loihi"]["core_holds"]
    shown = nmdeploy("targets", "loihi")
    assert shown.code == 0
    assert "core_limits.compartments" in shown.stdout
    assert "published" in shown.stdout
    assert nmdeploy("targets", "loihi", "--json").json["core_limits"]["compartments"]["value"] == 1024


@pytest.mark.parametrize("known", available_profiles())
def test_target_with_what_it_has_and_lacks(known):
    """Every field stands in the table, what the chip lacks as "none"."""
    profile = nmdeploy("targets", known, "--json").json
    shown = {what: value for what, value, *_ in figure_rows("", load_profile(known))}
    assert shown["signed_spikes"] == ("no" if known == "loihi" else "yes")
    assert shown["neuron_models"] == ", ".join(profile["neuron_models"]["names"])
    for section in ("core_limits", "number_formats"):
        for field, given in profile[section].items():
            if given is None or type(given.get("value")) is int:
                assert shown[f"{section}.{field}"] == ("none" if given is None else str(given["value"]))
    for section in ("output_axons", "synapse_lists", "synapse_rows", "memory_costs"):
        assert (shown.get(section) == "none") == (profile[section] is None)
    printed = nmdeploy("targets", known).stdout
    assert "none" in printed
    assert "signed_spikes" in printed


def test_report_page(compiled, tmp_path):
    ended = nmdeploy("report", compiled[1], "-o", tmp_path / "page.html")
    assert ended.code == 0
    assert "<html" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("command", ["compile", "run", "check", "energy", "report", "targets"])
def test_help(command):
    ended = nmdeploy(command, "--help")
    assert ended.code == 0
    assert "Usage" in ended.stdout


def test_version_and_overview():
    assert nmdeploy("--version").stdout == "nmdeploy 0.1.0\n"
    assert nmdeploy("--help").code == 0
    assert "compile" in nmdeploy("--help").stdout


PROBE = """
import json, sys
sys.argv = json.loads(sys.argv[1])
from nmdeploy.cli.app import main
code = 0
try:
    main()
except SystemExit as ending:
    code = ending.code
print(json.dumps([code, sorted({name.partition('.')[0] for name in sys.modules})]), file=sys.stderr)
"""


def modules_after(*arguments):
    """Top-level modules that a command has imported by its end."""
    argv = json.dumps(["nmdeploy", *map(str, arguments)])
    ended = subprocess.run([sys.executable, "-c", PROBE, argv], capture_output=True, text=True, cwd=ROOT, check=True)
    code, modules = json.loads(ended.stderr.splitlines()[-1])
    assert not code
    return set(modules)


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["check"],
        ["check", "--format", "json"],
        ["energy"],
        ["targets"],
        ["targets", "speck"],
        ["targets", "validate", "loihi"],
    ],
)
def test_quick_commands_import_neither_torch_nor_lava(compiled, command):
    arguments = [*command, compiled[1]] if command[0] in ("check", "energy") else command
    assert not modules_after(*arguments) & {"torch", "lava"}


def test_running_and_compiling_import_no_lava(compiled, digits_data, digits_model, tmp_path):
    """The Lava backend has it in a process of its own."""
    assert not modules_after("run", compiled[1], "--data", digits_data, "--limit", "2") & {"torch", "lava"}
    assert "lava" not in modules_after("compile", digits_model, "-T", "2", "-o", tmp_path / "x.nmd")
