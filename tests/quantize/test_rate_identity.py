"""A constant current z fires a neuron clip(floor(T z / theta + 1/2), 0, T) times: rounding, not truncation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_graphs import Builder, quantized

from nmdeploy.layers import operators as op
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.simulator import simulate
from nmdeploy.simulator.input_current import constant_current


def one_population():
    """Six channels of different sign and size, straight from the input."""
    builder = Builder((1, 4, 4), seed=3)
    weight = np.array([1.0, 0.3, -0.5, 2.0, 0.7, -1.0], np.float32).reshape(6, 1, 1, 1)
    builder.add(op.Convolution(weight, np.float32([0, 0.1, 0.3, -0.5, 0, 0.2])))
    rectified = builder.add(op.ReLU())
    builder.linear(2)
    return builder.graph(builder.last), rectified


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 100), st.integers(0, 2**31))
def test_rate_of_reset_by_subtraction(timesteps, seed):
    graph, _ = one_population()
    network = quantized(graph, QuantizationOptions(timesteps)).network
    population = network.populations[0]
    samples = (2 * np.random.default_rng(seed).random((4, 1, 4, 4))).astype(np.float32)
    counts = simulate(network, samples).spike_counts[population.name].reshape(4, *population.shape)
    current = constant_current(network, population, samples).transpose(0, 3, 1, 2)
    for index in np.ndindex(counts.shape):
        z, theta = int(current[index]), int(population.threshold[index[1]])
        # floor(T z / theta + 1/2) of whole numbers
        expected = min(max((2 * timesteps * z + theta) // (2 * theta), 0), timesteps)
        assert counts[index] == expected


@pytest.mark.parametrize("timesteps", [8, 64, 512])
def test_rates_approach_activations_over_scale(timesteps):
    """Over all neurons the error is at most half a spike of the window and what the bias field rounds off."""
    graph, _ = one_population()
    made = quantized(graph, QuantizationOptions(timesteps))
    population, original = made.network.populations[0], made.float_network.populations[0]
    samples = made.calibration.samples
    counts = simulate(made.network, samples).spike_counts[population.name].reshape(-1, *population.shape)
    (projection,) = made.float_network.incoming(original.name)
    activation = np.maximum(samples * projection.weights[None, :, 0] + original.bias[None], 0)
    rate = np.minimum(activation / original.scale[None, :, None, None], 1)
    assert np.abs(counts / timesteps - rate).max() <= 0.5 / timesteps + 1 / 64
    assert rate.max() == pytest.approx(1.0)


def test_initial_potential_share():
    """Without the half threshold, a rate is rounded down."""
    graph, _ = one_population()
    share = quantized(graph, QuantizationOptions(16, initial_potential_share=0.0)).network
    assert not share.populations[0].initial_potential.any()
