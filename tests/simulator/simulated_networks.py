"""Random small networks with cycles, and weights for every kernel of the simulator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from integer_networks import population, projection, whole
from lava_backend.networks import Chooser, connectivity, free_axis, networks
from lava_backend.networks import projection as random_projection

from mapping.network import build_graph


@st.composite
def cyclic_networks(draw):
    """A feed-forward network with up to two projections more, from anywhere to anywhere."""
    choose = Chooser(draw)
    net = draw(networks())
    projections = [widened(choose, one) for one in net.projections]
    for number in range(choose.integer(0, 2)):
        projections.append(late(choose, net.populations, f"late {number}"))
    graph = build_graph(net.populations, projections)
    return replace(net, graph=graph, state_max=choose.one_of(net.state_max, 2**40))


def widened(choose, one):
    """Weights within 8 bits, a little above, or above what float32 holds; mostly as they are."""
    largest = choose.one_of(None, None, 127, 255, 2**23)
    if largest is None:
        return one
    return replace(one, weights=choose.array(one.weights.shape, -largest, largest).astype(np.int32))


def late(choose, populations, name):
    """A projection whose spikes come one or more steps later than in a balanced path, if need be to itself."""
    source, target = (choose.integer(0, len(populations) - 1) for _ in range(2))
    back = source >= target
    source, target = populations[source], populations[target]
    tables = tuple(free_axis(choose, source.shape[axis], target.shape[axis]) for axis in (1, 2))
    table = connectivity(choose, source.shape, target.shape[0], tables)
    shortest = max(target.start_step - source.start_step - 1 + back, 0)
    return random_projection(choose, name, source, target.name, table, shortest + choose.integer(0, 2))


@st.composite
def classifiers(draw):
    """A network with cycles, one or two populations of which an output of few classes and small weights reads."""
    choose = Chooser(draw)
    net = draw(cyclic_networks())
    populations = [replace(one, is_output=False) for one in net.populations]
    last = choose.one_of(*populations)
    sources = [last, choose.one_of(*(one for one in populations if one.start_step <= last.start_step))]
    classes, largest_bias = choose.integer(1, 3), choose.one_of(9, 60)
    readout = population(
        "readout",
        (classes, 1, 1),
        reset="none",
        threshold=np.zeros(classes, np.int64),
        bias_mantissa=choose.array((classes, 1, 1), -largest_bias, largest_bias),
        start_step=last.start_step + 1,
        scale=choose.array(classes, 1, 8) / 4,
        is_output=True,
    )
    projections = list(net.projections)
    for number, source in enumerate(sources):
        table = whole(source.shape, readout.shape)
        weights = choose.array(table.weight_shape, -1, 1)
        delay = readout.start_step - source.start_step - 1 + choose.integer(0, 1)
        projections.append(
            projection(source.name, "readout", table, weights, name=f"read {number}", weight_exponent=-1, delay=delay)
        )
    return replace(net, timesteps=choose.integer(1, 12), graph=build_graph([*populations, readout], projections))
