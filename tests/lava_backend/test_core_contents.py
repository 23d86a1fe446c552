"""What each core holds: together every synapse of the network once, and each only those into its own neurons."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_synapse_lies_once_on_the_core_of_its_target(data):
    network = data.draw(st.one_of(networks(), cyclic_networks()))
    contents = core_contents(network, data.draw(placements(network)))
    held = Counter()
    for content in contents:
        for part in content.synapses:
            assert part.target in content.tiles
            target, source = part.target.tile.population, part.deliveries[0].tile.tile.population
            for synapse in held_synapses(part, contents):
                held[source, target, part.shift, part.delay, synapse] += 1
    expected = Counter(
        (projection.source, projection.target, network.shift(projection), projection.delay, synapse)
        for projection in network.projections
        for synapse in synapses(projection.connectivity, projection.weights)
    )
    assert held == expected


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_cores_hear_of_those_alone_whose_neurons_they_have_synapses_from(data):
    network = data.draw(st.one_of(networks(), cyclic_networks()))
    placement = data.draw(placements(network))
    contents = core_contents(network, placement)
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
    assert {(sender, number) for number, content in enumerate(contents) for sender in content.senders} == routes


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
