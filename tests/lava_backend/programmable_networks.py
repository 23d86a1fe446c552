"""Random small networks of every neuron model: count memories with and without leads, maxima over counts, others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from mapping.connectivity import Connectivity, tap_table
from mapping.network import ChipNetwork, Population, Projection, build_graph
from mapping.neuron_models import CountMemory, PoolCounts
from mapping.pool_taps import pool_weights

from .networks import (
    CHANNELS,
    WIDE,
    Chooser,
    connectivity,
    free_axis,
    input_projection,
    late,
    population,
    projection,
    target_tables,
)

SYNAPSE_EXPONENT = 1
LEAD_MAX = 3


@st.composite
def programmable_networks(draw, *, cyclic=False):
    """Three to five populations, all but the first fed by any earlier ones.

    Paths of different length are balanced; now and then a projection brings its spikes later than that. A cyclic
    network has no leads, and a projection from a population to itself or an earlier one. In windows with refinement
    steps all neurons that spike can take a spike back, and none are in the shift-only form.
    """
    choose = Chooser(draw)
    refinement = choose.one_of(0, 0, 1, 3)
    first_input = input_projection(choose, tuple(choose.integer(1, 4) for _ in range(3)))
    first_shape = first_input.connectivity.target_shape
    first = counting(choose, "population 0", first_shape, choose.integer(0, 2), leads=not cyclic)
    populations = [refining(first) if refinement else first]
    projections = []
    for index in range(1, choose.integer(3, 5)):
        name = f"population {index}"
        kind = choose.one_of("counting", "counting", "pool", "other")
        fed = pooled if kind == "pool" else integrating
        made, incoming = fed(choose, name, populations)
        if kind == "counting":
            made = counting(choose, name, made.shape, made.start_step, leads=not cyclic)
        populations.append(refining(made) if refinement else made)
        projections += incoming
    if cyclic:
        target = choose.one_of(*(one for one in populations if one.pool_counts is None))
        source = choose.one_of(*populations[populations.index(target) :])
        projections.append(late(choose, "back", source, target, lag_min=1))
    return ChipNetwork(
        input_shape=first_input.connectivity.source_shape,
        timesteps=choose.integer(1, 7),
        synapse_exponent=SYNAPSE_EXPONENT,
        threshold_exponent=0,
        state_max=choose.one_of(WIDE, WIDE, 50),
        bias_mantissa_max=4095,
        bias_exponent_max=7,
        graph=build_graph(populations, projections),
        input_projections=(first_input,),
        refinement_steps=refinement,
    )


def refining(one):
    """A population of the same windows that is at home in those with refinement steps."""
    if one.count_memory is not None:
        release = one.count_memory.release if one.count_memory.sends_negative else "half"
        return replace(one, count_memory=replace(one.count_memory, shift_only=False, release=release))
    return one if one.pool_counts is not None else replace(one, reset="none", negative_threshold=None)


def counting(choose, name, shape, start_step, *, leads):
    """Neurons with a count memory; those of a channel with a slope near 1 spike with both signs."""
    drawn = population(choose, name, shape, start_step, is_output=False)
    return replace(
        drawn,
        reset="subtract",
        threshold=choose.array(shape[0], 1, choose.one_of(30, 5)),
        negative_threshold=None,
        count_memory=count_memory(choose, shape[0], leads=leads),
    )


def count_memory(choose, channels, *, leads):
    """Every kind that `CountMemory.problems` finds nothing against."""
    kind = choose.one_of("paced", "shift-only", "signed") if leads else "signed"
    sloped = kind != "shift-only" and choose.one_of(False, True)
    slope_bits = choose.integer(2, 8)
    memory = CountMemory(
        lead=0 if kind == "signed" else choose.integer(0, LEAD_MAX),
        paced=kind != "signed",
        shift_only=kind == "shift-only",
        release="half" if sloped else choose.one_of("never", "half", "threshold"),
        slope_mantissa=choose.array(channels, 0, 2**slope_bits) if sloped else None,
        slope_bits=slope_bits,
    )
    assert memory.problems() == []
    return memory


def integrating(choose, name, earlier):
    """A population of fixed neurons, and its projections from one to three earlier populations."""
    sources = [choose.one_of(*earlier) for _ in range(choose.integer(1, 3))]
    start = start_after(choose, sources)
    tables = target_tables(choose, sources[0].shape)
    table = connectivity(choose, sources[0].shape, choose.one_of(*CHANNELS), tables)
    shape, incoming = table.target_shape, []
    for number, source in enumerate(sources):
        if number:
            free = tuple(free_axis(choose, source.shape[axis], shape[axis]) for axis in (1, 2))
            table = connectivity(choose, source.shape, shape[0], free)
        delay = start - source.firing_start_step - 1 + choose.one_of(0, 0, 0, 2)
        incoming.append(projection(choose, f"{name} from {number}", source, name, table, delay))
    return population(choose, name, shape, start, is_output=True), incoming


def pooled(choose, name, earlier):
    """A population of maxima over one earlier population, or over several on channels of their own."""
    first = choose.one_of(*earlier)
    alike = [one for one in earlier if one.shape[1:] == first.shape[1:]]
    sources = [first, *(choose.one_of(*alike) for _ in range(choose.integer(0, 1)))]
    ranges = [choose.channel_range(source.shape[0]) for source in sources]
    silent = choose.integer(0, 1)  # a channel that nothing reaches
    channels = silent + sum(stop - begin for begin, stop in ranges)
    start = start_after(choose, sources)
    base = 4 if any(source.sends_negative for source in sources) else choose.one_of(2, 4)
    sizes = None
    incoming, begin = [], silent
    for number, (source, taken) in enumerate(zip(sources, ranges, strict=True)):
        tables = [pool_axis(choose, size) for size in source.shape[1:]]
        if sizes is None:
            sizes = tuple(len(table) for table in tables)
        elif sizes != tuple(len(table) for table in tables):  # windows of another size, but as many
            tables = [free_axis(choose, *ends) for ends in zip(source.shape[1:], sizes, strict=True)]
        end = begin + taken[1] - taken[0]
        table = Connectivity(source.shape, (channels, *sizes), *tables, taken, (begin, end), end - begin)
        delay = start - source.firing_start_step - 1 + choose.one_of(0, 0, 0, 1)
        incoming.append(pool_projection(f"{name} over {number}", source, name, table, base, delay))
        begin = end
    nothing = np.zeros(channels, dtype=np.int64)
    made = Population(
        name=name,
        shape=(channels, *sizes),
        reset="subtract",
        threshold=nothing,
        negative_threshold=None,
        bias_mantissa=nothing[:, None, None],
        bias_exponent=nothing[:, None, None],
        initial_potential=nothing,
        start_step=start,
        scale=np.ones(channels),
        pool_counts=PoolCounts(base),
    )
    return made, incoming


def pool_projection(name, source, target, table, base, delay):
    weights = pool_weights(table.weight_shape[2:], table.out_channels, base)
    return Projection(name, source.name, target, table, weights, -SYNAPSE_EXPONENT, 8, "excitatory", delay)


def pool_axis(choose, size):
    """Windows along one axis; some reach over the border, others overlap."""
    kernel = choose.integer(1, min(3, size))
    stride, padding = choose.integer(1, 2), choose.integer(0, kernel - 1)
    return tap_table(size, (size + 2 * padding - kernel) // stride + 1, kernel, stride, padding)


def start_after(choose, sources):
    return max(source.firing_start_step for source in sources) + 1 + choose.integer(0, 1)


def with_every_potential_an_output(network):
    """The same network, of which every potential is recorded; maxima over counts have none."""
    populations = [replace(one, is_output=one.pool_counts is None) for one in network.populations]
    return replace(network, graph=build_graph(populations, network.projections))
