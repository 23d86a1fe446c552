"""Random small networks of neurons with a count memory and of count-gated maxima, among others, with leads."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from integer_networks import WIDE, population
from lava_backend.networks import CHANNELS, Chooser, connectivity, free_axis, input_projection, late, target_tables
from lava_backend.networks import population as any_population
from lava_backend.networks import projection as any_projection

from mapping.connectivity import Connectivity, tap_table
from mapping.network import ChipNetwork, Projection, build_graph
from mapping.neuron_models import CountMemory, PoolCounts
from mapping.pool_taps import pool_weights

SYNAPSE_EXPONENT = 1


@st.composite
def counting_networks(draw):
    """Populations of every model, each fed by up to three earlier ones; cycles where nobody has a lead."""
    choose = Chooser(draw)
    largest_lead = choose.one_of(4, 1, 0)
    first_input = input_projection(choose, tuple(choose.integer(1, 4) for _ in range(3)))
    shape = first_input.connectivity.target_shape
    populations = [counting(choose, "population 0", shape, choose.integer(0, 2), largest_lead)]
    projections = []
    count = choose.integer(2, 5)
    for index in range(1, count):
        name, is_output = f"population {index}", index == count - 1
        if not is_output and choose.one_of(True, False):
            made, incoming = pool(choose, name, populations)
        else:
            made, incoming = fed(choose, name, populations, largest_lead, is_output=is_output)
        populations.append(made)
        projections += incoming
    if not any(one.lead for one in populations) and choose.one_of(True, False):
        source, target = choose.one_of(*populations), choose.one_of(*populations[:-1])
        if target.pool_counts is None:
            back = populations.index(source) >= populations.index(target)
            projections.append(late(choose, "late", source, target, lag_min=int(back)))
    return ChipNetwork(
        input_shape=first_input.connectivity.source_shape,
        timesteps=choose.integer(1, 8),
        synapse_exponent=SYNAPSE_EXPONENT,
        threshold_exponent=0,
        state_max=choose.one_of(WIDE, WIDE, 60, 2**40),
        bias_mantissa_max=4095,
        bias_exponent_max=7,
        graph=build_graph(populations, projections),
        input_projections=(first_input,),
    )


def counting(choose, name, shape, start_step, largest_lead):
    """Neurons with a count memory."""
    channels = shape[0]
    return population(
        name,
        shape,
        threshold=choose.array(channels, 1, choose.one_of(30, 4, 2**20)),
        bias_mantissa=choose.array(choose.one_of((channels, 1, 1), shape), -8, 10),
        bias_exponent=choose.array((channels, 1, 1), 0, 2),
        initial_potential=choose.array(channels, -20, 40),
        start_step=start_step,
        count_memory=memory(choose, channels, largest_lead),
    )


def memory(choose, channels, largest_lead):
    """Any count memory that has no problems."""
    paced = choose.one_of(True, True, False)
    lead = choose.integer(0, largest_lead) if paced else 0
    slope_bits = choose.one_of(8, 3, 0)
    rectifier = choose.one_of(True, False)
    shift_only = paced and rectifier and choose.one_of(False, True)
    made = CountMemory(
        lead,
        paced,
        shift_only,
        choose.one_of("never", "half", "threshold") if rectifier else "half",
        None if rectifier else choose.array(channels, -1, 2**slope_bits + 1),
        slope_bits,
    )
    assert not made.problems()
    return made


def fed(choose, name, earlier, largest_lead, *, is_output):
    """A population with one to three projections from earlier ones, some of which may bring spikes late."""
    sources = [choose.one_of(*earlier) for _ in range(choose.integer(1, 3))]
    start = start_after(choose, sources)
    tables = target_tables(choose, sources[0].shape)
    table = connectivity(choose, sources[0].shape, choose.one_of(*CHANNELS), tables)
    shape, projections = table.target_shape, []
    for number, source in enumerate(sources):
        if number:
            free = tuple(free_axis(choose, source.shape[axis], shape[axis]) for axis in (1, 2))
            table = connectivity(choose, source.shape, shape[0], free)
        delay = start - source.firing_start_step - 1 + choose.one_of(0, 0, 0, 1, 3)
        projections.append(any_projection(choose, f"{name} from {number}", source, name, table, delay))
    if not is_output and choose.one_of(True, True, False):
        return counting(choose, name, shape, start, largest_lead), projections
    return any_population(choose, name, shape, start, is_output=is_output), projections


def pool(choose, name, earlier):
    """A maximum over one earlier population that spikes, or over several of the same size on channels of their own."""
    first = choose.one_of(*earlier)
    alike = [one for one in earlier if one.shape[1:] == first.shape[1:]]
    sources = [first, *(choose.one_of(*alike) for _ in range(choose.integer(0, 2)))]
    tables = [pool_axis(choose, size) for size in first.shape[1:]]
    base = 4 if any(source.sends_negative for source in sources) else choose.one_of(2, 2, 4)
    ranges = [choose.channel_range(source.shape[0]) for source in sources]
    channels = sum(stop - begin for begin, stop in ranges)
    shape = (channels, *(len(table) for table in tables))
    start = start_after(choose, sources)
    projections, begin = [], 0
    for number, (source, taken) in enumerate(zip(sources, ranges, strict=True)):
        stop = begin + taken[1] - taken[0]
        table = Connectivity(source.shape, shape, *tables, taken, (begin, stop), stop - begin)
        projections.append(pooling(f"{name} over {number}", source, name, table, base, start))
        begin = stop
    nothing = np.zeros(channels, np.int64)
    return population(name, shape, threshold=nothing, start_step=start, pool_counts=PoolCounts(base)), projections


def pooling(name, source, target, table, base, start):
    weights = pool_weights(table.weight_shape[2:], table.out_channels, base)
    delay = start - source.firing_start_step - 1
    return Projection(name, source.name, target, table, weights, -SYNAPSE_EXPONENT, 8, "excitatory", delay)


def pool_axis(choose, size):
    """Windows along one axis: without a border, with one in front and behind, or with one behind at stride 1."""
    kernel = choose.integer(1, min(3, size))
    if choose.one_of(False, True):
        return tap_table(size, size, kernel)
    stride, padding = choose.integer(1, 3), choose.integer(0, kernel // 2)
    return tap_table(size, (size + 2 * padding - kernel) // stride + 1, kernel, stride, padding)


def start_after(choose, sources):
    return max(source.firing_start_step for source in sources) + 1 + choose.integer(0, 1)
