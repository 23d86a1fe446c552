"""Roundings of whole networks: what they promise of each projection, whatever its connectivity."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layer_graphs import LOIHI, Builder, layer_graphs, methods, quantized, quantized_if_possible

from hw_profiles import load_profile
from nmdeploy.errors import NmdeployError, QuantizationError
from nmdeploy.layers import operators as op
from nmdeploy.quantize import QuantizationOptions, quantize, weight_rounding
from nmdeploy.quantize.gptq import damping
from nmdeploy.quantize.input_moments import InputMoments
from nmdeploy.quantize.weight_format import weight_field
from nmdeploy.quantize.weight_rounding import default_rounding

SAMPLES = np.random.default_rng(8).random((40, 3, 8, 8)).astype(np.float32)


def network_of_all_kinds():
    """A grouped, a depthwise and a strided convolution, a shortcut and a dense layer."""
    builder = Builder((3, 8, 8), seed=9)
    builder.convolution(8)
    before = builder.add(op.ReLU())
    builder.convolution(8, groups=4)
    builder.add(op.Add(), builder.last, before)
    builder.add(op.ReLU())
    builder.convolution(8, groups=8)
    builder.add(op.ReLU())
    builder.convolution(6, stride=2)
    builder.add(op.ReLU())
    builder.linear(4)
    return builder.graph()


def made(rounding, bits=4, profile=LOIHI):
    options = QuantizationOptions(timesteps=16, weight_bits=bits, weight_rounding=rounding)
    return quantized(network_of_all_kinds(), options, "channel-mse", profile, SAMPLES)


def wanted_and_delivered(made_network, name):
    """Weights of a projection for thresholds of 1: those wanted, delivered, and the unit of a mantissa."""
    network, original = made_network.network, made_network.float_network
    (projection,) = (one for one in network.projections if one.name == name)
    (given_one,) = (one for one in original.projections if one.name == name)
    population = network.population(projection.target)
    units = population.threshold
    if population.is_output:
        units = original.population(projection.target).scale / population.scale
    start, stop = projection.connectivity.target_channels
    unit = 2.0 ** (network.synapse_exponent + projection.weight_exponent) / units[start:stop, None, None, None]
    return original.normalised_weights(given_one), projection.weights * unit, unit


def squared_errors(made_network):
    """Of all projections into each population, in units of its scale."""
    errors = {}
    for projection in made_network.network.projections:
        wanted, delivered, _ = wanted_and_delivered(made_network, projection.name)
        errors[projection.target] = errors.get(projection.target, 0.0) + ((wanted - delivered) ** 2).sum()
    return errors


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(layer_graphs(), st.integers(2, 8).filter(lambda bits: bits != 7), st.sampled_from(["channel", "layer"]), methods)
def test_least_squares_is_never_worse(layers, bits, thresholds, method):
    options = QuantizationOptions(timesteps=16, weight_bits=bits, thresholds=thresholds)
    nearest = squared_errors(quantized_if_possible(layers, options, method))
    least = squared_errors(quantized_if_possible(layers, replace(options, weight_rounding="least-squares"), method))
    for name, error in nearest.items():
        assert least[name] <= error * (1 + 1e-9)


def test_least_squares_clips_what_is_worth_it():
    """Normally distributed weights on 4 bits, where thresholds are free."""
    chip = load_profile("loihi2")
    errors = [sum(squared_errors(made(rounding, 4, chip)).values()) for rounding in ("nearest", "least-squares")]
    assert errors[1] < 0.9 * errors[0]


def quadratic(errors, table, moments):
    flat = errors.transpose(0, 2, 3, 1).reshape(table.groups, table.out_channels // table.groups, -1)
    hessian = moments + damping(moments)[:, None, None] * np.eye(moments.shape[1])
    return float(np.einsum("goi,gij,goj->", flat, hessian, flat))


def one_input(projection):
    """Whether its neurons have one synapse each, as those of a shortcut: there is nothing to choose."""
    return projection.weights[0].size == 1


def test_gptq_changes_outputs_less_than_nearest_for_every_connectivity():
    found = made("gptq")
    moments = InputMoments(found.float_network, found.calibration.samples)
    kinds = set()
    for projection in found.network.projections:
        table = projection.connectivity
        (moment,) = moments.take(projection.name)
        wanted, delivered, unit = wanted_and_delivered(found, projection.name)
        field = weight_field(wanted, 4, LOIHI.number_formats)
        levels = np.rint(wanted / unit / field.mantissa_step)
        nearest = np.clip(levels, field.level_min, field.level_max) * field.mantissa_step * unit
        ours, theirs = (quadratic(error, table, moment) for error in (wanted - delivered, wanted - nearest))
        if one_input(projection):
            assert ours == theirs
            continue
        assert ours < 0.95 * theirs
        dense = table.rows.shape[0] == 1
        kinds.add("dense" if dense else f"{table.groups} groups, {table.source_shape[1] // table.target_shape[1]}")
    assert kinds == {"4 groups, 1", "8 groups, 1", "1 groups, 2", "dense"}


@pytest.mark.parametrize("rounding", ["least-squares", "gptq"])
def test_the_same_integers_every_time(rounding):
    first, second = made(rounding), made(rounding)
    for one, other in zip(first.network.projections, second.network.projections, strict=True):
        assert one.weight_exponent == other.weight_exponent
        np.testing.assert_array_equal(one.weights, other.weights)
    for one, other in zip(first.network.populations, second.network.populations, strict=True):
        np.testing.assert_array_equal(one.threshold, other.threshold)


def test_rounding_changes_weights_alone():
    """Biases, schedules and input weights are those of the same scale."""
    least, gptq = made("least-squares"), made("gptq")
    for one, other in zip(least.network.populations, gptq.network.populations, strict=True):
        np.testing.assert_array_equal(one.threshold, other.threshold)
        np.testing.assert_array_equal(one.bias, other.bias)
    pairs = list(zip(least.network.projections, gptq.network.projections, strict=True))
    assert all(one.weight_exponent == other.weight_exponent for one, other in pairs)
    assert all((one.weights != other.weights).any() != one_input(one) for one, other in pairs)


def test_channels_that_would_outgrow_the_state_are_rounded_to_nearest(monkeypatch):
    """Thresholds leave room for twice the magnitudes of the weights."""
    least = made("least-squares")
    monkeypatch.setattr(weight_rounding, "round_with_moments", lambda wanted, *_: np.full_like(wanted, 7.0))
    outgrown = made("gptq")
    replaced = 0
    for one, other in zip(least.network.projections, outgrown.network.projections, strict=True):
        wanted, delivered, _ = wanted_and_delivered(outgrown, one.name)
        kept = (other.weights == one.weights).all(axis=(1, 2, 3))
        replaced += kept.sum()
        assert (np.abs(delivered).sum(axis=(1, 2, 3)) <= 2 * np.abs(wanted).sum(axis=(1, 2, 3)) + 1e-9)[~kept].all()
    assert replaced


@pytest.mark.parametrize("samples", [None, np.zeros((0, 3, 8, 8), np.float32)], ids=["none", "empty"])
def test_gptq_without_samples_is_refused(samples):
    found = made("nearest")
    options = QuantizationOptions(timesteps=16, weight_rounding="gptq")
    with pytest.raises(QuantizationError, match="'gptq' needs calibration samples") as refusal:
        quantize(found.float_network, found.converted.statistics, LOIHI, options, 1.0, samples)
    assert isinstance(refusal.value, NmdeployError)


def test_the_default():
    assert [default_rounding(bits, calibrated=True) for bits in (4, 6, 8, 16)] == ["gptq", "gptq", "nearest", "nearest"]
    assert default_rounding(4, calibrated=False) == "nearest"
