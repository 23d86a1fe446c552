"""The convolution of 128 x 16 x 16 by 3 x 3 in its three forms, and long and wide paths, each with exact numbers."""

from __future__ import annotations

from collections import Counter

import crossbar_networks as networks
import crossbar_strategies as strategies
import mapping_networks
import numpy as np
import pytest

from mapping.connectivity import Connectivity
from mapping.crossbar_bounds import crossbar_core_bound
from mapping.crossbar_mapping import map_crossbars
from mapping.crossbar_program import TO_HOST
from mapping.crossbar_schedule import scheduled
from nmdeploy.simulator import simulate


def cores_of(found):
    """Number of cores that hold neurons of each population."""
    return Counter(name for core in found.placement.cores for name in {tile.population for tile in core.tiles})


@pytest.mark.parametrize(
    ("groups", "axon_types", "cores", "neurons", "copies"),
    [(16, (0, 1), 1024, 32, 8), (32, (0, 1, 2, 3), 2048, 16, 16)],
)
def test_grouped_convolution(groups, axon_types, cores, neurons, copies):
    network = networks.convolutions(2, groups=groups, axon_types=axon_types)
    found = map_crossbars(network, strategies.TRUENORTH)
    assert cores_of(found) == {"conv1": cores, "conv2": cores}
    assert len(found.placement.cores) == 2 * cores
    first = [core for core in found.placement.cores if core.tiles[0].population == "conv1"]
    assert {core.tiles[0].neuron_count for core in first} == {neurons}
    assert max(core.demands.axons for core in first) == 256
    assert max(core.demands.neurons for core in first) == 256
    columns = found.program.columns
    of_first = found.network.populations[columns.population[0]].name
    assert of_first == "conv1"
    per_neuron = np.bincount(columns.neuron[columns.population == columns.population[0]])
    assert per_neuron.max() == copies
    assert crossbar_core_bound(network, strategies.TRUENORTH) > 0.75 * 2 * cores


def test_convolution_in_parts_by_sign():
    network = networks.convolutions_in_parts(2)
    found = map_crossbars(network, strategies.TRUENORTH)
    counts = cores_of(found)
    for layer in ("conv1", "conv2"):
        assert sum(cores for name, cores in counts.items() if name.startswith(f"{layer}.")) == 2048
        assert counts[layer] == 2048
    assert len(found.placement.cores) == 8192
    assert {one.name for one in found.network.populations} == {one.name for one in network.populations}
    sums = [core for core in found.placement.cores if core.tiles[0].population == "conv1"]
    assert {core.demands.axons for core in sums} == {256}


def test_neurons_that_drive_more_axons_than_a_core_has_columns_get_relays_of_relays():
    source, reader = networks.population("source", (2, 1, 1)), networks.population("reader", (100, 1, 1))
    first = networks.host_source("input", (2, 1, 1))
    dense = mapping_networks.flatten_dense(source.shape, 100)
    projections = [
        networks.projection(first, source, mapping_networks.flatten_dense(first.shape, 2)),
        networks.projection(source, reader, dense),
        networks.projection(
            reader, networks.counter("counts", (1, 1, 1)), mapping_networks.flatten_dense((100, 1, 1), 1)
        ),
    ]
    network = networks.network([first, source, reader, networks.counter("counts", (1, 1, 1))], projections)
    found = map_crossbars(network, strategies.crossbars(16, 5))
    # 20 cores of readers, two axons of each source neuron in each: 40 columns, 5 a core, so relays of 8 relays or more
    depth = {"input": 0, "source": 0}
    for population in found.network.populations[2:]:
        depth[population.name] = 1 + max(depth[one.source] for one in found.network.incoming(population.name))
    assert (
        depth["reader"] == found.network.population("reader").start_step - found.network.population("source").start_step
    )
    assert depth["reader"] >= 3
    columns = found.program.columns
    per_neuron = Counter(zip(columns.population.tolist(), columns.neuron.tolist(), strict=True))
    assert max(per_neuron.values()) <= 5


def test_relays_read_neurons_between_those_that_their_parts_read():
    shape, first = (1, 1, 3), networks.host_source("input", (1, 1, 3))
    source, reader = networks.population("source", shape), networks.population("reader", (45, 1, 1))
    counts = networks.counter("counts", (1, 1, 1))
    rows = np.array([[0]], dtype=np.int32)
    outer, middle = (np.array([columns], dtype=np.int32) for columns in ([0, 2], [1]))
    projections = [
        networks.projection(first, source, mapping_networks.shortcut(shape, shape), (0,)),
        networks.projection(source, reader, Connectivity(shape, reader.shape, rows, outer, (0, 1), (0, 45)), (0,)),
        networks.projection(source, counts, Connectivity(shape, counts.shape, rows, middle, (0, 1), (0, 1))),
    ]
    found = map_crossbars(networks.network([first, source, reader, counts], projections), strategies.crossbars(6, 5))
    # 9 cores of readers, which no neuron reaches by its 5 columns: two relays, each of all three neurons
    relays = [one for one in found.network.populations if one.name not in ("input", "source", "reader", "counts")]
    assert [one.shape for one in relays] == [shape, shape]
    of_source = [one.name for one in found.network.populations].index("source")
    columns = found.program.columns
    assert np.bincount(columns.neuron[columns.population == of_source]).tolist() == [2, 3, 2]
    assert max(core.demands.neurons for core in found.placement.cores) <= 5


def chain(length, skip_from_host=False):
    """Layers one after another, and a shortcut around all of them but the first: a cycle if there is one only."""
    shape = (3, 1, 1)
    populations = [networks.host_source("input", shape)]
    projections = []
    identity = mapping_networks.shortcut(shape, shape)
    for number in range(length):
        populations.append(networks.population(f"p{number}", shape))
        projections.append(networks.projection(*populations[-2:], identity, (0,), seed=number))
    start = populations[1]
    if skip_from_host:
        start = networks.population("beside", shape)
        projections.append(networks.projection(populations[0], start, identity, (0,)))
        populations.insert(1, start)
    projections.append(networks.projection(start, populations[-1], identity, (0,), "skip"))
    counts = networks.counter("counts", (2, 1, 1))
    projections.append(networks.projection(populations[-1], counts, mapping_networks.flatten_dense(shape, 2)))
    return networks.network([*populations, counts], projections)


@pytest.mark.parametrize(("length", "relays"), [(16, 0), (17, 1), (31, 1), (32, 2)])
def test_a_long_shortcut_gets_no_more_relays_than_it_needs(length, relays):
    network = chain(length)
    found = map_crossbars(network, strategies.TRUENORTH)
    assert len(found.network.populations) == len(network.populations) + relays
    assert max(one.delay for one in found.network.projections) <= 14
    assert found.program.columns.delay.max() <= 15
    assert found.network.latency_steps == network.timesteps + length + 1


def test_spikes_are_held_for_the_shortest_delay_that_there_is():
    found = map_crossbars(chain(6), strategies.crossbars(64, 64, delay_min=3))
    delays = {one.name: 1 + one.delay for one in found.network.projections}
    assert delays == {"input-p0": 1, **{f"p{one}-p{one + 1}": 3 for one in range(5)}, "p5-counts": 3, "skip": 15}


def test_cycles_are_refused():
    with pytest.raises(ValueError, match="cycle"):
        scheduled(chain(1), strategies.TRUENORTH)


def test_what_waits_for_a_longer_path_starts_later_rather_than_holds_its_spikes():
    network = chain(20, skip_from_host=True)
    found = map_crossbars(network, strategies.TRUENORTH)
    assert [one.name for one in found.network.populations] == [one.name for one in network.populations]
    skip = next(one for one in found.network.projections if one.name == "skip")
    assert skip.delay <= 14
    assert found.network.population("beside").start_step > 1


def test_constant_sources_start_as_late_as_they_can():
    network = chain(5)
    constant = networks.constant_source("constant")
    last = network.population("p4")
    bias = networks.projection(constant, last, mapping_networks.flatten_dense((1, 1, 1), 3), (2,))
    network = networks.network(
        [*network.populations[:1], constant, *network.populations[1:]], [*network.projections, bias]
    )
    found = map_crossbars(network, strategies.TRUENORTH)
    starts = {one.name: one.start_step for one in found.network.populations}
    assert starts["constant"] == starts["p4"] - 1
    assert starts["input"] == 0
    samples = strategies.samples(network)
    assert simulate(found.network, samples, engine="numpy").spike_counts["constant"].max() == network.timesteps


def test_what_only_a_constant_source_drives_starts_at_the_second_step():
    network = chain(2)
    constant, alone = networks.constant_source("constant"), networks.population("alone", (3, 1, 1))
    bias = networks.projection(constant, alone, mapping_networks.flatten_dense((1, 1, 1), 3), (0,))
    network = networks.network([*network.populations, constant, alone], [*network.projections, bias])
    starts = {one.name: one.start_step for one in scheduled(network, strategies.TRUENORTH).populations}
    assert starts["constant"] == 0
    assert starts["alone"] == 1


def test_a_neuron_that_nobody_reads_has_one_column():
    network = chain(2)
    alone = networks.population("alone", (3, 1, 1))
    identity = mapping_networks.shortcut((3, 1, 1), (3, 1, 1))
    projections = [*network.projections, networks.projection(network.populations[0], alone, identity, (0,))]
    network = networks.network([*network.populations, alone], projections)
    found = map_crossbars(network, strategies.TRUENORTH)
    columns = found.program.columns
    number = [one.name for one in found.network.populations].index("alone")
    mine = columns.population == number
    assert columns.neuron[mine].tolist() == [0, 1, 2]
    assert set(columns.target_core[mine].tolist()) == {TO_HOST}
    assert len(found.placement.cores) == 1
