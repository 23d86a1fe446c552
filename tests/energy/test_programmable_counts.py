"""Operations of paced neurons and of maxima over counts, against figures worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from hw_profiles import load_profile
from mapping.connectivity import Connectivity, tap_table
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph
from mapping.neuron_models import CountMemory, PoolCounts
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.pool_taps import pool_weights
from mapping.tiles import Demands, Tile
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.early_exit import population_steps
from nmdeploy.simulator import simulate

T = 4
SAMPLE = np.array([10, -10, 6, 0], np.float32).reshape(1, 1, 2, 2)


def population(name, shape, start_step, **fields):
    nothing = np.zeros(shape[0], np.int64)
    given = {
        "reset": "subtract",
        "threshold": np.full(shape[0], 10),
        "negative_threshold": None,
        "bias_mantissa": nothing[:, None, None],
        "bias_exponent": nothing[:, None, None],
        "initial_potential": nothing,
        "scale": np.ones(shape[0]),
        **fields,
    }
    return Population(name, shape, start_step=start_step, **given)


def network():
    """Four leaky paced neurons, which spike 4, -2, 2 and 0 times in all, their maximum, and an output."""
    leaky = CountMemory(lead=1, release="half", slope_mantissa=np.array([128]), slope_bits=8)
    neurons = population("leaky", (1, 2, 2), 0, count_memory=leaky, bias_mantissa=np.full((1, 1, 1), 0))
    pool = population("pool", (1, 1, 1), 2, threshold=np.zeros(1, np.int64), pool_counts=PoolCounts(4))
    out = population("out", (1, 1, 1), 3, reset="none", threshold=np.zeros(1, np.int64), is_output=True)
    window = [tap_table(2, 1, 2)] * 2
    point = [np.zeros((1, 1), np.int32)] * 2
    one_to_one = [tap_table(2, 2, 1)] * 2
    pooling = Connectivity((1, 2, 2), (1, 1, 1), *window, (0, 1), (0, 1))
    onward = Connectivity((1, 1, 1), (1, 1, 1), *point, (0, 1), (0, 1))
    current = Connectivity((1, 2, 2), (1, 2, 2), *one_to_one, (0, 1), (0, 1))
    weights = np.ones((1, 1, 1, 1), np.int32)
    projections = [
        Projection("pooling", "leaky", "pool", pooling, pool_weights((2, 2), 1, 4), 0, 8, "excitatory"),
        Projection("onward", "pool", "out", onward, weights, 0, 8, "excitatory"),
    ]
    inputs = (InputProjection("x", "leaky", current, weights.astype(np.int64), 0, 0),)
    return ChipNetwork((1, 2, 2), T, 0, 0, 2**23 - 1, 4095, 7, build_graph([neurons, pool, out], projections), inputs)


def counted(net, steps=None):
    boxes = ((one.name, *((0, size) for size in one.shape)) for one in net.populations)
    tiles = tuple(Tile(*box) for box in boxes)
    placement = Placement((CoreRecord(CoreAddress(0, 0, 0, 0), tiles, (), Demands(*[0] * 11)),))
    spikes = simulate(net, SAMPLE).spike_counts
    counts = count_operations(net, placement, load_profile("loihi2"), SAMPLE, spikes, steps=steps)
    return {tile.population: tile for tile in counts.tiles}


def test_spikes_of_the_example():
    result = simulate(network(), SAMPLE, record_spike_trains=True)
    assert result.spike_trains["leaky"].sum(axis=1).tolist() == [[4, -2, 2, 0]]
    assert result.spike_counts["leaky"].tolist() == [[4, 2, 2, 0]]
    assert result.spike_trains["pool"].sum(axis=1).tolist() == [[4]]


def test_spikes_of_either_sign_are_spikes_and_cause_one_accumulate_a_synapse():
    counts = counted(network())
    assert (counts["leaky"].spikes, counts["pool"].spikes) == (8, 4)
    assert (counts["pool"].ac_dense, counts["pool"].ac_effective) == (8, 8)
    assert (counts["out"].ac_dense, counts["out"].ac_effective) == (4, 4)


def test_a_lead_is_updates_without_input():
    counts = counted(network())
    assert counts["leaky"].neuron_updates == 4 * (T + 1)
    assert counts["leaky"].input_additions == 4 * T
    assert counts["leaky"].input_mac_dense_every_step == 4 * T
    assert (counts["pool"].neuron_updates, counts["out"].neuron_updates) == (T, T)


def test_biases_are_added_where_input_is_taken_in():
    biased = population("leaky", (1, 2, 2), 0, count_memory=network().population("leaky").count_memory)
    biased = replace(biased, bias_mantissa=np.array([[[1, 0], [2, 3]]]), bias_exponent=np.zeros((1, 2, 2), np.int64))
    net = network()
    graph = build_graph([biased, *net.populations[1:]], net.projections)
    assert counted(replace(net, graph=graph))["leaky"].bias_additions == 3 * T


@pytest.mark.parametrize(("output_steps", "busy"), [(1, [4, 2, 1]), (2, [5, 3, 2]), (3, [5, 4, 3]), (4, [5, 4, 4])])
def test_steps_that_are_over_when_the_chip_is_stopped(output_steps, busy):
    """The output fires in global steps 3 to 6; the paced neurons are busy from 0 to 4, the maximum from 2 to 5."""
    steps = population_steps(network(), np.array([output_steps]), T)
    assert [steps[name].tolist() for name in ("leaky", "pool", "out")] == [[one] for one in busy]
    counts = counted(network(), steps)
    assert counts["leaky"].neuron_updates == 4 * busy[0]
    assert counts["leaky"].input_additions == 4 * min(busy[0], T)
