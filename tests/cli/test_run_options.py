"""run --curve, --early-exit and --memory."""

import numpy as np
import pytest
from command_line import nmdeploy_here, refused

from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.cli.memory_size import memory_bytes
from nmdeploy.errors import NmdeployError
from nmdeploy.simulator import simulate


def run(compiled, data, *options):
    return nmdeploy_here("run", compiled[1], "--data", data, "--limit", "60", *options)


def test_the_curve_is_what_shorter_windows_give(compiled, digits_data):
    ended = run(compiled, digits_data, "--curve", "--json")
    assert ended.code == 0
    curve = ended.json["curve"]
    assert [point["timesteps"] for point in curve] == list(range(1, 17))
    assert curve[-1]["accuracy"] == ended.json["accuracy"]
    assert curve[-1]["agreement"] == ended.json["agreement"]
    assert curve[0]["accuracy"] < curve[-1]["accuracy"]
    for steps in (1, 2, 5):
        alone = run(compiled, digits_data, "-T", str(steps), "--json").json
        assert curve[steps - 1] == {key: alone[key] for key in ("timesteps", "accuracy", "agreement")}
        assert "curve" not in alone


def test_tables(compiled, digits_data, tmp_path):
    ended = run(compiled, digits_data, "--curve", "--early-exit", "1", "--memory", "1GiB")
    assert ended.code == 0
    for words in ("Accuracy over time steps", "proved final", "latency", "preset int32"):
        assert words in ended.stdout
    np.savez(tmp_path / "x.npz", x=np.load(digits_data)["x"])
    assert "unknown" in run(compiled, tmp_path / "x.npz", "--curve").stdout


def test_early_exit(compiled, digits_data, tmp_path):
    """Its figures are those of the simulator; all others, and the files, are those of whole windows."""
    options = ("-T", "48", "--json", "--output")
    whole = run(compiled, digits_data, *options, tmp_path / "whole.npz").json
    ended = run(compiled, digits_data, "--early-exit", "3", *options, tmp_path / "early.npz").json
    saving = ended.pop("early_exit")
    for report in (whole, ended):
        del report["seconds"]
    assert ended == whole
    with np.load(tmp_path / "whole.npz") as first, np.load(tmp_path / "early.npz") as second:
        np.testing.assert_array_equal(first["potentials"], second["potentials"])
    artifact = read_artifact(compiled[1])
    samples = artifact.manifest.preprocessing.apply(np.load(digits_data)["x"][:60], artifact.network.input_shape)
    steps = simulate(artifact.network, samples, timesteps=48, check_interval=3).steps
    assert saving["left_early"] == (steps < 48).sum() > 0
    assert saving["mean_steps"] == pytest.approx(steps.mean())
    assert saving["whole_latency_steps"] == whole["latency_steps"]
    assert saving["mean_latency_steps"] == pytest.approx(steps.mean() + whole["latency_steps"] - 48)
    assert saving["spikes_per_inference"] < saving["whole_spikes_per_inference"] == whole["spikes_per_inference"]
    assert saving["energy_pj"] < saving["whole_energy_pj"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--early-exit", "0"], ["--early-exit"]),
        (["--early-exit", "16"], ["--early-exit 16", "16 steps"]),
        (["--early-exit", "2", "--backend", "lava"], ["--early-exit", "simulator", "lava"]),
        (["--memory", "1GiB", "--backend", "lava"], ["--memory", "simulator", "lava"]),
        (["--memory", "lots"], ["--memory", "lots", "4GiB"]),
        (["--memory", "1KiB"], ["memory", "--memory"]),
    ],
)
def test_options_that_cannot_be(compiled, digits_data, options, words):
    refused(run(compiled, digits_data, *options), *words)


def test_memory_of_the_energy_s_simulation(compiled, digits_data):
    arguments = ("energy", compiled[1], "--format", "json")
    with_data = (*arguments, "--data", digits_data, "--limit", "5")
    assert nmdeploy_here(*with_data, "--memory", "64MiB").json == nmdeploy_here(*with_data).json
    refused(nmdeploy_here(*with_data, "--memory", "1KiB"), "memory")
    refused(nmdeploy_here(*arguments, "--memory", "64MiB"), "--data")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GiB", 4 * 2**30),
        ("512MiB", 512 * 2**20),
        ("2GB", 2 * 10**9),
        ("1.5 kB", 1500),
        ("0.5KiB", 512),
        ("3tib", 3 * 2**40),
        ("7", 7),
        ("7b", 7),
    ],
)
def test_memory_sizes(text, size):
    assert memory_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "-1GiB", "4GiBs", "4 Gi B", "1e9", "0", "0.1B", "½GiB", "4G"])
def test_what_is_no_memory_size(text):
    with pytest.raises(NmdeployError, match="4GiB, 512MiB or 2GB"):
        memory_bytes(text)
