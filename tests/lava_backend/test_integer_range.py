"""Numbers at the limits of Lava's 32 bits and of the 64 bits of products: computed exactly, or refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.network import build_graph
from mapping.neuron_models import CountMemory
from nmdeploy.errors import BackendError
from nmdeploy.lava.batches import Batches, window_currents
from nmdeploy.lava.integer_range import (
    INT32_MAX,
    INT64_MAX,
    largest_after_firing,
    largest_product,
    require_integer_range,
)
from nmdeploy.lava.neuron_rules import CountRule
from nmdeploy.simulator.neurons import counted_spikes

from .comparison import assert_equal_to_simulator, run
from .networks import Chooser
from .programmable_networks import count_memory
from .worked_example import worked_example

SAMPLES = np.zeros((2, 1, 1, 1), dtype=np.float32)
BATCHES = Batches(2, 1, 2)
CHANNELS = 3
CURRENT_MAX, THRESHOLD_MAX = 2**28, 2**26


def any_integers(array):
    """The same numbers as Python's integers, which never wrap."""
    return np.asarray(array).astype(object)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_nothing_wraps_of_what_is_accepted(data):
    """Potentials up to the last of 32 bits, and products up to the last of 64."""
    choose = Chooser(data.draw)
    timesteps, memory = choose.integer(1, 12), count_memory(choose, CHANNELS, leads=True)
    neurons = dataclasses.replace(
        worked_example().populations[0],
        shape=(CHANNELS, 1, 1),
        threshold=choose.array(CHANNELS, THRESHOLD_MAX // choose.one_of(1, 4), THRESHOLD_MAX),
        count_memory=memory,
    )
    state_max = INT32_MAX - CURRENT_MAX - largest_after_firing(neurons, 0)
    if memory.slope_mantissa is not None:
        flat = dataclasses.replace(memory, slope_mantissa=None)
        steepest = INT64_MAX // largest_product(neurons, flat, state_max, timesteps)
        memory = dataclasses.replace(memory, slope_mantissa=choose.array(CHANNELS, steepest - 1, steepest))
    assert largest_product(neurons, memory, state_max, timesteps) <= INT64_MAX

    signs = choose.array((timesteps, CHANNELS), -1, 3).clip(-1, 1)  # mostly upwards, so that potentials saturate
    rule = CountRule(memory, neurons.threshold, np.zeros(CHANNELS, np.int64), state_max)
    potential, net_spikes = (np.zeros((1, 1, 1, CHANNELS), dtype=np.int32) for _ in range(2))
    v, count = any_integers(potential), any_integers(net_spikes)
    threshold = any_integers(neurons.threshold)
    slope = None if memory.slope_mantissa is None else any_integers(memory.slope_mantissa)
    for step in range(timesteps + memory.lead):
        if step < timesteps:
            current = CURRENT_MAX * signs[step]
            rule.integrate(potential, np.broadcast_to(current, potential.shape))
            v = np.clip(v + any_integers(current), -state_max, state_max)
        if step >= memory.lead:
            firing = step - memory.lead
            spikes = rule.fire(potential, net_spikes, firing, timesteps)
            expected = counted_spikes(memory, v, count, threshold, firing, timesteps, slope)
            assert spikes.tolist() == expected.tolist()
            net_spikes += spikes
            v, count = v - expected * threshold, count + expected
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


def refusal(network, timesteps=None):
    try:
        require_integer_range(network, window_currents(network, SAMPLES, BATCHES), timesteps)
    except BackendError as error:
        return str(error)
    return ""


SIGNED = CountMemory(2, release="half", slope_mantissa=np.array([256, 128, 255, 64]))
SHIFTED = CountMemory(2, shift_only=True, release="half")


def test_largest_state_is_what_leaves_room_for_a_step_and_the_spikes_after_it():
    # hidden: three thresholds of 8 and a current of 9; out needs less, 12 by synapses and a bias of 1
    largest = INT32_MAX - ((3 * 8 + 9) << 20)
    assert refusal(with_count_memory(SIGNED, 20, largest)) == ""
    refused = refusal(with_count_memory(SIGNED, 20, largest + 1))
    assert refused.startswith("hidden: a potential may reach 2,147,483,648 before it saturates, beyond the 32 bits")


def test_longest_window_is_what_leaves_room_for_products():
    # (2 T + 1) * (state_max + (3 + T) * 2**26) * 256
    network = with_count_memory(SIGNED, 23)
    fitting = max(t for t in range(10_000, 20_000) if (2 * t + 1) * (2**23 - 1 + (3 + t) * 2**26) * 256 < 2**63)
    assert 10_000 < fitting < 19_999
    assert refusal(network, fitting) == ""
    refused = refusal(network, fitting + 1)
    assert refused.startswith("hidden: a product of potential and steps may reach 9,22")
    assert refused.endswith(f"in a window of {fitting + 1:,} steps, beyond 64 bits. Run fewer time steps.")


@pytest.mark.lava
@pytest.mark.parametrize("memory", [SIGNED, SHIFTED])
def test_processes_hold_numbers_of_29_bits_and_multiply_beyond_32(memory):
    pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")
    from nmdeploy.lava.emit_layers import emit_layers

    network = with_count_memory(memory, 24, state_max=2**29)
    lava = run(emit_layers, network, SAMPLES, BATCHES)
    assert_equal_to_simulator(network, SAMPLES, lava)
    assert (lava["trains"]["hidden"] > 0).any()
