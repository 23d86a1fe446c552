"""Channels under layer-wise and channel-wise norms."""

import numpy as np
import pytest
from integer_networks import network, population
from small_networks import KINDS, samples_of, small

from nmdeploy.analysis import observe as observe_module
from nmdeploy.analysis.channels import ChannelTally
from nmdeploy.analysis.observe import observe
from nmdeploy.spiking.network import FloatPopulation, build_spiking_network


def channels_of(chip, trained, samples):
    tally = ChannelTally(chip)
    for observed in observe(chip, trained, samples, 4):
        tally.add(observed)
    return {one.name: one for one in tally.result()}


@pytest.mark.parametrize("kind", KINDS)
def test_norms(kind, monkeypatch):
    monkeypatch.setattr(observe_module, "WORKING_BYTES", 1)
    made, samples = small(kind), samples_of(9)
    found, activations = channels_of(made.chip, made.trained, samples), made.activations(samples)
    assert list(found) == ["first", "largest", "second"]
    for name, channels in found.items():
        magnitudes = np.abs(activations[name])
        largest, mean = magnitudes.max(axis=(0, 2, 3)), magnitudes.mean(axis=(0, 2, 3))
        assert channels.maximum == pytest.approx(largest, rel=1e-5)
        assert channels.mean == pytest.approx(mean, rel=1e-5)
        assert channels.scale == pytest.approx(made.scales[name])
        for norm, divisor in (
            (channels.layer_norm, largest.max()),
            (channels.channel_norm, np.where(largest > 0, largest, 1.0)),
            (channels.compiled, made.scales[name]),
        ):
            assert norm.maximum == pytest.approx(largest / divisor, rel=1e-5)
            assert norm.mean == pytest.approx(mean / divisor, rel=1e-5)
        living = [value for value in channels.maximum if value]
        assert channels.channel_norm.maximum.count(1.0) == len(living)


def test_a_silent_layer_is_zero_under_every_norm():
    one = population("one", (2, 1, 1))
    dead = FloatPopulation("one", (2, 1, 1), "rectifier", None, -np.ones((2, 1, 1)), np.ones(2))
    trained = build_spiking_network((1, 1, 1), [dead], [])
    found = channels_of(network([one]), trained, np.zeros((2, 1, 1, 1), np.float32))
    for norm in (found["one"].layer_norm, found["one"].channel_norm, found["one"].compiled):
        assert (norm.maximum, norm.mean) == ((0.0, 0.0), (0.0, 0.0))
