"""Maxima over counts: after every step as many net spikes as the source neuron in the window that has sent most."""

import itertools

import numpy as np
import pytest
import torch
from counting_networks import counting_networks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integer_networks import WIDE, network, population, projection
from lava_backend.networks import samples_for

from mapping.connectivity import Connectivity, tap_table
from mapping.neuron_models import PoolCounts
from mapping.pool_taps import pool_weights
from nmdeploy.simulator import simulate
from nmdeploy.simulator.engine import Engine
from nmdeploy.simulator.tensor_engine import TensorEngine
from nmdeploy.simulator.torch_engine import TorchEngine
from nmdeploy.simulator.window import Window

NOTHING = np.zeros((1, 1, 1, 1), np.float32)
ENGINES = {"numpy": Engine, "torch": TorchEngine, "device": lambda net: TensorEngine(net, torch.device("cpu"))}


@st.composite
def pooled_runs(draw):
    net = draw(counting_networks().filter(lambda net: any(one.pool_counts is not None for one in net.populations)))
    return net, draw(samples_for(net, largest=3))


@pytest.mark.parametrize("engine", ["numpy", "torch"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(run=pooled_runs())
def test_counts_are_the_maximum_of_the_sources_counts(engine, run):
    net, samples = run
    trains = simulate(net, samples, engine=engine, record_spike_trains=True).spike_trains
    sent = {
        one.name: trains[one.name].astype(int).cumsum(axis=1).reshape(len(samples), net.timesteps, *one.shape)
        for one in net.populations
    }
    for pool in net.populations:
        if pool.pool_counts is None:
            continue
        assert np.abs(trains[pool.name]).max() <= 1
        for neuron in np.ndindex(pool.shape):
            windows = [sent[source][:, :, c, y, x] for source, (c, y, x) in window(net, pool.name, neuron)]
            np.testing.assert_array_equal(sent[pool.name][(slice(None), slice(None), *neuron)], np.max(windows, axis=0))


def window(net, pool, neuron):
    """(source, source neuron) of every place that a neuron of a maximum looks at."""
    for incoming in net.incoming(pool):
        table, (channel, row, column) = incoming.connectivity, neuron
        begin, stop = table.target_channels
        if begin <= channel < stop:
            for y, x in itertools.product(table.rows[row], table.columns[column]):
                if y >= 0 and x >= 0:
                    yield incoming.source, (table.source_channels[0] + channel - begin, y, x)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("round_steps", [12, 5])
@pytest.mark.parametrize(("kernel", "base"), [(3, 2), (5, 2), (3, 4)])
def test_windows_of_many_synapses(engine, round_steps, kernel, base):
    """Nine or 25 digits: synaptic input of up to 2^25, more than float32 tells apart."""
    shape, random = (2, 7, 6), np.random.default_rng(kernel + base)
    source = population(
        "source",
        shape,
        threshold=np.array([40, 90]),
        negative_threshold=np.array([30, 50]) if base == 4 else None,
        bias_mantissa=random.integers(-40, 60, shape),
    )
    tables = [tap_table(size, size, kernel, 1, kernel // 2) for size in shape[1:]]
    table = Connectivity(shape, shape, *tables, (0, 2), (0, 2), 2)
    pool = population("pool", shape, threshold=np.zeros(2, np.int64), pool_counts=PoolCounts(base))
    weights = pool_weights((kernel, kernel), 2, base)
    net = network([source, pool], [projection("source", "pool", table, weights)], timesteps=12, state_max=WIDE)
    trains = Window(ENGINES[engine](net), NOTHING, 12, record_spike_trains=True).run(round_steps).spike_trains
    sent = {name: train[0].astype(int).cumsum(axis=0).reshape(-1, *shape) for name, train in trains.items()}
    assert len(np.unique(sent["pool"][-1])) > 2
    for neuron in np.ndindex(shape):
        windows = [sent[name][:, c, y, x] for name, (c, y, x) in window(net, "pool", neuron)]
        np.testing.assert_array_equal(sent["pool"][(slice(None), *neuron)], np.max(windows, axis=0))
