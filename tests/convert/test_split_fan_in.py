"""Sums in parts: the same float function, and no population wider than a core, on every construction there is."""

import numpy as np
import pytest
from convertible_networks import NETWORKS, samples, settled
from test_exactness import TOLERANCE, as_samples, outputs_of

from hw_profiles import load_profile
from mapping.fan_in_parts import largest_fan_in
from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.convert.split_fan_in import FanInLimit, too_wide, with_split_fan_in
from nmdeploy.frontend.trace import trace
from nmdeploy.simplify import simplify
from nmdeploy.spiking.evaluate import evaluate
from nmdeploy.spiking.network import INPUT

KINDS = {"pairs of rectifiers": frozenset(), "spikes of both signs": frozenset({"leaky"})}


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("name", NETWORKS)
def test_same_outputs(name, kinds):
    module, shape = NETWORKS[name]
    module, x = settled(module), samples(*shape)
    whole, _ = lower_layers(simplify(trace(module, x)), kinds)
    limit = FanInLimit(input_axons=30, reset_axons=1)
    split, notes = with_split_fan_in(whole, limit, kinds)
    assert split.problems() == []
    assert too_wide(split, limit) == []
    np.testing.assert_allclose(evaluate(split, as_samples(x)), outputs_of(module, x), rtol=0, atol=TOLERANCE)
    wide = [violation.where.removeprefix("population ") for violation in too_wide(whole, limit)]
    assert [note.split(":")[0] for note in notes] == wide
    added = {item.name for item in split.populations} - {item.name for item in whole.populations}
    assert bool(added) == bool(wide)
    assert {item.activation for item in split.populations if item.name in added} <= (
        {"leaky"} if kinds else {"rectifier"}
    )


def test_many_of_these_networks_are_too_wide():
    """Else the test above would show nothing."""
    limit = FanInLimit(input_axons=30, reset_axons=1)
    wide = 0
    for module, shape in NETWORKS.values():
        network, _ = lower_layers(simplify(trace(settled(module), samples(*shape))))
        wide += bool(too_wide(network, limit))
    assert wide >= 20


def test_wide_populations_are_named_with_what_they_ask_for():
    module, shape = NETWORKS["hidden conv on conv"]
    network, _ = lower_layers(simplify(trace(settled(module), samples(*shape))))
    limit = FanInLimit(input_axons=40, reset_axons=1)
    found = {violation.where: (violation.demand, violation.capacity) for violation in too_wide(network, limit)}
    for population in network.populations:
        tables = [item.connectivity for item in network.incoming(population.name) if item.source != INPUT]
        demand = largest_fan_in(tables) + (0 if population.activation == "none" else 1)
        where = f"population {population.name}"
        assert found.get(where) == ((demand, 40) if demand > 40 else None)
    assert found


def test_limits_of_the_chips():
    """Loihi resets by a synapse of the neuron onto itself; Loihi 2 does it itself; a SpiNNaker core has no axons."""
    assert FanInLimit.of(load_profile("loihi"), "subtract") == FanInLimit(4096, 1)
    assert FanInLimit.of(load_profile("loihi"), "zero") == FanInLimit(4096, 0)
    assert FanInLimit.of(load_profile("loihi2"), "subtract") == FanInLimit(4096, 0)
    assert FanInLimit.of(load_profile("spinnaker"), "subtract") is None
