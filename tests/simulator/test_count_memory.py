"""Neurons with a count memory: the rule itself, and the counts that it leads to."""

import math
from fractions import Fraction

import numpy as np
import pytest
from chip_clock import chip_run
from counting_networks import memory
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_networks import network, one_to_one, population, projection, whole
from lava_backend.networks import Chooser
from neuron_rules import counted_spike, round_half_up

from mapping.neuron_models import CountMemory
from nmdeploy.simulator import simulate
from nmdeploy.simulator.engine import Engine
from nmdeploy.simulator.neurons import counted_spikes
from nmdeploy.simulator.window import Window

ONE = (1, 1, 1)
NOTHING = np.zeros((2, *ONE), np.float32)


@st.composite
def states(draw):
    """Neurons of one kind in every state that can be, ties between spiking and not among them; step and T."""
    choose = Chooser(draw)
    channels, timesteps = 5, choose.integer(1, 20)
    made = memory(choose, channels, largest_lead=6)
    step = choose.integer(0, timesteps - 1)
    threshold = choose.array(channels, 1, choose.one_of(8, 2**20))
    lowest = 0 if made.slope_mantissa is None else -step
    sent = choose.array((40, 1, 1, channels), lowest, step)
    near = choose.array(sent.shape, -2, 2) * threshold + choose.array(sent.shape, -2, 2)
    potential = near // choose.one_of(2, 1, step + 1)
    return made, threshold, potential, sent, step, timesteps


def spikes_by(rule, made, threshold, potential, sent, step, timesteps):
    return [
        rule(made, neuron[-1], int(threshold[neuron[-1]]), int(potential[neuron]), int(sent[neuron]), step, timesteps)
        for neuron in np.ndindex(potential.shape)
    ]


@settings(max_examples=200, deadline=None)
@given(states())
def test_the_integer_rule_is_the_rational_one(state):
    made, threshold, potential, sent, step, timesteps = state
    found = counted_spikes(made, potential, sent, threshold, step, timesteps)
    assert found.ravel().tolist() == spikes_by(counted_spike, *state)


@settings(max_examples=100, deadline=None)
@given(states(), st.sampled_from([1, 2, 4, 8, 16]), st.sampled_from(["never", "half", "threshold"]))
def test_shifts_are_exact_after_powers_of_two(state, elapsed, release):
    """Of thresholds that they divide, as those of chips are multiples of 64 or the like."""
    made, threshold, potential, sent, _, timesteps = state
    threshold, sent, timesteps = threshold * elapsed, np.maximum(sent, 0), max(timesteps, elapsed)
    shifted, exact = (CountMemory(made.lead, True, shift_only, release) for shift_only in (True, False))
    for near in (potential, potential * elapsed):
        state = threshold, near, sent, elapsed - 1, timesteps
        found = counted_spikes(shifted, near, sent, threshold, elapsed - 1, timesteps)
        assert found.ravel().tolist() == spikes_by(counted_spike, exact, *state)


def test_shifts_are_not_exact_in_between():
    """After three steps, one ahead, nothing sent: z / 40 * 3 / 4 is 1/2 for z = 27, and shifting asks for 30."""
    potential, sent = np.full((1, 1, 1, 1), 27), np.zeros((1, 1, 1, 1), np.int64)
    found = [
        counted_spikes(CountMemory(1, True, shift_only), potential, sent, np.array([40]), 2, 8).item()
        for shift_only in (False, True)
    ]
    assert found == [1, 0]


@st.composite
def driven(draw):
    """Neurons that wait for all of their input before they spike; what drives them spikes at any time, both ways."""
    choose = Chooser(draw)
    timesteps, source, target = choose.integer(1, 12), (3, 1, 2), (4, 1, 1)
    driver = population(
        "driver",
        source,
        threshold=choose.array(3, 5, 20),
        negative_threshold=choose.array(3, 5, 20),
        bias_mantissa=choose.array(source, -9, 9),
    )
    made = memory(choose, 4, 0)
    waits = timesteps - 1 + choose.integer(0, 2)
    paced = CountMemory(waits, True, False, made.release, made.slope_mantissa, made.slope_bits)
    waiting = population(
        "waiting",
        target,
        threshold=choose.array(4, 1, 30),
        bias_mantissa=choose.array((4, 1, 1), -3, 5),
        initial_potential=choose.array(4, -9, 9),
        count_memory=paced,
    )
    table = whole(source, target)
    weights = choose.array(table.weight_shape, -9, 9)
    return network([driver, waiting], [projection("driver", "waiting", table, weights)], timesteps=timesteps), weights


@pytest.mark.parametrize("engine", ["numpy", "torch"])
@settings(max_examples=60, deadline=None)
@given(given_network=driven())
def test_those_who_wait_send_the_quantised_activation(engine, given_network):
    """T levels of the rectified or leaky total input, spread over the window."""
    net, weights = given_network
    waiting, steps = net.population("waiting"), net.timesteps
    trains = simulate(net, NOTHING, engine=engine, record_spike_trains=True).spike_trains
    arrived = trains["driver"][0].astype(int).reshape(steps, 3, 1, 2)
    for channel in range(4):
        total = int(waiting.initial_potential[channel]) + steps * int(waiting.bias[channel, 0, 0])
        total += int((arrived * weights[channel]).sum())
        assert int(trains["waiting"][0, :, channel].sum()) == expected(waiting, channel, total, steps)


def expected(waiting, channel, total, steps):
    made, threshold = waiting.count_memory, int(waiting.threshold[channel])
    if total >= 0 or made.slope_mantissa is None:
        return min(max(round_half_up(Fraction(total, threshold)), 0), steps)
    leaky = math.floor(Fraction(int(made.slope_mantissa[channel]) * total, 2**made.slope_bits))
    return min(max(round_half_up(Fraction(leaky, threshold)), -steps), steps)


def waiting_network(lead, delay):
    """A neuron that fires often, and one with a lead that it drives; spikes `delay` steps late."""
    neurons = [
        population("a", ONE, bias_mantissa=np.full(ONE, 7), start_step=0),
        population("b", ONE, count_memory=CountMemory(lead), start_step=1),
    ]
    return network(neurons, [projection("a", "b", one_to_one(ONE), [9], delay=delay)], timesteps=6)


@pytest.mark.parametrize("lead", [0, 1, 4, 9])
@pytest.mark.parametrize("delay", [0, 1, 3])
def test_rounds_of_any_length(lead, delay):
    """Sources are as far ahead as the lead demands, and in the last rounds nothing is taken in any more."""
    net = waiting_network(lead, delay)
    spikes, _, _ = chip_run(net, NOTHING)
    assert delay == 3 or spikes["b"].any()
    for round_steps in range(1, 7):
        result = Window(Engine(net), NOTHING, 6, record_spike_trains=True).run(round_steps)
        for name, train in spikes.items():
            np.testing.assert_array_equal(result.spike_trains[name], train)
