"""The proof of early exit against all spikes that may still arrive, tried one by one in Python's integers."""

import itertools
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_networks import network, population, projection, whole

from mapping.connectivity import Connectivity
from nmdeploy.decode import decode
from nmdeploy.errors import NmdeployError
from nmdeploy.simulator.early_exit import EarlyExit

ACCUMULATOR = {"reset": "none", "is_output": True}


def accumulator(name, channels, **fields):
    return population(name, (channels, 1, 1), threshold=np.zeros(channels, np.int64), **ACCUMULATOR, **fields)


@st.composite
def readouts(draw):
    """Two or three classes that read up to three projections, from signed and other sources, with constants."""
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    classes = draw(st.integers(2, 3))
    scale = random.integers(1, 9, classes) / 4
    out = accumulator("out", classes, scale=scale, start_step=1)
    sources, projections = [], []
    largest = draw(st.sampled_from([3, 9]))
    count = draw(st.integers(1, 2))
    for index in range(count):
        signed = draw(st.booleans())
        # at most 81 different sets of spikes a step
        shape = (2, 1, draw(st.integers(1, 2)) if count == 1 and not signed else 1)
        negative = np.full(2, 10) if signed else None
        sources.append(population(f"s{index}", shape, negative_threshold=negative))
        for part in range(draw(st.integers(1, 2 - index))):
            start = draw(st.integers(0, 1)) if part else 0
            taps = random.integers(-1, shape[2], (1, draw(st.integers(1, 3)))).astype(np.int32)
            groups = 2 if start == 0 and classes == 2 and draw(st.booleans()) else 1
            table = Connectivity(
                shape, (classes, 1, 1), np.zeros((1, 1), np.int32), taps, (start, 2), (0, classes), groups
            )
            weights = random.integers(-largest, largest + 1, table.weight_shape)
            projections.append(
                projection(f"s{index}", "out", table, weights, name=f"{index}.{part}", weight_exponent=part)
            )
    state_max = draw(st.sampled_from([2**23 - 1, 120, 40]))
    timesteps = draw(st.integers(1, 40))
    net = network([*sources, out], projections, timesteps=timesteps, state_max=state_max, synapse_exponent=0)
    largest_potential = min(state_max, draw(st.sampled_from([12, 60])))
    potentials = random.integers(-largest_potential, largest_potential + 1, (4, classes))
    return net, potentials, random.integers(-13, 14, (4, classes)), draw(st.integers(0, 2))


def step_inputs(net):
    """What the outputs can receive in one step: a set of tuples, one number for each output."""
    out = net.population("out")
    events = []
    for source in net.populations[:-1]:
        for neuron in np.ndindex(source.shape):
            brought = [0] * out.shape[0]
            for incoming in net.incoming("out"):
                if incoming.source == source.name:
                    add_brought(brought, incoming, neuron)
            events.append([[sign * value for value in brought] for sign in ((-1, 0, 1) if signed(source) else (0, 1))])
    return {tuple(map(sum, zip(*chosen, strict=True))) for chosen in itertools.product(*events)}


def signed(source):
    return source.negative_threshold is not None


def add_brought(brought, incoming, neuron):
    table = incoming.connectivity
    per_group_out, per_group_in = table.out_channels // table.groups, table.in_channels // table.groups
    for o, i, m in np.ndindex(table.out_channels, per_group_in, table.columns.shape[1]):
        channel = table.source_channels[0] + o // per_group_out * per_group_in + i
        if (channel, 0, table.columns[0, m]) == neuron:
            brought[o] += int(incoming.weights[o, i, 0, m]) * 2**incoming.weight_exponent


def endings(net, potentials, constant, steps):
    """Every vector of potentials that the last steps can lead to, and whether one saturates on the way."""
    reached, saturated = {tuple(potentials)}, False
    arriving = step_inputs(net)
    for _ in range(steps):
        after = set()
        for before, received in itertools.product(reached, arriving):
            values = [sum(parts) for parts in zip(before, received, constant, strict=True)]
            saturated |= any(abs(value) > net.state_max for value in values)
            after.add(tuple(max(-net.state_max, min(net.state_max, value)) for value in values))
        reached = after
    return reached, saturated


def ahead(net, potentials, winner):
    """Whether one output is strictly the largest, in fractions."""
    values = [Fraction(scale) * int(v) for scale, v in zip(net.population("out").scale, potentials, strict=True)]
    return all(values[winner] > value for index, value in enumerate(values) if index != winner)


@settings(max_examples=150, deadline=None)
@given(readouts())
def test_decided_is_what_no_spikes_can_change(drawn):
    """Decided if and only if whatever may arrive neither saturates a potential nor takes the lead."""
    net, potentials, constant, remaining = drawn
    step = net.timesteps - remaining
    found = EarlyExit(net, net.timesteps).decided(potentials, constant, step)
    decisions = decode(net, potentials[:, None], net.timesteps).argmax(axis=1)
    for sample in range(len(potentials)):
        reached, saturated = endings(net, potentials[sample], constant[sample], remaining)
        last = decode(net, np.array(sorted(reached))[:, None], net.timesteps).argmax(axis=1)
        if found[sample]:
            assert (last == decisions[sample]).all()
        assert found[sample] == (
            not remaining or (not saturated and all(ahead(net, end, decisions[sample]) for end in reached))
        )


def two_classes(weights, **fields):
    source = population("s", (2, 1, 1))
    out = accumulator("out", 2, start_step=1, **fields)
    return network([source, out], [projection("s", "out", whole((2, 1, 1), (2, 1, 1)), weights)], timesteps=10)


def is_decided(net, potentials, step, constant=None):
    return decided(EarlyExit(net, 10), potentials, step, constant)


def decided(early_exit, potentials, step, constant=None):
    """Of one sample."""
    return early_exit.decided(np.array([potentials]), np.array([constant or [0] * len(potentials)]), step).item()


def test_one_spike_arrives_at_both():
    """Each neuron adds as much to one as to the other: no spike moves the lead."""
    net = two_classes([[50, -7], [50, -7]])
    assert is_decided(net, [1, 0], 1)
    assert not is_decided(net, [0, 0], 9), "a tie is no lead"


def test_the_lead_must_outlast_all_steps():
    """A step takes at most 3 + 2 = 5 from the first's lead, seven are left."""
    net = two_classes([[1, -2], [4, 0]])
    assert not is_decided(net, [35, 0], 3)
    assert is_decided(net, [36, 0], 3)


def test_a_later_check_may_have_another_winner():
    """The first's lead loses nothing in a step, the second's 5."""
    early_exit = EarlyExit(two_classes([[4, 0], [1, -2]]), 10)
    leads = ([1, 0], [0, 5], [0, 6])
    assert [decided(early_exit, lead, 9) for lead in leads] == [True, False, True]


def test_a_lead_is_measured_in_decoded_units():
    """With scales 1 and 3 the lead is v0 - 3 * v1, and a step takes (3 * 4 - 1) + 2 = 13."""
    net = two_classes([[1, -2], [4, 0]], scale=np.array([1.0, 3.0]))
    assert not is_decided(net, [13 + 30, 10], 9)
    assert is_decided(net, [14 + 30, 10], 9)


def test_a_scale_that_no_fixed_point_holds():
    """A third of 3 million and of 3 million and 1: one unit of potential is a lead."""
    net = two_classes([[0, 0], [0, 0]], scale=np.full(2, 1 / 3))
    assert is_decided(net, [3_000_001, 3_000_000], 1)
    assert not is_decided(net, [3_000_000, 3_000_000], 1)


def test_constants_count():
    """The second class gains 2 a step by its bias or by input."""
    net = two_classes([[0, 0], [0, 0]])
    assert not is_decided(net, [14, 0], 3, [0, 2])
    assert is_decided(net, [15, 0], 3, [0, 2])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_potential_that_may_saturate_leaves_everything_open(sign):
    net = two_classes([[sign, 0], [sign, 0]])
    limit = net.state_max
    assert is_decided(net, [sign * (limit - 7), sign * (limit - 8)][::sign], 3)
    assert not is_decided(net, [sign * (limit - 6), sign * (limit - 8)][::sign], 3)


def test_after_the_last_step_everything_is_decided():
    assert is_decided(two_classes([[9, 9], [9, 9]]), [0, 0], 10)


def test_several_outputs_are_decided_together():
    """Outputs a and b of one class each, b one step later on the clock: one decision between the two."""
    source = population("s", (1, 1, 1))
    outputs = [accumulator("a", 1, start_step=1), accumulator("b", 1, start_step=3)]
    one = whole((1, 1, 1), (1, 1, 1))
    net = network([source, *outputs], [projection("s", "a", one, [1]), projection("s", "b", one, [4], delay=2)])
    assert is_decided(net, [22, 0], 3)
    assert not is_decided(net, [21, 0], 3)


def test_spikes_of_different_steps_are_counted_apart():
    """Two projections from one neuron that arrive one step apart: +2 and -2 need not come together."""
    source = population("s", (1, 1, 1))
    out = accumulator("out", 2, start_step=1)
    table = whole((1, 1, 1), (2, 1, 1))
    weights = ([0, 2], [0, -2])
    together = [projection("s", "out", table, one, name=str(index)) for index, one in enumerate(weights)]
    apart = [projection("s", "out", table, one, name=str(index), delay=index) for index, one in enumerate(weights)]
    assert is_decided(network([source, out], together), [1, 0], 3)
    net = network([source, out], apart)
    assert [net.lag(one) for one in net.projections] == [0, 1]
    assert not is_decided(net, [14, 0], 3)
    assert is_decided(net, [15, 0], 3)


def test_accumulators_send_nothing():
    silent = population("s", (1, 1, 1), reset="none", threshold=np.zeros(1, np.int64))
    table = whole((1, 1, 1), (2, 1, 1))
    net = network([silent, accumulator("out", 2)], [projection("s", "out", table, [0, 100])])
    assert is_decided(net, [1, 0], 1)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (population("out", (2, 1, 1), is_output=True), "out spikes"),
        (population("out", (2, 1, 3), reset="none", threshold=np.zeros(2, np.int64), is_output=True), "map of 1 x 3"),
        (population("out", (2, 1, 1)), "no output"),
    ],
)
def test_networks_that_are_no_classifiers(output, words):
    with pytest.raises(NmdeployError, match=words):
        EarlyExit(network([output]), 10)


def test_potentials_that_decoding_would_round():
    with pytest.raises(NmdeployError, match="2\\^53"):
        EarlyExit(network([accumulator("out", 2)], state_max=2**53), 10)


def test_a_check_takes_less_than_a_millisecond():
    """128 samples, ten classes, 4,096 source neurons; the first check finds the bounds of the winners."""
    random = np.random.default_rng(0)
    source, out = population("s", (64, 8, 8)), accumulator("out", 10, start_step=1)
    table = whole((64, 8, 8), (10, 1, 1))
    net = network([source, out], [projection("s", "out", table, random.integers(-127, 128, table.weight_shape))])
    early_exit = EarlyExit(net, 64)
    potentials, constant = random.integers(-(10**6), 10**6, (128, 10)), np.zeros((128, 10), np.int64)
    seconds = []
    for _ in range(20):
        begin = time.perf_counter()
        early_exit.decided(potentials, constant, 60)
        seconds.append(time.perf_counter() - begin)
    assert min(seconds) < 1e-3
