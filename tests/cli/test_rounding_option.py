"""compile --weight-rounding: what is recorded, the default, and what it is worth on the digits network."""

import numpy as np
import pytest
import torch
from command_line import nmdeploy_here, refused

import nmdeploy as package
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.decode import decode
from nmdeploy.simulator import simulate
from nmdeploy.spiking.evaluate import evaluate

FEW_BITS = ("--target", "loihi2", "-T", "16", "--method", "channel-mse", "--weight-bits", "3")


@pytest.fixture
def compile_digits(digits_model, tmp_path):
    """Compiles with options, and has the placement checked; the artifact, and the summary."""

    def made(*options, model=digits_model):
        folder = tmp_path / "digits.nmd"
        ended = nmdeploy_here("compile", model, "-o", folder, "--json", *options)
        assert ended.code == 0, ended.stderr
        assert nmdeploy_here("check", folder).code == 0
        return read_artifact(folder), ended.json

    return made


def error_of_outputs(artifact, data):
    """Relative error of the decoded outputs."""
    with np.load(data) as arrays:
        samples = artifact.manifest.preprocessing.apply(arrays["x"][:200], artifact.network.input_shape)
    decoded = decode(artifact.network, simulate(artifact.network, samples).potentials)
    expected = evaluate(artifact.float_network, samples)
    return float(np.linalg.norm(decoded - expected) / np.linalg.norm(expected))


def test_the_rounding_is_recorded_and_gptq_loses_least(compile_digits, digits_data):
    errors = {}
    for rounding in ("nearest", "least-squares", "gptq"):
        artifact, summary = compile_digits(*FEW_BITS, "--weight-rounding", rounding)
        assert artifact.manifest.options.weight_rounding == rounding
        assert summary["weight_rounding"] == rounding
        errors[rounding] = error_of_outputs(artifact, digits_data)
    assert errors["gptq"] < 0.8 * errors["nearest"]
    assert errors["least-squares"] != errors["nearest"]


@pytest.mark.parametrize(("bits", "rounding"), [("4", "gptq"), ("8", "nearest")])
def test_the_default_depends_on_the_bits(compile_digits, bits, rounding):
    artifact, _ = compile_digits("--target", "loihi", "-T", "8", "--method", "channel-max", "--weight-bits", bits)
    assert artifact.manifest.options.weight_rounding == rounding


def test_unknown_roundings_are_refused(digits_model, tmp_path):
    ended = nmdeploy_here("compile", digits_model, "-o", tmp_path / "never.nmd", "--weight-rounding", "stochastic")
    refused(ended, "--weight-rounding", "stochastic")
    assert not (tmp_path / "never.nmd").exists()


def test_noise_is_no_reason_to_round_otherwise(compile_digits, tmp_path):
    """Without calibration samples the default is nearest; gptq can still be asked for."""
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2)).eval()
    package.save(module, torch.zeros(1, 4), tmp_path / "model.pt", layout="NF")
    options = ("-T", "4", "--weight-bits", "4")
    artifact, _ = compile_digits(*options, model=tmp_path / "model.pt")
    assert artifact.manifest.options.weight_rounding == "nearest"
    artifact, _ = compile_digits(*options, "--weight-rounding", "gptq", model=tmp_path / "model.pt")
    assert artifact.manifest.options.weight_rounding == "gptq"
