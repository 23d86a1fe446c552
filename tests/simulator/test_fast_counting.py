"""The compiled loop of neurons with a count memory at the limits of its numbers, and that it is really used."""

from dataclasses import replace

import numpy as np
import pytest
from chip_clock import chip_run, step_weights
from counting_networks import memory
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_networks import network, one_to_one, population, projection, whole
from lava_backend.networks import Chooser
from neuron_rules import counted_spike

from mapping.connectivity import Connectivity, tap_table
from mapping.neuron_models import CountMemory, PoolCounts
from mapping.pool_taps import pool_weights
from mapping.step_weights import input_shift, window_weight
from nmdeploy.simulator.engine import Engine
from nmdeploy.simulator.fast_counting import CountingNeurons
from nmdeploy.simulator.fast_neurons import SaturatedError, State
from nmdeploy.simulator.span import Span
from nmdeploy.simulator.torch_engine import TorchEngine
from nmdeploy.simulator.window import Window

# types and those that are as narrow
NARROW = {np.int32: (np.int32,), np.int64: (np.int32, np.int64)}
SHAPE = (6, 1, 2)
NOTHING = np.zeros((2, 1, 1, 1), np.float32)
AXIS = tap_table(4, 4, 3, padding=1)


def neurons_of(made, threshold, state_max):
    one = population("one", SHAPE, threshold=threshold, count_memory=made)
    return CountingNeurons(network([one], state_max=state_max), one, made)


def widest_state(made, threshold, constant, span, number):
    """The largest magnitude of potentials for which the comparison is proved to fit a type."""
    low, high = 1, 2**63
    while low + 1 < high:
        middle = (low + high) // 2
        fits = neurons_of(made, threshold, middle).number(constant, span) in NARROW[number]
        low, high = (middle, high) if fits else (low, middle)
    return low


@st.composite
def rounds_at_the_limit(draw):
    """Potentials anywhere up to the largest that a type is proved for, or close to where they spike."""
    choose = Chooser(draw)
    number, timesteps = choose.one_of(np.int32, np.int64), choose.integer(1, 40)
    refinement = min(choose.one_of(0, 0, 1, 3), timesteps - 1)
    made = memory(choose, SHAPE[0], largest_lead=50)
    if refinement:
        release = "threshold" if made.release == "threshold" else "half"
        made = replace(made, release=release, shift_only=False)
    threshold = choose.array(SHAPE[0], 1, choose.one_of(2**20, 50, 3))
    constant = choose.array((2, *SHAPE[1:], SHAPE[0]), -1000, 1000)
    state_max = widest_state(made, threshold, constant, Span(0, 1, 0, timesteps, refinement), number)
    start = choose.integer(0, timesteps - 1)
    span = Span(start, choose.integer(start + 1, timesteps), made.lead, timesteps, refinement)
    lowest = 0 if made.slope_mantissa is None else -start
    # what has been sent in the first steps, by their weights
    sent = choose.array(constant.shape, lowest, start) << input_shift(max(start - 1, 0), timesteps, refinement)
    reach = choose.one_of(state_max, state_max // 2, min(state_max, 2**21), 100)
    potential = choose.array(constant.shape, -reach, reach)
    return made, threshold, constant, state_max, State(potential, sent), span, number


def plain_round(made, threshold, constant, state_max, before, span):
    """Spikes and what is left, neuron by neuron; None if a potential passes its limit."""
    spikes = np.zeros((span.steps, *constant.shape), int)
    weights = step_weights(span.timesteps, span.refinement_steps)
    potential, sent = before.potential.astype(object), before.sent.astype(object)
    for neuron in np.ndindex(constant.shape):
        theta = int(threshold[neuron[-1]])
        v, count = int(potential[neuron]), int(sent[neuron])
        for step in range(span.start, span.stop):
            for index in span.taken_in(step):
                v += int(constant[neuron]) * weights[span.input_start + index]
                if abs(v) > state_max:
                    return None
            spike = counted_spike(made, neuron[-1], theta, v, count, step, weights)
            v, count = v - spike * theta * weights[step], count + spike * weights[step]
            spikes[(step - span.start, *neuron)] = spike
        potential[neuron], sent[neuron] = v, count
    return spikes, potential, sent


@settings(max_examples=150, deadline=None)
@given(rounds_at_the_limit())
def test_numbers_hold_what_they_are_proved_to_hold(drawn):
    made, threshold, constant, state_max, before, span, number = drawn
    neurons = neurons_of(made, threshold, state_max)
    assert neurons.number(constant, span) is number or state_max == 1
    expected = plain_round(made, threshold, constant, state_max, before, span)
    silence = np.zeros((0, *constant.shape), np.float32)
    try:
        fired = neurons.fire(silence, None, constant, before, span)
    except SaturatedError:
        fired = None
    if expected is None:
        assert fired is None
        return
    # what is noticed may also be a potential that passed its limit by its own spike, after the input's end
    if fired is None:
        levels = window_weight(span.timesteps, span.refinement_steps)
        assert np.abs(before.potential).max() + levels * int(threshold.max()) > state_max
        return
    spikes, potential, sent = expected
    np.testing.assert_array_equal(fired.spikes, spikes)
    np.testing.assert_array_equal(fired.counts, np.abs(spikes).sum(axis=0))
    np.testing.assert_array_equal(fired.after.potential, potential)
    np.testing.assert_array_equal(fired.after.sent, sent)


def counting_chain(refinement_steps=0):
    """Paced, signed and leaky neurons, a shortcut of spikes of both signs, and a maximum; they spike often."""
    shape, half = (4, 4, 4), (4, 2, 2)
    random = np.random.default_rng(3)
    memories = [
        CountMemory(2, True),
        CountMemory(1, True, False, "half", np.array([30, 60, 128, 256]), 8),
        CountMemory(0, False, False, "threshold"),
        CountMemory(1, True, True, "half"),
    ]
    populations, projections = [], []
    if refinement_steps:
        memories = [replace(made, release="half", shift_only=False) for made in memories]
    for index, made in enumerate(memories):
        name = f"p{index}"
        bias = random.integers(-20, 40, shape)
        populations.append(population(name, shape, bias_mantissa=bias, count_memory=made))
        for source in populations[-2:-1]:
            table, near = one_to_one(shape), Connectivity(shape, shape, AXIS, AXIS, (0, 4), (0, 4))
            weights = random.integers(-9, 10, near.weight_shape)
            projections.append(projection(source.name, name, near, weights))
            projections.append(projection(source.name, name, table, [3, -4, 5, 6], name=f"{name} shortcut"))
    places = tap_table(4, 2, 2, 2)
    table = Connectivity(shape, half, places, places, (0, 4), (0, 4), 4)
    populations.append(population("pool", half, threshold=np.zeros(4, int), pool_counts=PoolCounts(4)))
    projections.append(projection("p3", "pool", table, pool_weights((2, 2), 4, 4)))
    net = network(populations, projections, timesteps=9, state_max=10_000)
    return replace(net, refinement_steps=refinement_steps)


@pytest.mark.parametrize("refinement_steps", [0, 3])
def test_nothing_is_left_to_the_plain_engine(monkeypatch, refinement_steps):
    net = counting_chain(refinement_steps)
    spikes, _, _ = chip_run(net, NOTHING)
    monkeypatch.setattr(Engine, "advance", None)
    for round_steps in (9, 2):
        result = Window(TorchEngine(net), NOTHING, 9, record_spike_trains=True).run(round_steps)
        for name, train in spikes.items():
            assert train.any()
            np.testing.assert_array_equal(result.spike_trains[name], train)


@pytest.mark.parametrize("round_steps", [3, 9])
def test_a_saturating_round_is_left_to_the_plain_engine(monkeypatch, round_steps):
    """Between rounds that are not: what is carried from one to the next is the same for both."""
    net = replace(counting_chain(), state_max=60)
    spikes, _, saturations = chip_run(net, NOTHING)
    assert saturations
    left = []
    plain = Engine.advance
    monkeypatch.setattr(Engine, "advance", lambda *given: left.append(given[1].name) or plain(*given))
    result = Window(TorchEngine(net), NOTHING, 9, record_spike_trains=True).run(round_steps)
    assert result.saturations == saturations
    if round_steps == 3:
        assert 0 < min(left.count(name) for name in set(left)) < 3
    for name, train in spikes.items():
        np.testing.assert_array_equal(result.spike_trains[name], train)


def test_sums_that_float32_does_not_hold_are_left_to_the_plain_engine():
    source = population("source", (3, 1, 1), bias_mantissa=np.full((3, 1, 1), 10))
    target = population("target", (1, 1, 1), threshold=np.array([2**20]), count_memory=CountMemory(1))
    table = whole((3, 1, 1), (1, 1, 1))
    net = network(
        [source, target],
        [projection("source", "target", table, [2**23, 2**23, -(2**24) + 2**19 + 1])],
        state_max=2**40,
    )
    assert CountingNeurons(net, target, target.count_memory).number(np.zeros(1, np.int64), Span(0, 8, 1, 8)) is None
    spikes, _, _ = chip_run(net, NOTHING)
    result = Window(TorchEngine(net), NOTHING, 8, record_spike_trains=True).run(8)
    assert 0 < spikes["target"].sum() < 16
    np.testing.assert_array_equal(result.spike_trains["target"], spikes["target"])
