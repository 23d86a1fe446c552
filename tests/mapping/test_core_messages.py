"""A source neuron sends one message to a core, however many tiles of its targets lie there."""

from collections import defaultdict

import mapping_networks as networks
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_strategies import connectivities, shapes
from synapse_oracle import inside, list_synapses

from mapping.axis_reach import ProjectionReach
from mapping.messages import TiledProjection
from mapping.regular_tiling import Tiling


@st.composite
def tilings(draw, name, shape):
    return Tiling(name, shape, tuple(draw(st.integers(1, size)) for size in shape))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_messages_between_cores_are_those_of_the_synapses(data):
    shape, target_shape = data.draw(shapes()), data.draw(shapes())
    projection = networks.projection("p", "a", "b", data.draw(connectivities(shape, target_shape)))
    source, target = data.draw(tilings("a", shape)), data.draw(tilings("b", target_shape))
    tiles = [*source.tiles(), *target.tiles()]
    cores = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(tiles), max_size=len(tiles))))
    tiled = TiledProjection(ProjectionReach(projection.connectivity), source, target, 0, source.count)
    found = tiled.core_messages(cores).summed()

    def core_of(name, neuron):
        return next(
            int(core)
            for tile, core in zip(tiles, cores, strict=True)
            if tile.population == name and inside(tile, neuron)
        )

    senders = defaultdict(set)
    for neuron, reached in {(item[0], item[1]) for item in list_synapses(projection)}:
        senders[core_of("a", neuron), core_of("b", reached)].add(neuron)
    pairs = zip(found.source.tolist(), found.target.tolist(), strict=True)
    assert dict(zip(pairs, found.count.tolist(), strict=True)) == {pair: len(of) for pair, of in senders.items()}
