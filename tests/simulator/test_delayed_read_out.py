"""Outputs read from a later step of their window on, step by step and by hand; the counts of single populations."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from chip_clock import step_weights
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_networks import network, population
from lava_backend.networks import networks, samples_for
from test_refinement_steps import refining_networks

from mapping.network import build_graph
from mapping.step_weights import levels_from
from nmdeploy.decode import decode
from nmdeploy.simulator import simulate
from nmdeploy.simulator.layer_by_layer import LayerByLayer
from nmdeploy.simulator.simulate import Simulator

windows = st.integers(1, 9).flatmap(
    lambda steps: st.tuples(st.just(steps), st.integers(0, min(steps - 1, 4)), st.integers(0, steps - 1))
)


@given(windows)
def test_levels_from_a_step_on(window):
    timesteps, refinement, begin = window
    assert levels_from(begin, timesteps, refinement) == sum(step_weights(timesteps, refinement)[begin:])


@settings(max_examples=100, deadline=None)
@given(windows, st.data())
def test_outputs_are_what_arrived_from_the_read_out_on(window, data):
    """Two outputs of unlike scales; each step brings any current, shifted by the weight of the step."""
    timesteps, refinement, begin = window
    scales = np.array([0.75, 2.5])
    out = population("out", (2, 1, 1), reset="none", is_output=True, scale=scales)
    net = replace(network([out], timesteps=timesteps), refinement_steps=refinement, read_out_step=begin)
    currents = data.draw(st.lists(st.tuples(*[st.integers(-99, 99)] * 2), min_size=timesteps, max_size=timesteps))
    weights = step_weights(timesteps, refinement)
    arriving = [[weight * one for one in current] for weight, current in zip(weights, currents, strict=True)]
    potentials = np.cumsum(np.array(arriving, dtype=np.int64), axis=0)[None]
    for steps in range(1, timesteps + 1):
        # before the read-out the outputs are what all steps so far say
        read = range(begin if begin < steps else 0, steps)
        found = decode(net, potentials[:, :steps], timesteps)
        for index, scale in enumerate(scales):
            mean = Fraction(sum(arriving[step][index] for step in read), sum(weights[step] for step in read))
            assert found[0, index] == pytest.approx(float(mean) * scale, rel=1e-12)


def test_the_first_steps_are_left_out():
    """A current that only the first steps bring leaves nothing of it in the output."""
    out = population("out", (1, 1, 1), reset="none", is_output=True)
    net = replace(network([out], timesteps=4), read_out_step=2)
    assert decode(net, np.array([[[50], [70], [73], [76]]])) == 3.0
    assert decode(net, np.array([[[50], [70], [73]]]), 4) == 3.0
    assert decode(net, np.array([[[50], [70]]]), 4) == 35.0


@st.composite
def layered_networks(draw):
    """A network of any neurons whose spikes all come in time, as quantisation makes them, and samples."""
    net, samples = draw(refining_networks()) if draw(st.booleans()) else (draw(networks()), None)
    timely = [replace(one, delay=one.delay - net.lag(one)) for one in net.projections]
    net = replace(net, graph=build_graph(net.populations, timely))
    return net, draw(samples_for(net)) if samples is None else samples


@settings(max_examples=30, deadline=None)
@given(layered_networks(), st.data())
def test_counts_of_a_population_from_a_step_on(drawn, data):
    """Every spike of the trains is counted by the weight of its step, those before the first step not at all."""
    net, samples = drawn
    first_step = data.draw(st.integers(0, net.timesteps - 1))
    weights = step_weights(net.timesteps, net.refinement_steps)
    layers = LayerByLayer(net, samples)
    collected = {}
    for one in net.populations:
        counts, potentials = layers.run(one, first_step)
        trains = np.concatenate(list(layers.trains(one.name)), axis=1)
        expected = np.zeros((len(samples), *one.shape), dtype=np.int64)
        for step in range(first_step, net.timesteps):
            expected += weights[step] * trains[step].transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(counts, expected.reshape(len(samples), -1))
        collected[one.name] = potentials
        layers.release(one)
    whole = simulate(net, samples).potentials
    before = whole[:, first_step - 1] if first_step else np.zeros_like(whole[:, -1])
    outputs = np.concatenate([collected[one.name] for one in net.outputs], axis=1)
    np.testing.assert_array_equal(outputs, whole[:, -1] - before)


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_a_population_may_be_run_with_other_fields(engine):
    """Thresholds, biases and initial potentials tried on single populations are those that the network would have."""

    @settings(max_examples=30, deadline=None)
    @given(layered_networks(), st.integers(2, 5))
    def compared(drawn, factor):
        net, samples = drawn
        tried = LayerByLayer(net, samples, Simulator(net, engine))
        changed = [
            replace(one, threshold=factor * one.threshold, initial_potential=one.initial_potential + factor)
            if one.pool_counts is None
            else one
            for one in net.populations
        ]
        changed = [replace(one, bias_mantissa=one.bias_mantissa + (one.pool_counts is None)) for one in changed]
        made = replace(net, graph=build_graph(changed, net.projections))
        expected = LayerByLayer(made, samples, Simulator(made, "numpy"))
        for before, after in zip(net.populations, changed, strict=True):
            tried.run(before)
            for found, wanted in zip(tried.run(after), expected.run(after), strict=True):
                np.testing.assert_array_equal(found, wanted)

    compared()
