"""The networks that other tests of the analysis use are what they say."""

import numpy as np
import pytest
from chip_clock import chip_run
from small_networks import KINDS, LEAKY, samples_of, small

from nmdeploy.accuracy_curve import windows_are_prefixes
from nmdeploy.simulator import simulate
from nmdeploy.spiking.evaluate import evaluate


@pytest.mark.parametrize("kind", KINDS)
def test_the_float_network_and_the_chip_network_stand_for_each_other(kind):
    made, samples = small(kind, timesteps=64), samples_of(5)
    expected = made.activations(samples)["out"].reshape(5, 2)
    np.testing.assert_allclose(evaluate(made.trained, samples), expected, rtol=1e-5)
    spikes, potentials, saturations = chip_run(made.chip, samples)
    result = simulate(made.chip, samples, record_spike_trains=True)
    for name, train in spikes.items():
        np.testing.assert_array_equal(result.spike_trains[name], train)
    np.testing.assert_array_equal(result.potentials, potentials["out"])
    assert saturations == 0
    assert windows_are_prefixes(made.chip) == (kind == "plain")
    assert (spikes["first"] < 0).any() == (kind in LEAKY)


@pytest.mark.parametrize("kind", KINDS)
def test_something_is_clipped_and_something_silent(kind):
    made, samples = small(kind), samples_of(12)
    activations, spikes = made.activations(samples), chip_run(made.chip, samples)[0]
    assert (np.abs(activations["first"]) > made.scales["first"][:, None, None]).any()
    assert not spikes["second"][:, :, 2].any() or kind in LEAKY


@pytest.mark.parametrize("kind", ["paced", "leaky", "refined"])
def test_spikes_are_taken_back(kind):
    """So that net counts are not those of both signs."""
    made = small(kind)
    second = chip_run(made.chip, samples_of(12))[0]["second"]
    assert (np.abs(second).sum(axis=1) != np.abs(second.sum(axis=1))).any()
