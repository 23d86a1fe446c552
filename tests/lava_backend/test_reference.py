"""The fast simulator against plain loops over the global clock; needs no Lava."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from nmdeploy.errors import DataFileError
from nmdeploy.simulator import simulate

from .networks import cyclic_networks, networks, samples_for
from .reference import ReferenceRun


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), engine=st.sampled_from(["numpy", "torch"]))
def test_simulator_equals_plain_loops_on_the_global_clock(data, engine):
    network = data.draw(st.one_of(networks(), cyclic_networks()))
    samples = data.draw(samples_for(network, largest=3))
    try:
        result = simulate(network, samples, record_spike_trains=True, engine=engine)
    except DataFileError:  # a sample larger than the random bias field
        reject()
    expected = ReferenceRun(network, samples)
    for population in network.populations:
        train = expected.trains(network, population.name, len(samples))
        np.testing.assert_array_equal(result.spike_trains[population.name], train)
        np.testing.assert_array_equal(result.spike_counts[population.name], np.abs(train).sum(axis=1))
    potentials = [expected.traces(network, output.name, len(samples)) for output in network.outputs]
    np.testing.assert_array_equal(result.potentials, np.concatenate(potentials, axis=2))
    assert result.saturations == expected.saturations
