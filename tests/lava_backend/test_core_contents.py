"""What each core holds: together every synapse of the network once, and each only those into its own neurons."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapping.connectivity import Connectivity, tap_table
from mapping.network import Projection, build_graph
from mapping.tiles import Tile
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.errors import BackendError
from nmdeploy.lava.core_contents import core_contents

from .networks import cyclic_networks, networks
from .reference import synapses
from .tilings import placed, placements
from .worked_example import worked_example


def boxed(slices, box):
    """Neurons (channel, row, column) of the population, by their place in an array (channel, row, column)."""
    rows, columns, channels = slices
    first = (box.channels[0] + channels.start, box.rows[0] + rows.start, box.columns[0] + columns.start)
    return {
        (c, y, x): (first[0] + c, first[1] + y, first[2] + x)
        for c in range(channels.stop - channels.start)
        for y in range(rows.stop - rows.start)
        for x in range(columns.stop - columns.start)
    }


def held_synapses(part, contents):
    """(source neuron, target neuron, weight) of each synapse of a slice that some core delivers spikes to."""
    sources = {}
    for delivery in part.deliveries:
        assert delivery.tile in contents[delivery.core].tiles
        rows, columns, channels = delivery.place
        for (c, y, x), neuron in boxed(delivery.taken, delivery.tile.tile).items():
            place = (channels.start + c, rows.start + y, columns.start + x)
            assert place not in sources
            sources[place] = neuron
    first = part.target.tile
    start = (first.channels[0], first.rows[0], first.columns[0])
    return [
        (sources[source], tuple(a + b for a, b in zip(start, target, strict=True)), weight)
        for source, target, weight in synapses(part.connectivity, part.weights)
    ]


def assert_every_synapse_once(network, placement):
    contents = core_contents(network, placement)
    held = Counter()
    for content in contents:
        for part in content.synapses:
            assert part.target in content.tiles
            assert part.connectivity.problems() == []
            assert part.weights.shape == part.connectivity.weight_shape
            target, source = part.target.tile.population, part.deliveries[0].tile.tile.population
            for synapse in held_synapses(part, contents):
                held[source, target, part.shift, part.delay, synapse] += 1
    expected = Counter(
        (projection.source, projection.target, network.shift(projection), projection.delay, synapse)
        for projection in network.projections
        for synapse in synapses(projection.connectivity, projection.weights)
    )
    assert held == expected


def assert_senders_are_those_with_synapses(network, placement):
    core_of = {
        (tile.population, c, y, x): number
        for number, core in enumerate(placement.cores)
        for tile in core.tiles
        for c in range(*tile.channels)
        for y in range(*tile.rows)
        for x in range(*tile.columns)
    }
    routes = {
        (core_of[(projection.source, *source)], core_of[(projection.target, *target)])
        for projection in network.projections
        for source, target, _ in synapses(projection.connectivity, projection.weights)
    }
    contents = core_contents(network, placement)
    assert {(sender, number) for number, content in enumerate(contents) for sender in content.senders} == routes


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_synapse_lies_once_on_the_core_of_its_target(data):
    network = data.draw(st.one_of(networks(), cyclic_networks()))
    placement = data.draw(placements(network))
    assert_every_synapse_once(network, placement)
    assert_senders_are_those_with_synapses(network, placement)


def one_convolution(out, groups, stride):
    """From a population of six channels, six rows and six columns, by a kernel of one row and two columns."""
    rows, columns = tap_table(6, 6 // stride, 1, stride), tap_table(6, 6 // stride, 2, stride, 1)
    source = (6, 6, 6)
    table = Connectivity(source, (out, len(rows), len(columns)), rows, columns, (0, 6), (0, out), groups)
    weights = np.arange(1, 1 + np.prod(table.weight_shape), dtype=np.int32).reshape(table.weight_shape)
    example = worked_example()
    populations = [
        replace(population, name=name, shape=shape)
        for population, name, shape in zip(
            example.populations, ("source", "target"), (source, table.target_shape), strict=True
        )
    ]
    projection = Projection("between", "source", "target", table, weights, 0, 8, "mixed")
    return replace(example, graph=build_graph(populations, [projection]))


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_channels_cut_within_and_across_groups(groups):
    network = one_convolution(6, groups, stride=1)
    whole = ((0, 6), (0, 6))
    for start, stop in combinations(range(7), 2):
        cuts = sorted({0, start, stop, 6})
        tiles = [[Tile(name, channels, *whole)] for name in ("source", "target") for channels in pairwise(cuts)]
        assert_every_synapse_once(network, placed(tiles))
        assert_senders_are_those_with_synapses(network, placed(tiles))


@pytest.mark.parametrize("axis", [1, 2])
def test_rows_and_columns_that_a_stride_leaves_out(axis):
    network = one_convolution(2, 1, stride=3)
    tiles = [[Tile("target", *((0, size) for size in network.population("target").shape))]]
    for index in range(6):
        box = [(0, 6), (0, 6), (0, 6)]
        box[axis] = (index, index + 1)
        tiles.append([Tile("source", *box)])
    assert_every_synapse_once(network, placed(tiles))
    assert_senders_are_those_with_synapses(network, placed(tiles))


def test_compiled_cores_hear_of_those_that_the_placement_routes_to_them(digits_artifact):
    artifact = read_artifact(digits_artifact)
    addresses = [core.address for core in artifact.placement.cores]
    routed = {
        (number, addresses.index(target))
        for number, core in enumerate(artifact.placement.cores)
        for target in core.targets
    }
    contents = core_contents(artifact.network, artifact.placement)
    assert {(sender, number) for number, content in enumerate(contents) for sender in content.senders} == routed
    assert len(routed) > 5


HIDDEN, OUT = Tile("hidden", (0, 4), (0, 1), (0, 1)), Tile("out", (0, 2), (0, 1), (0, 1))


@pytest.mark.parametrize(
    ("cores", "what"),
    [
        ([[HIDDEN]], "out: the placement holds 2 neurons on no core, or on several"),
        ([[HIDDEN, OUT], [Tile("out", (1, 2), (0, 1), (0, 1))]], "out: the placement holds 1 neurons"),
        ([[HIDDEN, OUT, Tile("out", (2, 3), (0, 1), (0, 1))]], "is not in the network"),
        ([[HIDDEN, OUT, Tile("other", (0, 1), (0, 1), (0, 1))]], "is not in the network"),
    ],
)
def test_placements_of_another_network_are_refused(cores, what):
    with pytest.raises(BackendError, match=what):
        core_contents(worked_example(), placed(cores))
