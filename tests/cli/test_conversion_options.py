"""compile: neurons, methods of two papers, compensation, refinement steps, allowed loss; on the digits network."""

import numpy as np
import pytest
from command_line import nmdeploy_here, refused

from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.decode import decode
from nmdeploy.simulator import simulate
from nmdeploy.spiking.evaluate import evaluate


@pytest.fixture
def compile_digits(digits_model, tmp_path):
    """Compiles with options; what it printed, and the artifact."""

    def made(*options):
        folder = tmp_path / "digits.nmd"
        ended = nmdeploy_here("compile", digits_model, "-o", folder, "--json", *options)
        assert ended.code == 0, ended.stderr
        return ended.json, folder

    return made


def accuracy(folder, data):
    ended = nmdeploy_here("run", folder, "--data", data, "--json")
    assert ended.code == 0, ended.stderr
    return ended.json["accuracy"], ended.json["float_accuracy"]


def test_a_programmable_chip_gets_its_most_accurate_neurons(compile_digits, digits_data):
    summary, folder = compile_digits("--target", "loihi2", "-T", "4")
    assert summary["neurons_model"] == "paced"
    assert summary["lead"] >= 1
    assert summary["refinement_steps"] >= 1
    network = read_artifact(folder).network
    assert network.refinement_steps == summary["refinement_steps"]
    spiking = [one for one in network.populations if not one.is_output]
    assert sum(one.lead == 0 for one in spiking) == summary["populations_without_lead"]
    assert {one.lead for one in spiking} <= {0, summary["lead"]}
    assert {one.model for one in network.populations if not one.is_output} == {"paced"}
    assert summary["steps_per_sample"] == 5
    assert summary["latency_steps"] == 4 + sum(1 + one.lead for one in spiking)  # a chain of layers
    assert nmdeploy_here("check", folder).code == 0
    spiking, trained = accuracy(folder, digits_data)
    assert spiking > trained - 0.02


def test_refinement_steps_need_fewer_steps(compile_digits, digits_data):
    fixed = ("--target", "loihi2", "-T", "3", "--neurons", "paced", "--lead", "1")
    coarse, folder = compile_digits(*fixed, "--refinement-steps", "0")
    coarse_error = error_of_outputs(folder, digits_data)
    refined, folder = compile_digits(*fixed, "--refinement-steps", "2")
    assert read_artifact(folder).manifest.options.refinement_steps == 2
    assert read_artifact(folder).network.refinement_steps == 2
    assert refined["latency_steps"] == coarse["latency_steps"]
    assert nmdeploy_here("check", folder).code == 0
    assert error_of_outputs(folder, digits_data) < coarse_error / 1.5


def test_delayed_read_out(compile_digits, digits_data, tmp_path):
    _, folder = compile_digits("--target", "loihi", "-T", "8", "--method", "channel-max", "--read-out-from", "3")
    artifact = read_artifact(folder)
    assert artifact.network.read_out_step == artifact.manifest.options.read_out_step == 3
    assert nmdeploy_here("check", folder).code == 0
    ran = nmdeploy_here("run", folder, "--data", digits_data, "--output", tmp_path / "outputs.npz")
    assert ran.code == 0, ran.stderr
    with np.load(tmp_path / "outputs.npz") as written:
        collected = written["potentials"][:, 7] - written["potentials"][:, 2]
        predicted = (collected * artifact.network.outputs[0].scale).argmax(axis=1)
        assert (written["predictions"] == predicted).all()
        assert (predicted != (written["potentials"][:, 7] * artifact.network.outputs[0].scale).argmax(axis=1)).any()
    early = nmdeploy_here("run", folder, "--data", digits_data, "--early-exit", "4")
    refused(early, "outputs are read from step 3 on")


def error_of_outputs(folder, data):
    """Relative error of the decoded outputs."""
    artifact = read_artifact(folder)
    with np.load(data) as arrays:
        samples = artifact.manifest.preprocessing.apply(arrays["x"][:200], artifact.network.input_shape)
    potentials = simulate(artifact.network, samples).potentials
    expected = evaluate(artifact.float_network, samples)
    decoded = decode(artifact.network, potentials)
    return float(np.linalg.norm(decoded - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize(
    ("preset", "method", "initial"), [("spiking-yolo", "channel-max", 0.0), ("spiking-resnet", "layer-percentile", 0.5)]
)
def test_presets_are_the_papers(compile_digits, preset, method, initial):
    summary, folder = compile_digits("--target", "loihi", "-T", "8", "--method", preset)
    options = read_artifact(folder).manifest.options
    assert (summary["method"], options.initial_potential, options.compensation) == (method, initial, "none")
    for population in read_artifact(folder).network.populations:
        share = population.initial_potential / population.threshold.clip(1)
        assert population.is_output or abs(share - initial).max() < 0.01


def test_the_shortest_window_within_the_loss_is_taken(compile_digits):
    strict, _ = compile_digits("--target", "loihi", "-T", "32", "--max-loss", "0")
    lax, _ = compile_digits("--target", "loihi", "-T", "32", "--max-loss", "100")
    assert lax["timesteps"] == 1 < strict["timesteps"] < 32
    assert any(f"a window of {strict['timesteps']} steps loses 0.00 points" in note for note in strict["notes"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--target", "loihi", "--neurons", "paced"), ("loihi has no 'paced' neurons", "it has if")),
        (("--target", "loihi2", "--lead", "2"), ("--lead", "need --neurons paced or signed")),
        (("--target", "loihi2", "--neurons", "signed", "--lead", "2"), ("a lead of 2 steps needs paced neurons",)),
        (("--target", "loihi2", "--neurons", "paced", "--reset", "zero"), ("reset by subtraction",)),
        (("--target", "loihi2", "-T", "4", "--refinement-steps", "4"), ("4 refinement steps", "window of 4")),
        (("--target", "loihi", "-T", "4", "--read-out-from", "4"), ("read from step 4", "window of 4")),
        (("--target", "loihi", "-T", "4", "--refinement-steps", "1"), ("refinement steps need paced or signed",)),
        (("--target", "loihi", "-T", "1", "--max-loss", "0", "--method", "layer-max"), ("--max-loss 0", "still loses")),
    ],
)
def test_what_cannot_be(digits_model, tmp_path, options, words):
    refused(nmdeploy_here("compile", digits_model, "-o", tmp_path / "never.nmd", *options), *words)
    assert not (tmp_path / "never.nmd").exists()
