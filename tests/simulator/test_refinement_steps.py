"""Refinement steps: the last steps of a window, whose spikes stand for less."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from chip_clock import chip_run, step_weights
from counting_networks import SYNAPSE_EXPONENT, counting, fed, pool
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_networks import WIDE, network, population
from lava_backend.networks import Chooser, input_projection

from mapping.network import ChipNetwork, build_graph
from mapping.neuron_models import CountMemory
from mapping.step_weights import elapsed_weight, input_shift, window_weight
from nmdeploy.decode import decode
from nmdeploy.errors import NmdeployError
from nmdeploy.simulator import simulate
from nmdeploy.simulator.engine import Engine
from nmdeploy.simulator.tensor_engine import TensorEngine
from nmdeploy.simulator.torch_engine import TorchEngine
from nmdeploy.simulator.window import Window


@st.composite
def refining_networks(draw):
    """Neurons that take spikes back, and maxima over their counts; samples."""
    choose = Chooser(draw)
    lead = choose.integer(0, 3)
    first = input_projection(choose, tuple(choose.integer(1, 3) for _ in range(3)))
    populations = [refining(counting(choose, "population 0", first.connectivity.target_shape, 0, lead))]
    projections = []
    count = choose.integer(2, 4)
    for index in range(1, count):
        name, is_output = f"population {index}", index == count - 1
        if not is_output and choose.one_of(True, False):
            made, incoming = pool(choose, name, populations)
        else:
            made, incoming = fed(choose, name, populations, lead, is_output=is_output)
            if is_output:
                made = replace(made, reset="none", negative_threshold=None)
            else:
                counted = made if made.count_memory else counting(choose, name, made.shape, made.start_step, lead)
                made = refining(counted)
        populations.append(made)
        projections += incoming
    refinement = choose.integer(1, 4)
    net = ChipNetwork(
        input_shape=first.connectivity.source_shape,
        timesteps=refinement + choose.integer(1, 5),
        synapse_exponent=SYNAPSE_EXPONENT,
        threshold_exponent=0,
        state_max=choose.one_of(WIDE, WIDE, 400),
        bias_mantissa_max=4095,
        bias_exponent_max=7,
        graph=build_graph(populations, projections),
        input_projections=(first,),
        refinement_steps=refinement,
    )
    samples = np.random.default_rng(choose.integer(0, 99)).normal(size=(choose.integer(1, 3), *net.input_shape))
    return net, samples.astype(np.float32)


def refining(made):
    """The same neurons, but that they take spikes back and multiply."""
    memory = made.count_memory
    release = "threshold" if memory.release == "threshold" else "half"
    return replace(made, count_memory=replace(memory, release=release, shift_only=False))


ENGINES = {"numpy": Engine, "torch": TorchEngine, "device": lambda net: TensorEngine(net, torch.device("cpu"))}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_spike_is_that_of_plain_loops_on_the_global_clock(engine):
    @settings(max_examples=60, deadline=None)
    @given(refining_networks(), st.integers(1, 9))
    def compared(drawn, round_steps):
        net, samples = drawn
        spikes, potentials, saturations = chip_run(net, samples)
        made = ENGINES[engine](net)
        in_rounds = Window(made, samples, net.timesteps, record_spike_trains=True).run(round_steps)
        at_once = Window(made, samples, net.timesteps, record_spike_trains=True).run(net.timesteps)
        expected = [potentials[made.name] for made in net.populations if made.is_output]
        for found in (in_rounds, at_once):
            for name, train in spikes.items():
                np.testing.assert_array_equal(found.spike_trains[name], train, err_msg=name)
                np.testing.assert_array_equal(found.spike_counts[name], np.abs(train).sum(axis=1))
            np.testing.assert_array_equal(found.potentials, np.concatenate(expected, axis=2))
            assert found.saturations == saturations

    compared()


@given(st.integers(1, 12), st.integers(0, 5))
def test_weights_halve_at_the_end_of_the_window(timesteps, refinement):
    weights = [1 << input_shift(step, timesteps, refinement) for step in range(timesteps)]
    assert weights == step_weights(timesteps, refinement)
    assert [elapsed_weight(steps, timesteps, refinement) for steps in range(timesteps + 1)] == [
        sum(weights[:steps]) for steps in range(timesteps + 1)
    ]
    assert window_weight(timesteps, 0) == timesteps


@settings(max_examples=100, deadline=None)
@given(
    st.integers(-60, 900),
    st.integers(1, 60),
    st.integers(1, 6),
    st.integers(1, 4),
    st.sampled_from(["half", "threshold"]),
)
def test_a_constant_input_is_rounded_to_the_finer_levels(bias, threshold, ordinary, refinement, release):
    """The count, by weights, is round(L * bias / threshold) within 0 and L: L levels in far fewer steps."""
    timesteps = ordinary + refinement
    levels = window_weight(timesteps, refinement)
    memory = CountMemory(lead=timesteps, release=release)
    neuron = population(
        "n", (1, 1, 1), threshold=np.array([threshold]), bias_mantissa=np.full((1, 1, 1), bias), count_memory=memory
    )
    net = replace(network([neuron], timesteps=timesteps), refinement_steps=refinement)
    trains = simulate(net, np.zeros((1, *net.input_shape), np.float32), record_spike_trains=True).spike_trains["n"]
    count = int((trains[0, :, 0] * np.array(step_weights(timesteps, refinement))).sum())
    wanted = Fraction(levels * bias, threshold)
    assert count == min(max(int(wanted + Fraction(1, 2) if wanted > -1 else 0), 0), levels)


def test_outputs_are_decoded_by_the_weights_of_the_steps():
    """A current of 3 in every step decodes to 3, after the window and after each part of it."""
    out = population(
        "out", (1, 1, 1), reset="none", bias_mantissa=np.full((1, 1, 1), 3), is_output=True, scale=np.ones(1)
    )
    net = replace(network([out], timesteps=6), refinement_steps=3)
    potentials = simulate(net, np.zeros((1, *net.input_shape), np.float32)).potentials
    for steps in range(1, 7):
        assert decode(net, potentials[:, :steps], 6) == 3.0


def test_what_knows_no_refinement_steps_says_so():
    out = population("out", (1, 1, 1), reset="none", is_output=True)
    net = replace(network([out], timesteps=6), refinement_steps=3)
    samples = np.zeros((1, *net.input_shape), np.float32)
    with pytest.raises(NmdeployError, match="weigh less"):
        simulate(net, samples, check_interval=1)
