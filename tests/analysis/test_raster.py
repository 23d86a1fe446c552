"""Sampled neurons and their spikes on the chip's clock."""

import numpy as np
import pytest
from chip_clock import chip_run
from integer_networks import network, population
from small_networks import KINDS, LEAKY, samples_of, small

from nmdeploy.analysis import observe as observe_module
from nmdeploy.analysis.observe import observe
from nmdeploy.analysis.raster import RasterTally, sampled_neurons


def raster_of(made, samples, count, seed=0, timesteps=8):
    tally = RasterTally(made.chip, count, seed)
    for observed in observe(made.chip, made.trained, samples, timesteps):
        tally.add(observed)
    return tally.result()


@pytest.mark.parametrize("kind", KINDS)
def test_spikes_and_signs_of_the_first_sample(kind, monkeypatch):
    monkeypatch.setattr(observe_module, "WORKING_BYTES", 1)
    made, samples = small(kind), samples_of(3)
    trains = chip_run(made.chip, samples, 8)[0]
    raster = raster_of(made, samples, 100)
    assert (raster.seed, raster.timesteps, len(raster.neurons)) == (0, 8, 12 + 4 + 3)
    signs = set()
    for neuron in raster.neurons:
        one = made.chip.population(neuron.population)
        train = trains[one.name][0].reshape(8, *one.shape)[:, neuron.channel, neuron.row, neuron.column]
        expected = {one.start_step + one.lead + step: spike for step, spike in enumerate(train.tolist()) if spike}
        assert dict(zip(neuron.steps, neuron.signs, strict=True)) == expected
        assert neuron.first_step == one.start_step + one.lead
        signs |= set(neuron.signs)
    assert signs == ({1, -1} if kind in LEAKY else {1})


def test_every_layer_has_its_share():
    """Two large layers and one of three neurons, and an output that never spikes."""
    zeros = np.zeros(2, np.int64)
    net = network(
        [
            population("large", (4, 8, 8)),
            population("small", (3, 1, 1)),
            population("also large", (4, 8, 8)),
            population("out", (2, 1, 1), reset="none", threshold=zeros, is_output=True),
        ]
    )
    chosen = sampled_neurons(net, 20, seed=1)
    assert {name: len(neurons) for name, neurons in chosen.items()} == {"large": 9, "small": 3, "also large": 8}
    for name, neurons in chosen.items():
        assert neurons == sorted(set(neurons))
        assert 0 <= neurons[0] <= neurons[-1] < net.population(name).neuron_count
    assert sampled_neurons(net, 20, seed=1) == chosen
    assert sampled_neurons(net, 20, seed=2) != chosen
    assert sum(len(neurons) for neurons in sampled_neurons(net, 10**6, seed=1).values()) == 4 * 64 * 2 + 3
    assert not any(sampled_neurons(net, 0, seed=1).values())


def test_no_neurons():
    assert raster_of(small("plain"), samples_of(1), 0).neurons == ()
