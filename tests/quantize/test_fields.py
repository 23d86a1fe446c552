"""Whatever the network and the options: every number fits the field that the profile has for it."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from layer_graphs import Builder, layer_graphs, methods, quantization_options, quantized, quantized_if_possible

from nmdeploy.errors import QuantizationError
from nmdeploy.layers import operators as op
from nmdeploy.quantize import QuantizationOptions

STATE_MAX = 2**23 - 1
STEP = 64


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(layer_graphs(), quantization_options(), methods)
def test_every_field(layers, options, method):
    made = quantized_if_possible(layers, options, method)
    for projection in made.network.projections:
        check_weights(projection, options)
        assert 0 <= projection.delay <= 62
    for population in made.network.populations:
        check_biases(population, options)
        if population.reset == "none":
            assert population.is_output
            assert not population.threshold.any()
            assert not population.initial_potential.any()
        else:
            assert population.reset == options.reset
            check_thresholds(population, options)
        assert worst_input(made.network, population) <= STATE_MAX


def check_weights(projection, options):
    weights = projection.weights.astype(np.int64)
    bits = options.weight_bits
    assert projection.weight_bits == bits
    positive, negative = bool((weights > 0).any()), bool((weights < 0).any())
    if positive and negative:
        assert projection.sign_mode == "mixed"
    low, high, step = {
        "mixed": (-(2 ** (bits - 1)), max(2 ** (bits - 1) - 1, 0), 2 ** (9 - bits)),
        "excitatory": (0, 2**bits - 1, 2 ** (8 - bits)),
        "inhibitory": (-(2**bits - 1), 0, 2 ** (8 - bits)),
    }[projection.sign_mode]
    levels, remainder = np.divmod(weights, step)
    assert not remainder.any()
    assert low <= levels.min()
    assert levels.max() <= high
    assert -7 <= projection.weight_exponent <= 7
    assert projection.weight_exponent + 6 >= 0, "bits would be lost on delivery"
    if options.reset == "zero":
        assert not ((weights << (6 + projection.weight_exponent)) % STEP).any()


def check_biases(population, options):
    assert np.abs(population.bias_mantissa).max() <= 4095
    assert population.bias_exponent.min() >= 0
    assert population.bias_exponent.max() <= 7
    if options.reset == "zero":
        assert not (population.bias % STEP).any()


def check_thresholds(population, options):
    if options.reset == "subtract":
        mantissas, remainder = np.divmod(population.threshold, STEP)
        assert mantissas.min() >= 1
        assert mantissas.max() <= 255, "one reset synapse could not subtract it"
        np.testing.assert_array_equal(population.initial_potential, population.threshold // 2)
    else:
        mantissas, remainder = np.divmod(population.threshold - 1, STEP)
        assert mantissas.min() >= 0
        assert mantissas.max() <= 131071
        np.testing.assert_array_equal(population.initial_potential, (mantissas + 1) // 2 * STEP)
    assert not remainder.any()
    distinct = len(np.unique(population.threshold))
    assert distinct <= (7 if options.thresholds == "channel" else 1)


def worst_input(network, population):
    """Synaptic input of one step if all excitatory, or all inhibitory, synapses act at once."""
    highest = np.zeros((2, population.shape[0]))
    for projection in network.incoming(population.name):
        start, stop = projection.connectivity.target_channels
        weights = projection.weights.astype(np.float64) * 2.0 ** (6 + projection.weight_exponent)
        highest[0, start:stop] += np.maximum(weights, 0).sum(axis=(1, 2, 3))
        highest[1, start:stop] += np.maximum(-weights, 0).sum(axis=(1, 2, 3))
    return highest.max()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(layer_graphs(), methods)
def test_weights_over_threshold_are_those_of_the_normalised_network(layers, method):
    """Within half a level: E2, only the ratio of weight to threshold matters."""
    made = quantized_if_possible(layers, QuantizationOptions(timesteps=16), method)
    for projection in made.network.projections:
        population = made.network.population(projection.target)
        original = made.float_network.population(projection.target)
        start, stop = projection.connectivity.target_channels
        # what stands for 1: the threshold; for an output, potential units per unit of the trained network
        one = population.threshold if not population.is_output else original.scale / population.scale
        (given_projection,) = (
            candidate
            for candidate in made.float_network.incoming(projection.target)
            if candidate.name == projection.name
        )
        wanted = made.float_network.normalised_weights(given_projection)
        delivered = projection.weights * 2.0 ** (6 + projection.weight_exponent)
        level = (2 if projection.sign_mode == "mixed" else 1) * 2.0 ** (6 + projection.weight_exponent)
        error = np.abs(delivered - wanted * one[start:stop, None, None, None])
        assert error.max() <= level / 2 + 1e-6


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(layer_graphs(), methods)
def test_biases_over_threshold_are_those_of_the_normalised_network(layers, method):
    made = quantized_if_possible(layers, QuantizationOptions(timesteps=16), method)
    for population in made.network.populations:
        original = made.float_network.population(population.name)
        one = original.scale / population.scale if population.is_output else population.threshold
        wanted = original.bias / original.scale[:, None, None] * one[:, None, None]
        # half a unit of the potential, then half a step of the exponent
        assert (np.abs(population.bias - wanted) <= 0.5 + 2.0 ** population.bias_exponent / 2 + 1e-6).all()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(layer_graphs())
def test_all_paths_take_the_same_time(layers):
    """Walk every path: the delays add up to the target's start step."""
    network = quantized_if_possible(layers, QuantizationOptions(timesteps=4), "channel-max").network
    arrival = {}
    for population in network.populations:
        arrivals = {arrival[p.source] + 1 + p.delay for p in network.incoming(population.name)}
        if any(network.input_currents(population.name)):
            arrivals.add(population.start_step) if arrivals else arrivals.add(0)
        assert len(arrivals) == 1
        arrival[population.name] = arrivals.pop()
        assert population.start_step == arrival[population.name]
    for population in network.populations:  # nobody starts later than needed
        sources = [p.source for p in network.incoming(population.name)]
        assert population.start_step == max((arrival[name] + 1 for name in sources), default=0)


def chain_of(depth):
    """A shortcut around `depth` populations."""
    builder = Builder((1, 3, 3))
    builder.convolution(2)
    start = builder.add(op.ReLU())
    for _ in range(depth):
        builder.convolution(2)
        builder.add(op.ReLU())
    builder.add(op.Add(), start, builder.last)
    builder.linear(2)
    return builder.graph()


def test_shortcut_delay_is_the_depth_it_jumps():
    network = quantized(chain_of(5), QuantizationOptions(timesteps=4)).network
    assert sorted(projection.delay for projection in network.projections)[-1] == 5
    assert network.latency_steps == 4 + 6


def test_delay_of_62_is_the_last_that_fits():
    network = quantized(chain_of(62), QuantizationOptions(timesteps=1)).network
    assert max(projection.delay for projection in network.projections) == 62
    with pytest.raises(QuantizationError, match="63") as refusal:
        quantized(chain_of(63), QuantizationOptions(timesteps=1))
    assert "62" in str(refusal.value)


def simple():
    builder = Builder((1, 3, 3))
    builder.convolution(3)
    builder.add(op.ReLU())
    builder.linear(2)
    return builder.graph()


@pytest.mark.parametrize(
    ("options", "demand", "capacity"),
    [
        (QuantizationOptions(timesteps=4, weight_bits=7), "7", "1, 2, 3, 4, 5, 6, 8"),
        (QuantizationOptions(timesteps=4, weight_bits=9), "9", "8"),
        (QuantizationOptions(timesteps=4, weight_bits=1), "1-bit weights of both signs", "no positive value"),
        (QuantizationOptions(timesteps=4, reset="leak"), "leak", "subtract, zero"),
        (QuantizationOptions(timesteps=0), "0", "1"),
        (QuantizationOptions(timesteps=4, refinement_steps=4), "4 refinement steps", "window of 4"),
        (QuantizationOptions(timesteps=4, refinement_steps=2), "refinement steps need", "that take spikes back"),
    ],
)
def test_what_the_chip_lacks_is_an_error(options, demand, capacity):
    with pytest.raises(QuantizationError) as refusal:
        quantized(simple(), options)
    assert demand in str(refusal.value)
    assert capacity in str(refusal.value)


@pytest.mark.parametrize("bits", [2, 3, 8])
def test_a_strong_shortcut_lowers_the_threshold_until_its_weights_fit(bits):
    """The small difference of two values of about 1000, beside a weak 3 x 3 path that would allow any threshold."""
    builder = Builder((1, 3, 3))
    builder.add(op.Convolution(np.float32([1, 0]).reshape(2, 1, 1, 1), np.float32([1000, 1000])))
    source = builder.add(op.ReLU())
    kernel = np.full((1, 2, 3, 3), 1e-5, np.float32)
    weak = builder.add(op.Convolution(kernel, np.zeros(1, np.float32), (1, 1), (1,) * 4), source)
    difference = op.Convolution(np.float32([1, -1]).reshape(1, 2, 1, 1), np.zeros(1, np.float32))
    builder.add(op.Add(), weak, builder.add(difference, source))
    builder.add(op.ReLU())
    builder.linear(2)
    network = quantized(builder.graph(), QuantizationOptions(timesteps=4, weight_bits=bits), "layer-max").network
    before, after = network.populations[:2]
    widest = max(int(p.weights.max()) << (6 + p.weight_exponent) for p in network.incoming(after.name))
    assert widest / after.threshold[0] == pytest.approx(before.scale[0] / after.scale[0], rel=0.05)
