"""Outputs that spike and are counted: counts by hand, the same float function, and the command line."""

import numpy as np
import pytest
import torch
from command_line import nmdeploy
from torch import nn

from hw_profiles import load_profile
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import convert
from nmdeploy.convert.count_decoding import is_counter
from nmdeploy.decode import decode
from nmdeploy.frontend.trace import trace
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import NeuronChoice, neuron_kinds
from nmdeploy.search.build import build
from nmdeploy.search.recipe import Recipe
from nmdeploy.simulator import simulate
from nmdeploy.spiking.evaluate import evaluate

T = 8
NEURONS = {
    "if": ("loihi", NeuronChoice("if")),
    "imbalanced": ("loihi2", NeuronChoice("imbalanced")),
    "signed": ("loihi2", NeuronChoice("signed", release="threshold")),
    "paced": ("loihi2", NeuronChoice("paced", lead=1, release="threshold")),
}


class TwoOutputs(nn.Module):
    """A map and, from the same layer, a smaller one; logits of both signs, channels of unlike sizes."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.hidden = nn.Conv2d(2, 5, 3)
        self.map = nn.Conv2d(5, 3, 1)
        self.small = nn.Conv2d(5, 2, 3)
        with torch.no_grad():
            self.map.weight.mul_(torch.tensor([0.3, 1.0, 5.0])[:, None, None, None])

    def forward(self, x):
        x = torch.relu(self.hidden(x))
        return self.map(x), self.small(x)


@pytest.fixture(scope="module")
def calibration():
    return split_calibration(np.random.default_rng(0).random((32, 2, 6, 6)).astype(np.float32), "uniform")


def built(name, calibration, decoding, module=None):
    target, neurons = NEURONS[name]
    profile = load_profile(target)
    layers = trace((module or TwoOutputs()).eval(), torch.from_numpy(calibration.samples[:1]))
    converted = convert(layers, calibration, 99.9, neuron_kinds(neurons, profile), decoding)
    made = build(converted, Recipe("channel-max", neurons), calibration, profile, QuantizationOptions(timesteps=T))
    return converted.network, made.network


@pytest.mark.parametrize("name", NEURONS)
def test_the_float_network_stays_the_same(name, calibration):
    with torch.no_grad():
        outputs = TwoOutputs()(torch.from_numpy(calibration.held_out))
    expected = torch.cat([output.flatten(1) for output in outputs], 1).numpy()
    assert (expected < -0.1).any()
    network, _ = built(name, calibration, "count")
    np.testing.assert_allclose(evaluate(network, calibration.held_out), expected, atol=1e-5)


@pytest.mark.parametrize("name", NEURONS)
def test_results_are_counts(name, calibration):
    """What is decoded is the sum of the spikes of the output's own populations, each worth one step of the scale."""
    _, network = built(name, calibration, "count")
    result = simulate(network, calibration.held_out, record_spike_trains=True)
    decoded = decode(network, result.potentials)
    expected = []
    for output in network.outputs:
        signs = {"positive": 1, "negative": -1}
        channels, rows, columns = output.shape
        total = np.zeros((len(decoded), channels, rows * columns))
        for projection in network.incoming(output.name):
            source = network.population(projection.source)
            counts = result.spike_trains[source.name].astype(np.int64).sum(axis=1).reshape(len(decoded), channels, -1)
            assert np.abs(counts).max() > 1
            total += counts * source.scale[:, None] / T * signs.get(source.name.rsplit(".", 1)[-1], 1)
        expected.append(total.reshape(len(decoded), -1))
    # weights of two populations of unlike scales are rounded to 8 bits
    tolerance = 1e-9 if name != "if" else 0.01 * np.abs(np.concatenate(expected, axis=1)).max()
    np.testing.assert_allclose(decoded, np.concatenate(expected, axis=1), atol=tolerance)


@pytest.mark.parametrize("name", NEURONS)
def test_counts_are_coarser_than_potentials(name, calibration):
    reference = evaluate(built(name, calibration, "membrane")[0], calibration.held_out)
    errors = {}
    for decoding in ("membrane", "count"):
        _, network = built(name, calibration, decoding)
        result = simulate(network, calibration.held_out)
        errors[decoding] = np.linalg.norm(decode(network, result.potentials) - reference)
    assert errors["membrane"] < errors["count"] < 0.5 * np.linalg.norm(reference)


def test_outputs_that_count_already_stay(calibration):
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU())
    kept, counted = (built("paced", calibration, decoding, module)[0] for decoding in ("membrane", "count"))
    assert [population.name for population in kept.populations] == [p.name for p in counted.populations]
    assert is_counter(kept, kept.outputs[0])


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 3, 1)),
        nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Upsample(scale_factor=2)),
        nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.BatchNorm2d(3)),
    ],
    ids=["convolution", "upsampling", "scaling"],
)
def test_what_does_more_than_count_is_no_counter(module, calibration):
    network, _ = built("paced", calibration, "membrane", module)
    assert not is_counter(network, network.outputs[0])


def test_command_line(digits_model, tmp_path):
    summaries = {}
    for decoding in ("membrane", "count"):
        folder = tmp_path / decoding
        ended = nmdeploy(
            "compile", digits_model, "--target", "loihi2", "-T", "16", "--method", "channel-max", "-o", folder,
            "--json", "--decoding", decoding, "--neurons", "paced", "--lead", "1",
        )  # fmt: skip
        assert ended.code == 0, ended.stderr
        summaries[decoding] = ended.json
    assert summaries["count"]["decoding"] == "count"
    # a spiking neuron and a counter for each of ten classes
    assert summaries["count"]["neurons"] == summaries["membrane"]["neurons"] + 10
    assert summaries["count"]["latency_steps"] == summaries["membrane"]["latency_steps"] + 2
    assert summaries["count"]["violations"] == []
