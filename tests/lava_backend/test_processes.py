"""Lava processes against the simulator: every spike, every potential, every saturation."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

from nmdeploy.errors import DataFileError
from nmdeploy.lava.batches import Batches, window_currents
from nmdeploy.simulator import simulate

from .comparison import assert_equal_to_simulator, run
from .networks import cyclic_networks, networks, samples_for, stock_networks
from .programmable_networks import programmable_networks, with_every_potential_an_output
from .tilings import placements

pytestmark = pytest.mark.lava
pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")

EXPENSIVE = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking would start Lava for minutes
)


def assert_all_granularities_equal_the_simulator(data, network):
    from nmdeploy.lava.emit_cores import emit_cores
    from nmdeploy.lava.emit_layers import emit_layers

    network = with_every_potential_an_output(network)
    samples = data.draw(samples_for(network))
    batches = Batches.of(len(samples), data.draw(st.integers(1, 3)))
    try:
        simulate(network, samples)
    except DataFileError:  # a sample larger than the random bias field
        reject()
    assert_equal_to_simulator(network, samples, run(emit_layers, network, samples, batches))
    on_cores = partial(emit_cores, placement=data.draw(placements(network)))
    assert_equal_to_simulator(network, samples, run(on_cores, network, samples, batches))


@EXPENSIVE
@given(data=st.data())
def test_layers_and_cores_equal_simulator(data):
    assert_all_granularities_equal_the_simulator(data, data.draw(networks()))


@EXPENSIVE
@given(data=st.data())
def test_layers_and_cores_equal_simulator_in_cycles(data):
    assert_all_granularities_equal_the_simulator(data, data.draw(cyclic_networks()))


@settings(EXPENSIVE, max_examples=25)
@given(data=st.data())
def test_programmable_neurons_equal_simulator(data):
    """Count memories with and without leads, and maxima over counts."""
    assert_all_granularities_equal_the_simulator(data, data.draw(programmable_networks()))


@settings(EXPENSIVE, max_examples=8)
@given(data=st.data())
def test_programmable_neurons_equal_simulator_in_cycles(data):
    assert_all_granularities_equal_the_simulator(data, data.draw(programmable_networks(cyclic=True)))


@settings(EXPENSIVE, max_examples=6)
@given(data=st.data())
def test_compiled_layers_equal_simulator(data):
    """Long runs multiply with torch's kernels; here short ones do as well."""
    from nmdeploy.lava import emit_layers

    drawn = data.draw(st.one_of(networks(), cyclic_networks(), programmable_networks()))
    network = with_every_potential_an_output(drawn)
    samples = data.draw(samples_for(network))
    try:
        simulate(network, samples)
    except DataFileError:
        reject()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emit_layers, "COMPILED_OPERATIONS", -1)
        lava = run(emit_layers.emit_layers, network, samples, Batches.of(len(samples), 2))
    assert_equal_to_simulator(network, samples, lava)


@pytest.mark.slow
@settings(EXPENSIVE, max_examples=200)
@given(data=st.data())
def test_layers_and_cores_equal_simulator_often(data):
    every_kind = (networks(), cyclic_networks(), programmable_networks(), programmable_networks(cyclic=True))
    assert_all_granularities_equal_the_simulator(data, data.draw(st.one_of(*every_kind)))


@EXPENSIVE
@given(data=st.data())
def test_stock_processes_equal_simulator(data):
    from nmdeploy.lava.stock import build_stock, stock_obstacles

    network = data.draw(stock_networks())
    samples = np.rint(data.draw(samples_for(network, largest=3)))
    batches = Batches(len(samples), 1, len(samples))
    assert stock_obstacles(network, window_currents(network, samples, batches)) == []
    lava = run(build_stock, network, samples, batches)
    assert_equal_to_simulator(network, samples, lava, saturations=False)
