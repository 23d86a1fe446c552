"""Legal programs of crossbars, made neuron by neuron: slow, obviously right, and without the mapper."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from mapping_networks import conv_connectivity, flatten_dense, shortcut

from hw_profiles import load_target
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.connectivity import Connectivity, tap_table
from mapping.crossbar_program import TO_HOST, Axons, Columns, CrossbarProgram
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.tiles import CrossbarDemands, Tile

TRUENORTH = load_target("truenorth")
TYPE_WEIGHTS = (1, 2, 4, -8)


@dataclass(frozen=True)
class Example:
    """What the verifier takes, and how neurons were laid on cores."""

    network: ChipNetwork
    placement: Placement
    program: CrossbarProgram
    profile: CrossbarProfile


def population(name, shape, start_step, on_host=False, output=False, scales=1):
    channels = shape[0]
    zeros = np.zeros(channels, dtype=np.int64)
    return Population(
        name=name,
        shape=shape,
        reset="none" if output else "subtract",
        threshold=zeros if output else zeros + 20,
        negative_threshold=None,
        bias_mantissa=(zeros if on_host else np.arange(channels) % 3 - 1).reshape(channels, 1, 1),
        bias_exponent=np.zeros((channels, 1, 1), dtype=np.int64),
        initial_potential=zeros if output else zeros + 10,
        start_step=start_step,
        scale=np.ones(channels),
        is_output=output,
        on_host=on_host,
        type_weights=None if on_host else np.outer(np.arange(channels) % scales + 1, TYPE_WEIGHTS),
    )


def projection(name, source, target, connectivity, axon_types, generator):
    """A projection with weights that the axons can give, drawn by chance."""
    shape = connectivity.weight_shape
    if not target.on_host:
        chosen = generator.integers(0, 2, (*shape, len(axon_types)))
        first, last = connectivity.target_channels
        of_axons = target.type_weights[first:last][:, list(axon_types)]
        weights = (chosen * of_axons[:, None, None, None, :]).sum(axis=-1)
    else:
        weights = generator.integers(-9, 9, shape)
    delay = target.start_step - source.start_step - 1
    types = () if target.on_host else tuple(axon_types)
    weights = weights.astype(np.int32)
    return Projection(name, source.name, target.name, connectivity, weights, 0, 8, "mixed", delay, types)


def small_network(generator):
    """Two populations of the host, three of the chip with a shortcut around one, and counters of two of them."""
    shape = (2, 3, 3)
    sensor = population("sensor", shape, 0, on_host=True)
    steady = population("steady", (1, 1, 1), 0, on_host=True)
    first = population("first", shape, 1, scales=2)
    second = population("second", (3, 2, 3), 2, scales=3)
    third = population("third", shape, 3)
    early = population("early", (2, 1, 1), 3, on_host=True, output=True)
    output = population("output", (2, 1, 1), 4, on_host=True, output=True)
    to_second = Connectivity(
        shape, second.shape, tap_table(3, 2, 2), tap_table(3, 3, 3, 1, 1), (0, 2), (0, 3), 1
    )
    bias = Connectivity((1, 1, 1), shape, np.zeros((3, 1), np.int32), np.zeros((3, 1), np.int32), (0, 1), (1, 2))
    back = Connectivity(
        second.shape, shape, tap_table(2, 3, 2, 1, 1), tap_table(3, 3, 1), (1, 3), (0, 2), 2
    )
    part_read = Connectivity(
        second.shape, (2, 1, 1), np.array([[0]], np.int32), np.array([[0, 2]], np.int32), (0, 2), (0, 2), 1
    )
    projections = [
        projection("sensor-first", sensor, first, conv_connectivity(shape, shape), (0, 1, 2, 3), generator),
        projection("steady-first", steady, first, bias, (1,), generator),
        projection("first-second", first, second, to_second, (0, 3), generator),
        projection("first-third", first, third, shortcut(shape, shape), (2,), generator),
        projection("second-third", second, third, back, (0, 0, 1), generator),
        projection("second-early", second, early, part_read, (), generator),
        projection("third-output", third, output, flatten_dense(shape, 2), (), generator),
    ]
    given = InputProjection(
        "sample", "sensor", Connectivity.identity(shape), np.ones((2, 1, 1, 1), dtype=np.int64), 4, 4
    )
    return network_of([sensor, steady, first, second, third, early, output], projections, (given,))


def network_of(populations, projections, inputs=()):
    return ChipNetwork(
        input_shape=(2, 3, 3),
        timesteps=8,
        synapse_exponent=0,
        threshold_exponent=0,
        state_max=TRUENORTH.number_formats.potential_max,
        bias_mantissa_max=TRUENORTH.number_formats.leak_max,
        bias_exponent_max=0,
        graph=build_graph(populations, projections),
        input_projections=inputs,
    )


def cut(size, generator):
    """Random intervals that cover an axis."""
    ends = sorted({0, size, *(generator.integers(0, size + 1, 2).tolist())})
    return list(pairwise(ends))


def random_tiles(network, generator):
    """Tiles of all populations on the chip, dealt to cores at random; every core gets at least one."""
    tiles = [
        Tile(item.name, *boxes)
        for item in network.populations
        if not item.on_host
        for boxes in product(*(cut(size, generator) for size in item.shape))
    ]
    order = generator.permutation(len(tiles))
    cores = int(generator.integers(1, len(tiles) + 1))
    dealt = [[tiles[order[core]]] for core in range(cores)]
    for tile in order[cores:]:
        dealt[generator.integers(0, cores)].append(tiles[tile])
    return dealt


def neurons_of_tile(network, tile):
    """Numbers of a tile's neurons within their population."""
    shape = network.population(tile.population).shape
    return [
        int(np.ravel_multi_index(place, shape))
        for place in product(range(*tile.channels), range(*tile.rows), range(*tile.columns))
    ]


def sources_of_neuron(projection, neuron):
    """Source neurons of one target neuron, by the formula of `Connectivity`."""
    connectivity = projection.connectivity
    channel, row, column = (int(index) for index in np.unravel_index(neuron, connectivity.target_shape))
    first, last = connectivity.target_channels
    if not first <= channel < last:
        return set()
    inputs = (connectivity.source_channels[1] - connectivity.source_channels[0]) // connectivity.groups
    group = (channel - first) // ((last - first) // connectivity.groups)
    found = set()
    for number, k, m in product(
        range(inputs), range(connectivity.rows.shape[1]), range(connectivity.columns.shape[1])
    ):
        source_row, source_column = int(connectivity.rows[row, k]), int(connectivity.columns[column, m])
        if source_row >= 0 and source_column >= 0:
            place = (connectivity.source_channels[0] + group * inputs + number, source_row, source_column)
            found.add(int(np.ravel_multi_index(place, connectivity.source_shape)))
    return found


def needed_axons(network, dealt):
    """Set of (core, number of projection, source neuron, copy), neuron by neuron."""
    found = set()
    for number, one in enumerate(network.projections):
        for core, tiles in enumerate(dealt):
            for tile in tiles:
                if tile.population == one.target and not network.population(one.target).on_host:
                    for neuron in neurons_of_tile(network, tile):
                        for source in sources_of_neuron(one, neuron):
                            found |= {(core, number, source, copy) for copy in range(len(one.axon_types))}
    return found


def read_by_host(network):
    """Set of (population, neuron) on the chip that the host reads."""
    found = set()
    for one in network.projections:
        target = network.population(one.target)
        if target.on_host and not network.population(one.source).on_host:
            for neuron in range(target.neuron_count):
                found |= {(one.source, source) for source in sources_of_neuron(one, neuron)}
    return found


def build_example(network, dealt, generator, profile=TRUENORTH):
    """Program and placement: axons and columns at random places of their cores."""
    names = [item.name for item in network.populations]
    projections = network.projections
    axon_rows, targets = [], defaultdict(list)
    by_core = defaultdict(list)
    for entry in sorted(needed_axons(network, dealt)):
        by_core[entry[0]].append(entry)
    for core, entries in sorted(by_core.items()):
        places = sorted(generator.choice(profile.crossbar.axons.value, len(entries), replace=False).tolist())
        generator.shuffle(entries)
        for axon, (_, number, source, copy) in zip(places, entries, strict=True):
            one = projections[number]
            axon_rows.append((core, axon, one.axon_types[copy], number, source, copy))
            if not network.population(one.source).on_host:
                targets[one.source, source].append((core, axon, 1 + one.delay))
    for name, neuron in sorted(read_by_host(network)):
        targets[name, neuron].append((TO_HOST, 0, 1 + delay_to_host(network, name)))
    column_rows, sent = [], defaultdict(set)
    for core, tiles in enumerate(dealt):
        rows = []
        for tile in tiles:
            for neuron in neurons_of_tile(network, tile):
                # what drives nothing has a column all the same
                aims = targets[tile.population, neuron] or [(TO_HOST, 0, 1 + delay_to_host(network, tile.population))]
                rows += [(names.index(tile.population), neuron, *aim) for aim in aims]
                sent[core] |= {aim[0] for aim in aims if aim[0] != TO_HOST}
        places = sorted(generator.choice(profile.crossbar.neurons.value, len(rows), replace=False).tolist())
        generator.shuffle(rows)
        column_rows += [(core, place, *row) for place, row in zip(places, rows, strict=True)]
    addresses = [CoreAddress(0, core % 64, core // 64, 0) for core in range(len(dealt))]
    generator.shuffle(addresses)
    records = tuple(
        CoreRecord(
            addresses[core],
            tuple(tiles),
            tuple(sorted(addresses[target] for target in sent[core])),
            CrossbarDemands(len(by_core[core]), sum(row[0] == core for row in column_rows)),
        )
        for core, tiles in enumerate(dealt)
    )
    return Example(network, Placement(records), CrossbarProgram(columns_of(column_rows), axons_of(axon_rows)), profile)


def delay_to_host(network, name):
    delays = [
        one.delay for one in network.projections if one.source == name and network.population(one.target).on_host
    ]
    return min(delays, default=0)


def columns_of(rows):
    core, column, number, neuron, target, axon, delay = (np.array(rows, dtype=np.int64).reshape(-1, 7)).T
    return Columns(
        core.astype(np.int32),
        column.astype(np.int16),
        number.astype(np.int16),
        neuron.astype(np.int32),
        target.astype(np.int32),
        axon.astype(np.int16),
        delay.astype(np.int16),
    )


def axons_of(rows):
    core, axon, kind, number, source, copy = (np.array(rows, dtype=np.int64).reshape(-1, 6)).T
    return Axons(
        core.astype(np.int32),
        axon.astype(np.int16),
        kind.astype(np.int8),
        number.astype(np.int16),
        source.astype(np.int32),
        copy.astype(np.int16),
    )


def example(seed):
    """A legal example; equal seeds give equal ones."""
    generator = np.random.default_rng(seed)
    network = small_network(generator)
    for _ in range(100):
        # a core that would need more than it has, has no places for it to be drawn from
        with suppress(ValueError):
            return build_example(network, random_tiles(network, generator), generator)
    raise AssertionError("no tiles that fit")
