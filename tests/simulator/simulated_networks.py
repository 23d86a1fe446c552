"""Random small networks with cycles, and weights for every kernel of the simulator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from counting_networks import counting_networks
from hypothesis import strategies as st
from integer_networks import input_projection, network, one_to_one, population, projection, whole
from lava_backend.networks import Chooser, connectivity, late, networks

from mapping.connectivity import Connectivity, tap_table
from mapping.network import build_graph


@st.composite
def cyclic_networks(draw):
    """A feed-forward network with up to two projections more, from anywhere to anywhere."""
    choose = Chooser(draw)
    net = draw(networks())
    projections = [widened(choose, one) for one in net.projections]
    for number in range(choose.integer(0, 2)):
        source, target = (choose.integer(0, len(net.populations) - 1) for _ in range(2))
        ends = net.populations[source], net.populations[target]
        projections.append(late(choose, f"late {number}", *ends, lag_min=int(source >= target)))
    graph = build_graph(net.populations, projections)
    return replace(net, graph=graph, state_max=choose.one_of(net.state_max, 2**40))


def widened(choose, one):
    """Weights within 8 bits, a little above, or above what float32 holds; mostly as they are."""
    largest = choose.one_of(None, None, 127, 255, 2**23)
    if largest is None:
        return one
    return replace(one, weights=choose.array(one.weights.shape, -largest, largest).astype(np.int32))


@st.composite
def residual_networks(draw):
    """Convolutions, shortcuts and recurrent convolutions of neurons that the compiled paths take; they spike often."""
    choose = Chooser(draw)
    size = choose.integer(3, 5)
    shape = (choose.one_of(4, 2), size, size)
    inputs = [input_projection("p0", one_to_one(shape), choose.array(shape[0], 1, 9))]
    populations, projections = [integrator(choose, 0, shape, 20)], []
    for index in range(1, choose.integer(2, 3)):
        source, largest = populations[-1], choose.one_of(9, 127, 255)
        tables = [ordinary_axis(choose, source.shape[1])] * 2
        channels = choose.one_of(4, 2)
        table = connectivity(choose, source.shape, channels, tables, sub_ranges=choose.one_of(False, True))
        name, shape = f"p{index}", table.target_shape
        weights = choose.array(table.weight_shape, -largest, largest)
        projections.append(projection(source.name, name, table, weights))
        populations.append(integrator(choose, index, shape, largest))
        if choose.one_of(True, False):
            table = shortcut(source.shape, shape)
            weights = choose.array(table.weight_shape, -20, 99)
            projections.append(projection(source.name, name, table, weights, name=f"{name} shortcut"))
        if choose.one_of(True, False):
            near = tap_table(shape[1], shape[1], 3, padding=1)
            table = Connectivity(shape, shape, near, near, (0, channels), (0, channels))
            weights = choose.array(table.weight_shape, -largest, largest)
            late_by = choose.integer(0, 2)
            projections.append(projection(name, name, table, weights, name=f"{name} again", delay=late_by))
    readout = population(
        "readout", (3, 1, 1), reset="none", threshold=np.zeros(3, int), start_step=len(populations), is_output=True
    )
    table = whole(shape, readout.shape)
    weights = choose.array(table.weight_shape, -9, 9)
    projections.append(projection(populations[-1].name, "readout", table, weights))
    return network(
        [*populations, readout],
        projections,
        inputs,
        input_shape=populations[0].shape,
        timesteps=choose.integer(1, 6),
        state_max=choose.one_of(2**23 - 1, 2**23 - 1, 1000),
        synapse_exponent=choose.integer(0, 2),
    )


def integrator(choose, index, shape, largest):
    channels = shape[0]
    return population(
        f"p{index}",
        shape,
        reset=choose.one_of("subtract", "zero"),
        threshold=choose.array(channels, 1, 2 * largest),
        bias_mantissa=choose.array((channels, 1, 1), -5, largest),
        initial_potential=choose.array(channels, 0, largest),
        start_step=index,
    )


def ordinary_axis(choose, source):
    """Index table of a convolution along an axis of three or more."""
    kernel, stride, padding, dilation = (choose.integer(1, most) for most in (3, 2, 2, 2))
    reach = dilation * (kernel - 1)
    target = max((source + 2 * padding - reach - 1) // stride + 1, 1)
    return tap_table(source, target, kernel, stride, padding, dilation)


def shortcut(source, target):
    """Channel by channel, every so many rows and columns; nothing where the target is wider."""
    step = -(-source[1] // target[1])
    places = np.arange(target[1]) * step
    places = np.where(places < source[1], places, -1)[:, None].astype(np.int32)
    channels = min(source[0], target[0])
    first = target[0] - channels
    return Connectivity(source, target, places, places, (0, channels), (first, target[0]), channels)


@st.composite
def classifiers(draw):
    """With cycles or leads: one or two populations of which an output of few classes and small weights reads."""
    choose = Chooser(draw)
    net = draw(cyclic_networks() | counting_networks())
    populations = [replace(one, is_output=False) for one in net.populations]
    last = choose.one_of(*populations)
    before = [one for one in populations if one.firing_start_step <= last.firing_start_step]
    sources = [last, choose.one_of(*before)]
    classes, largest_bias = choose.integer(1, 3), choose.one_of(9, 60)
    readout = population(
        "readout",
        (classes, 1, 1),
        reset="none",
        threshold=np.zeros(classes, np.int64),
        bias_mantissa=choose.array((classes, 1, 1), -largest_bias, largest_bias),
        start_step=last.firing_start_step + 1,
        scale=choose.array(classes, 1, 8) / 4,
        is_output=True,
    )
    projections = list(net.projections)
    for number, source in enumerate(sources):
        table = whole(source.shape, readout.shape)
        weights = choose.array(table.weight_shape, -1, 1)
        delay = readout.start_step - source.firing_start_step - 1 + choose.integer(0, 1)
        projections.append(
            projection(source.name, "readout", table, weights, name=f"read {number}", weight_exponent=-1, delay=delay)
        )
    return replace(net, timesteps=choose.integer(1, 12), graph=build_graph([*populations, readout], projections))
