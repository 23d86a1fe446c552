"""Random small networks: every kind of connectivity, neuron, reset, delay and saturation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from mapping.connectivity import Connectivity, tap_table
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph

WIDE = 2**23 - 1
CHANNELS = (4, 2, 6, 3, 1)


class Chooser:
    """Draws the structure from hypothesis, which shrinks it, and the arrays from a seed."""

    def __init__(self, draw):
        self._draw = draw
        self._random = np.random.default_rng(draw(st.integers(0, 2**31)))

    def integer(self, low, high):
        return self._draw(st.integers(low, high))

    def one_of(self, *options):
        return self._draw(st.sampled_from(options))

    def array(self, shape, low, high):
        return self._random.integers(low, high, size=shape, endpoint=True)

    def floats(self, shape):
        return self._random.normal(size=shape).astype(np.float32)

    def channel_range(self, size):
        if self.integer(0, 2):
            return (0, size)
        start = self.integer(0, size - 1)
        return (start, self.integer(start + 1, size))


def convolution_axis(choose, source):
    """Kernel, stride, padding and dilation along one axis: (target size, table)."""
    kernel = choose.integer(1, min(3, source))
    dilation = choose.integer(1, 2) if 2 * (kernel - 1) < source else 1
    stride, padding = choose.integer(1, 2), choose.integer(0, kernel - 1)
    target = (source + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    return target, tap_table(source, target, kernel, stride, padding, dilation)


def free_axis(choose, source, target):
    """Index table for a given target size: nearest upsampling, or any table."""
    if choose.one_of(True, False):
        return (np.arange(target) * source // target)[:, None].astype(np.int32)
    return choose.array((target, choose.integer(1, 2)), -1, source - 1).astype(np.int32)


def target_tables(choose, source):
    """Tables that decide the size of a new target: ordinary convolution, dense, or upsampling."""
    kind = choose.one_of("convolution", "dense", "upsample")
    if kind == "dense":
        return tuple(np.arange(size, dtype=np.int32)[None] for size in source[1:])
    if kind == "upsample":
        return tuple((np.arange(2 * size) // 2)[:, None].astype(np.int32) for size in source[1:])
    return tuple(convolution_axis(choose, size)[1] for size in source[1:])


def connectivity(choose, source, channels, tables, *, sub_ranges=True):
    target = (channels, tables[0].shape[0], tables[1].shape[0])
    source_channels = choose.channel_range(source[0]) if sub_ranges else (0, source[0])
    target_channels = choose.channel_range(channels) if sub_ranges else (0, channels)
    counts = [stop - start for start, stop in (source_channels, target_channels)]
    divisors = [groups for groups in range(6, 0, -1) if all(count % groups == 0 for count in counts)]
    groups = choose.one_of(*divisors)
    return Connectivity(source, target, *tables, source_channels, target_channels, groups)


def population(choose, name, shape, start_step, *, is_output):
    channels = shape[0]
    reset = choose.one_of("subtract", "subtract", "zero", "none")
    negative = choose.array(channels, 1, 30) if reset != "none" and choose.one_of(True, False) else None
    bias_shape = choose.one_of((channels, 1, 1), shape)
    return Population(
        name=name,
        shape=shape,
        reset=reset,
        threshold=choose.array(channels, 1, 30) * (reset != "none"),
        negative_threshold=negative,
        bias_mantissa=choose.array(bias_shape, -5, 10),
        bias_exponent=choose.array(bias_shape, 0, 2),
        initial_potential=choose.array(channels, -20, 40),
        start_step=start_step,
        scale=np.ones(channels),
        is_output=is_output,
    )


def input_projection(choose, input_shape):
    tables = target_tables(choose, input_shape)
    table = connectivity(choose, input_shape, choose.one_of(*CHANNELS), tables)
    return InputProjection(
        "input",
        "population 0",
        table,
        choose.array(table.weight_shape, -40, 40),
        weight_fraction_bits=choose.integer(0, 3),
        input_fraction_bits=choose.integer(0, 4),
    )


def projection(choose, name, source, target_name, table, delay):
    return Projection(
        name,
        source.name,
        target_name,
        table,
        choose.array(table.weight_shape, -9, 9).astype(np.int32),
        weight_exponent=choose.integer(-1, 2),
        weight_bits=8,
        sign_mode="mixed",
        delay=delay,
    )


def late(choose, name, source, target, *, lag_min):
    """A projection by which spikes come at least so many steps late, whichever window starts first."""
    tables = tuple(free_axis(choose, source.shape[axis], target.shape[axis]) for axis in (1, 2))
    table = connectivity(choose, source.shape, target.shape[0], tables)
    shortest = max(target.start_step - source.start_step - 1 + lag_min, 0)
    return projection(choose, name, source, target.name, table, shortest + choose.integer(0, 2))


@st.composite
def networks(draw):
    """A feed-forward network whose populations have one to three projections from earlier ones."""
    choose = Chooser(draw)
    input_shape = (choose.integer(1, 4), choose.integer(1, 4), choose.integer(1, 4))
    first_input = input_projection(choose, input_shape)
    count = choose.integer(1, 4)
    populations = [
        population(
            choose, "population 0", first_input.connectivity.target_shape, choose.integer(0, 2), is_output=count == 1
        )
    ]
    projections = []
    for index in range(1, count):
        name = f"population {index}"
        sources = [choose.one_of(*populations) for _ in range(choose.integer(1, 3))]
        start = max(source.start_step for source in sources) + 1 + choose.integer(0, 1)
        tables = target_tables(choose, sources[0].shape)
        table = connectivity(choose, sources[0].shape, choose.one_of(*CHANNELS), tables)
        shape = table.target_shape
        for number, source in enumerate(sources):
            if number:
                free = tuple(free_axis(choose, source.shape[axis], shape[axis]) for axis in (1, 2))
                table = connectivity(choose, source.shape, shape[0], free)
            delay = start - source.start_step - 1
            projections.append(projection(choose, f"{name} from {number}", source, name, table, delay))
        is_output = index == count - 1 or choose.integer(0, 3) == 0
        populations.append(population(choose, name, shape, start, is_output=is_output))
    return ChipNetwork(
        input_shape=input_shape,
        timesteps=choose.integer(1, 5),
        synapse_exponent=1,
        threshold_exponent=0,
        state_max=choose.one_of(WIDE, 30, 100),
        bias_mantissa_max=choose.one_of(4095, 31),
        bias_exponent_max=7,
        graph=build_graph(populations, projections),
        input_projections=(first_input,),
    )


@st.composite
def cyclic_networks(draw):
    """A network with one or two projections more, from a population to itself or to an earlier one."""
    choose = Chooser(draw)
    network = draw(networks())
    projections = list(network.projections)
    for number in range(choose.integer(1, 2)):
        index = choose.integer(0, len(network.populations) - 1)
        source, target = network.populations[index], network.populations[choose.integer(0, index)]
        projections.append(late(choose, f"back {number}", source, target, lag_min=1))
    return replace(network, graph=build_graph(network.populations, projections))


@st.composite
def stock_networks(draw):
    """A chain that Lava's own processes can carry: reset to zero, everything in steps of 64."""
    choose = Chooser(draw)
    input_shape = (choose.integer(1, 4), choose.integer(1, 4), choose.integer(1, 4))
    step = 64
    shape, populations, projections = input_shape, [], []
    count = choose.integer(2, 4)
    for index in range(count):
        kind = choose.one_of("convolution", "dense")
        tables = (
            tuple(np.arange(size, dtype=np.int32)[None] for size in shape[1:])
            if kind == "dense"
            else tuple(convolution_axis(choose, size)[1] for size in shape[1:])
        )
        table = connectivity(choose, shape, choose.one_of(*CHANNELS), tables)
        shape, name, channels = table.target_shape, f"population {index}", table.target_shape[0]
        if index == 0:
            first_input = InputProjection("input", name, table, choose.array(table.weight_shape, -3, 3) * step, 0, 0)
        else:
            largest = choose.one_of(9, 127)
            weights = choose.array(table.weight_shape, -largest, largest).astype(np.int32)
            exponent = choose.integer(0, 1)
            source = f"population {index - 1}"
            projections.append(Projection(f"to {name}", source, name, table, weights, exponent, 8, "mixed"))
        reset = "none" if index == count - 1 and choose.one_of(True, False) else "zero"
        threshold = np.full(channels, (choose.integer(0, 12) * step + 1) * (reset == "zero"))
        bias = choose.array((channels, 1, 1), -1, 3) * choose.integer(0, 1)
        initial = choose.array(channels, -2, 5) * step * choose.integer(0, 1)
        populations.append(
            Population(
                name,
                shape,
                reset,
                threshold,
                None,
                bias,
                np.full_like(bias, 6),
                initial,
                index,
                np.ones(channels),
                is_output=index == count - 1,
            )
        )
    graph = build_graph(populations, projections)
    return ChipNetwork(input_shape, choose.integer(1, 5), 6, 6, WIDE, 2**13, 7, graph, (first_input,))


@st.composite
def samples_for(draw, network, largest=5):
    count = largest - draw(st.integers(0, largest - 1))  # shrinks to many: more than one window
    seed = draw(st.integers(0, 2**31))
    return (2 * np.random.default_rng(seed).normal(size=(count, *network.input_shape))).astype(np.float32)
