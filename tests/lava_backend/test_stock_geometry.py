"""Convolutions that differ along rows and columns, on Lava's own processes; obstacles one by one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mapping.connectivity import Connectivity, tap_table
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph
from mapping.neuron_models import CountMemory, PoolCounts
from nmdeploy.lava.batches import Batches

from .comparison import assert_equal_to_simulator, run

pytestmark = pytest.mark.lava
pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")

SOURCE = (4, 6, 5)


def population(name, shape, reset, start_step):
    zeros = np.zeros((shape[0], 1, 1), dtype=np.int64)
    threshold = np.full(shape[0], 129 if reset == "zero" else 0)
    scale = np.ones(shape[0])
    last = reset == "none"
    return Population(name, shape, reset, threshold, None, zeros, zeros, zeros[:, 0, 0], start_step, scale, last)


def one_projection(rows, columns, *, groups=1, weights=None, **changes):
    """A population that shows the sample, and a projection from it to an accumulator."""
    target = (6, rows.shape[0], columns.shape[0])
    table = Connectivity(SOURCE, target, rows, columns, (0, 4), (0, 6), groups)
    if weights is None:
        weights = np.random.default_rng(1).integers(-90, 90, table.weight_shape).astype(np.int32)
    populations = [population("source", SOURCE, "zero", 0), population("target", target, "none", 1)]
    projection = Projection("between", "source", "target", table, weights, 0, 8, "mixed")
    here = [np.arange(size, dtype=np.int32)[:, None] for size in SOURCE[1:]]
    shown = Connectivity(SOURCE, SOURCE, *here, (0, 4), (0, 4), groups=4)
    projections = (InputProjection("input", "source", shown, np.full((4, 1, 1, 1), 64), 0, 0),)
    network = ChipNetwork(SOURCE, 5, 6, 6, 2**23 - 1, 4095, 7, build_graph(populations, [projection]), projections)
    return dataclasses.replace(network, **changes)


def taps(axis, target, kernel, stride, padding, dilation):
    return tap_table(SOURCE[axis], target, kernel, stride, padding, dilation)


@pytest.mark.parametrize(
    ("rows", "columns", "groups"),
    [
        (taps(1, 6, 3, 1, 1, 1), taps(2, 2, 2, 2, 0, 1), 1),
        (taps(1, 3, 2, 2, 1, 2), taps(2, 5, 3, 1, 1, 1), 2),
        (taps(1, 1, 6, 1, 0, 1), taps(2, 1, 5, 1, 0, 1), 1),  # fully connected
        (taps(1, 1, 6, 1, 0, 1), taps(2, 1, 5, 1, 0, 1), 2),
    ],
)
def test_geometry(rows, columns, groups):
    from nmdeploy.lava.stock import build_stock

    network = one_projection(rows, columns, groups=groups)
    samples = np.random.default_rng(0).integers(0, 4, size=(2, *SOURCE)).astype(np.float32)
    lava = run(build_stock, network, samples, Batches(2, 1, 2))
    assert lava["counts"]["source"].any()
    assert_equal_to_simulator(network, samples, lava, saturations=False)


@pytest.mark.parametrize(
    ("low", "high", "step", "shift", "process"),
    [
        (-127, 127, 1, 6, "dense"),
        (-127, 127, 1, 9, "dense"),  # beyond 8 bits in LIF's unit: an exponent brings them back
        (-127, 127, 2, 6, "dense"),
        (0, 255, 1, 6, "dense"),
        (-255, 0, 1, 7, "dense"),
        (-3, 3, 64, 0, "dense"),
        (0, 0, 1, 6, "dense"),
        (-255, 255, 1, 6, "convolution"),  # odd ones of mixed sign
        (0, 256, 1, 6, "convolution"),
    ],
)
def test_dense_weights_are_carried_exactly_or_not_at_all(low, high, step, shift, process):
    from nmdeploy.lava.stock_synapses import DenseWeights, stock_synapses

    here = [np.arange(size, dtype=np.int32)[None] for size in SOURCE[1:]]
    table = Connectivity(SOURCE, (6, 1, 1), *here, (0, 4), (0, 6))
    weights = np.random.default_rng(0).integers(low, high, table.weight_shape, np.int32, endpoint=True) * step
    weights.flat[:2] = np.array([low, high]) * step
    found = stock_synapses(table, weights, shift)
    wanted = weights * 2.0 ** (shift - 6)
    if process == "convolution":
        assert not isinstance(found, DenseWeights)
        np.testing.assert_array_equal(found.weights, wanted)
        return
    assert isinstance(found, DenseWeights)
    carried = found.weights * 2.0**found.weight_exponent
    np.testing.assert_array_equal(carried.reshape(6, 5, 6, 4).transpose(0, 3, 2, 1), wanted)


ROWS, COLUMNS = taps(1, 6, 3, 1, 1, 1), taps(2, 5, 3, 1, 1, 1)


def with_source(**changes):
    network = one_projection(ROWS, COLUMNS)
    source, target = network.populations
    graph = build_graph([dataclasses.replace(source, **changes), target], network.projections)
    return dataclasses.replace(network, graph=graph)


def with_delay():
    network = one_projection(ROWS, COLUMNS)
    delayed = dataclasses.replace(network.projections[0], delay=2)
    source, target = network.populations
    populations = [source, dataclasses.replace(target, start_step=3)]
    return dataclasses.replace(network, graph=build_graph(populations, [delayed]))


def with_self_loop():
    network = one_projection(ROWS, COLUMNS)
    here = [np.arange(size, dtype=np.int32)[:, None] for size in SOURCE[1:]]
    table = Connectivity(SOURCE, SOURCE, *here, (0, 4), (0, 4), groups=4)
    loop = Projection("loop", "source", "source", table, np.ones((4, 1, 1, 1), np.int32), 0, 8, "mixed")
    return dataclasses.replace(network, graph=build_graph(network.populations, [*network.projections, loop]))


@pytest.mark.parametrize(
    ("network", "obstacle"),
    [
        (one_projection(ROWS, COLUMNS, state_max=1000), "potentials saturate at 1,000"),
        (one_projection(ROWS, COLUMNS, refinement_steps=2), "2 refinement steps, which weigh less"),
        (with_source(reset="subtract"), "source: reset by subtraction"),
        (with_source(reset="subtract", count_memory=CountMemory(0)), "source: neurons of model 'paced', which fire by"),
        (
            with_source(reset="subtract", count_memory=CountMemory(0, paced=False, release="half")),
            "source: neurons of model 'signed', which fire by",
        ),
        (with_source(reset="subtract", pool_counts=PoolCounts(2)), "source: neurons of model 'max_pool', maxima over"),
        (with_source(negative_threshold=np.full(4, 65)), "source: spikes of both signs"),
        (with_source(threshold=np.array([65, 65, 129, 65])), "source: a threshold for each channel"),
        (with_source(threshold=np.full(4, 100)), "source: a threshold that is not one above a multiple of 64"),
        (with_source(threshold=np.full(4, -63)), "source: a threshold below 1"),
        (with_source(initial_potential=np.full(4, 3)), "source: initial potentials that are not multiples of 64"),
        (with_source(bias_mantissa=np.full((4, 1, 1), 7)), "source: biases or input currents"),
        (with_self_loop(), "loop: its spikes come 1 steps late, in a cycle"),
        (with_delay(), "between: 2 extra steps of delay"),
        (one_projection(ROWS, COLUMNS, synapse_exponent=2), "between: weights times 2^2"),
        (one_projection((np.arange(12) // 2)[:, None].astype(np.int32), COLUMNS), "between: the index tables"),
        (
            one_projection(ROWS, COLUMNS, weights=np.full((6, 4, 3, 3), 2**15, dtype=np.int32)),
            "target: a current of one step may reach",
        ),
    ],
)
def test_each_obstacle_is_named_alone(network, obstacle):
    from nmdeploy.lava.stock import stock_obstacles

    assert stock_obstacles(one_projection(ROWS, COLUMNS)) == []
    found = stock_obstacles(network)
    assert len(found) == 1, found
    assert found[0].startswith(obstacle)
