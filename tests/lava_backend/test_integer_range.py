"""Numbers at the limits of Lava's 32 bits and of the 64 bits of products: computed exactly, or refused."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.network import build_graph
from mapping.neuron_models import CountMemory
from mapping.step_weights import input_shift, window_weight
from mapping.tiles import Tile
from nmdeploy.errors import BackendError
from nmdeploy.lava.batches import Batches, window_currents
from nmdeploy.lava.count_arithmetic import largest_after_firing, largest_product
from nmdeploy.lava.integer_range import INT32_MAX, INT64_MAX, populations_of_64_bits
from nmdeploy.lava.neuron_rules import CountRule
from nmdeploy.lava.window_clock import FiringStep
from nmdeploy.simulator.neurons import counted_spikes

from .comparison import assert_equal_to_simulator, run
from .networks import Chooser
from .programmable_networks import count_memory, with_every_potential_an_output
from .tilings import placed
from .worked_example import worked_example

SAMPLES = np.zeros((2, 1, 1, 1), dtype=np.float32)
BATCHES = Batches(2, 1, 2)
CHANNELS, PARALLEL = 3, 4
CURRENT_MAX = 2**28


def any_integers(array):
    """The same numbers as Python's integers, which never wrap."""
    return np.asarray(array).astype(object)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_nothing_wraps_of_what_is_accepted(data):
    """Products up to what 32 bits hold, a little larger, and up to what 64 hold; potentials are driven to the limit."""
    choose = Chooser(data.draw)
    timesteps, memory = choose.integer(1, 12), count_memory(choose, CHANNELS, leads=True)
    window = timesteps, 0 if memory.shift_only else choose.integer(0, 3)
    weight, levels = 1 << input_shift(0, *window), window_weight(*window)
    limit = choose.one_of(INT32_MAX, INT32_MAX + INT32_MAX // 8, INT64_MAX)
    sloped, slope_bits = memory.slope_mantissa is not None, choose.one_of(0, 8)
    steepest = choose.one_of(2, 256) if sloped else 1
    factor = 2 * timesteps * (steepest if slope_bits == 0 else 1)
    share = min(limit // max(factor, steepest) - 1, INT32_MAX - CURRENT_MAX)
    threshold = choose.one_of(2**10, share // (4 * levels + 16 * weight))
    state_max = share - ((memory.lead + 1) * weight + sloped * levels) * threshold
    if sloped:
        steepest = limit // (share * (2 * timesteps if slope_bits == 0 else 1)) - 1
        slope = np.array([steepest, steepest - 1, 0])
        memory = dataclasses.replace(memory, slope_mantissa=slope, slope_bits=slope_bits)
    assert largest_product(memory, threshold, state_max, *window) <= limit
    assert largest_after_firing(memory, threshold, state_max, *window) + CURRENT_MAX <= INT32_MAX

    thresholds = np.array([threshold, threshold, threshold // 2])
    # half of the neurons are driven upwards and half downwards, half hard and half by about a threshold a step
    hard = CURRENT_MAX // weight
    drive = np.array([hard, -hard, threshold, -threshold]).reshape(4, 1, 1, 1)
    signs = choose.array((timesteps, 4, 1, PARALLEL, CHANNELS), -1, 6).clip(-1, 1)
    rule = CountRule(memory, thresholds, np.zeros(CHANNELS, np.int64), state_max)
    potential, net_spikes = (np.zeros(signs.shape[1:], dtype=np.int32) for _ in range(2))
    v, count = any_integers(potential), any_integers(net_spikes)
    theta = any_integers(thresholds)
    slope = None if memory.slope_mantissa is None else any_integers(memory.slope_mantissa)
    for step in range(timesteps + memory.lead):
        if step < timesteps:
            current, shift = drive * signs[step], input_shift(step, *window)
            rule.integrate(potential, current, shift)
            v = np.clip(v + any_integers(current << shift), -state_max, state_max)
        if step >= memory.lead:
            index = step - memory.lead
            spikes = rule.fire(potential, net_spikes, FiringStep(index, *window))
            expected = counted_spikes(memory, v, count, theta, index, timesteps, slope, window[1])
            assert spikes.tolist() == expected.tolist()
            weighed = expected << input_shift(index, *window)
            net_spikes += weighed.astype(np.int32)
            v, count = v - weighed * theta, count + weighed
        assert potential.tolist() == v.tolist()


def with_count_memory(memory, bits, state_max=2**23 - 1):
    """The worked example, its first neurons with a count memory; all is 2**bits times as large."""
    network = worked_example(timesteps=8)
    hidden, out = (
        dataclasses.replace(
            one,
            threshold=one.threshold << bits,
            initial_potential=one.initial_potential << bits,
            bias_exponent=one.bias_exponent + bits,
        )
        for one in network.populations
    )
    hidden = dataclasses.replace(hidden, count_memory=memory)
    out = dataclasses.replace(out, start_step=out.start_step + memory.lead)
    graph = build_graph([hidden, out], network.projections)
    return dataclasses.replace(network, synapse_exponent=bits, state_max=state_max, graph=graph)


def of_64_bits(network, timesteps=None):
    return populations_of_64_bits(network, window_currents(network, SAMPLES, BATCHES), timesteps)


SIGNED = CountMemory(2, release="half", slope_mantissa=np.array([256, 128, 255, 64]))
SHIFTED = CountMemory(2, shift_only=True, release="half")


def test_largest_state_of_32_bits_leaves_room_for_a_step_and_the_spikes_after_it():
    # hidden: three thresholds of 8 and a current of 9; out: 12 by synapses and a bias of 1
    largest = INT32_MAX - ((3 * 8 + 9) << 20)
    assert of_64_bits(with_count_memory(SIGNED, 20, largest)) == set()
    assert of_64_bits(with_count_memory(SIGNED, 20, largest + 1)) == {"hidden"}
    largest = INT32_MAX - (13 << 20)
    assert of_64_bits(with_count_memory(SIGNED, 20, largest)) == {"hidden"}
    assert of_64_bits(with_count_memory(SIGNED, 20, largest + 1)) == {"hidden", "out"}
    refined = dataclasses.replace(with_count_memory(SIGNED, 20), refinement_steps=3)
    largest = INT32_MAX - (8 * (3 * 8 + 9) << 20)
    assert of_64_bits(dataclasses.replace(refined, state_max=largest)) == set()
    assert of_64_bits(dataclasses.replace(refined, state_max=largest + 1)) == {"hidden"}


def test_longest_window_leaves_room_for_products():
    network = with_count_memory(SIGNED, 23)
    fitting = max(t for t in range(200_000, 300_000) if 2 * t * (2**23 - 1 + (3 + t) * 2**26) < 2**63)
    assert 200_000 < fitting < 299_999
    assert of_64_bits(network, fitting) == set()
    with pytest.raises(BackendError) as caught:
        of_64_bits(network, fitting + 1)
    message = str(caught.value)
    assert message.startswith("hidden: a potential, or the product of one and steps, may reach 9,22")
    assert message.endswith(f"in a window of {fitting + 1:,} steps, beyond 64 bits. Run fewer time steps.")


@pytest.mark.lava
@pytest.mark.parametrize("memory", [SIGNED, SHIFTED])
@pytest.mark.parametrize(("bits", "state_max"), [(24, 2**29), (27, INT32_MAX), (27, 2**40)])
def test_processes_hold_what_they_must(memory, bits, state_max):
    """Products beyond 32 bits; sums beyond 32 bits before they are cut off; potentials beyond 32 bits."""
    pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")
    from nmdeploy.lava.emit_cores import emit_cores
    from nmdeploy.lava.emit_layers import emit_layers

    network = with_every_potential_an_output(with_count_memory(memory, bits, state_max))
    assert of_64_bits(network) == ({"hidden", "out"} if state_max >= INT32_MAX else set())
    one_core = placed([[Tile("hidden", (0, 4), (0, 1), (0, 1))], [Tile("out", (0, 2), (0, 1), (0, 1))]])
    for emit in (emit_layers, partial(emit_cores, placement=one_core)):
        lava = run(emit, network, SAMPLES, BATCHES)
        assert_equal_to_simulator(network, SAMPLES, lava)
        assert (lava["trains"]["hidden"] > 0).any()
        cut_off = sum(int(values.sum()) for values in lava["saturations"].values())
        reached = max(int(np.abs(values).max()) for values in lava["potentials"].values())
        assert cut_off > 0 or reached > INT32_MAX
