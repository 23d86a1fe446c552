"""Integers for crossbars: every field holds, weights are sums of axons, neurons fire at the rate of the float ones."""

from dataclasses import replace
from itertools import product

import drawn_networks as drawn
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mapping.connectivity import Connectivity
from mapping.network import build_graph
from mapping.violation import DoesNotFitError
from nmdeploy.crossbar.axon_plan import Precision, plan_network
from nmdeploy.crossbar.bias_axons import with_bias_axons
from nmdeploy.crossbar.host_populations import host_populations
from nmdeploy.crossbar.quantize_crossbars import quantize_crossbars
from nmdeploy.errors import QuantizationError
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.bias_correction import correct_biases
from nmdeploy.quantize.gain_search import search_gains
from nmdeploy.simulator import simulate
from nmdeploy.spiking.evaluate import activations
from nmdeploy.spiking.network import INPUT, build_spiking_network

SETTINGS = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def cases(draw):
    """Profile, scaled float network, plan and integer network."""
    types, bits = draw(st.sampled_from([3, 4])), draw(st.sampled_from([12, 20]))
    profile = drawn.crossbars(draw(st.sampled_from([32, 64, 256])), types=types, potential_bits=bits)
    precision = Precision(draw(st.sampled_from([None, 1, 2, 4, 8])))
    options = {
        "initial_potential_share": draw(st.sampled_from([0.0, 0.5, 1.0])),
        "weight_rounding": draw(st.sampled_from(["nearest", "gptq"])),
        "reset": draw(st.sampled_from(["subtract", "zero"])),
        "timesteps": draw(st.sampled_from([1, 8, 64, 2000])),
    }
    try:
        narrow, _ = drawn.narrow(draw(drawn.float_networks()), profile, precision)
        found = drawn.quantized(narrow, profile, precision=precision, **options)
    except (DoesNotFitError, QuantizationError):
        assume(False)
    return profile, *found


def assert_fields_hold(network, profile):
    formats = profile.number_formats
    assert network.state_max == formats.potential_max
    for one in network.populations:
        if one.on_host:
            assert one.type_weights is None
            continue
        assert one.type_weights.shape == (one.shape[0], profile.crossbar.axon_types.value)
        assert np.abs(one.type_weights).max() <= formats.weight_max
        assert np.abs(one.bias).max() <= formats.leak_max
        assert not one.bias_exponent.any()
        assert 1 <= one.threshold.min() <= one.threshold.max() <= formats.threshold_max
        assert np.abs(one.initial_potential).max() <= formats.potential_max
        assert one.negative_threshold is None


@SETTINGS
@given(cases())
def test_fields_hold_and_weights_are_sums_of_axons(case):
    profile, _, plan, network = case
    assert_fields_hold(network, profile)
    for one in network.projections:
        target = network.population(one.target)
        if target.on_host:
            assert one.axon_types == ()
            continue
        assert one.axon_types == plan[one.name].types
        for channel, weights in enumerate(one.weights, start=one.connectivity.target_channels[0]):
            row = [int(target.type_weights[channel, kind]) for kind in one.axon_types]
            possible = {sum(np.multiply(chosen, row)) for chosen in product((0, 1), repeat=len(row))}
            assert set(weights.ravel().tolist()) <= possible


def test_fields_of_truenorth():
    formats = drawn.TRUENORTH.number_formats
    assert (formats.weight_max, formats.leak_max, formats.threshold_max) == (255, 255, 2**18 - 1)
    assert formats.potential_max == 2**19 - 1


@SETTINGS
@given(cases())
def test_inputs_of_a_step_never_exceed_the_potential(case):
    """Whatever the data: so that no weight is lost to saturation."""
    _, _, _, network = case
    for one in network.populations:
        if not one.on_host:
            arriving = np.zeros(one.shape[0])
            for into in network.incoming(one.name):
                arriving[slice(*into.connectivity.target_channels)] += np.abs(into.weights.astype(float)).sum((1, 2, 3))
            assert arriving.max() <= network.state_max


@SETTINGS
@given(cases())
def test_weights_in_thresholds_are_those_of_the_float_network(case):
    """To half a level and the rounding of the threshold; outside the levels, clipped to the outermost."""
    _, scaled, plan, network = case
    for one in network.projections:
        target = network.population(one.target)
        if target.on_host or plan[one.name].scheme is None:
            continue
        wanted = scaled.normalised_weights(next(x for x in scaled.projections if x.name == one.name))
        start = one.connectivity.target_channels[0]
        for channel in range(len(one.weights)):
            threshold = target.threshold[start + channel]
            found = one.weights[channel] / threshold
            scheme = plan[one.name].scheme
            unit = np.abs(target.type_weights[start + channel, scheme.types[0]]) / threshold
            # of nearest rounding; by gptq, errors of others are taken in
            sizes = np.abs(found).max(initial=0.0)
            assert sizes <= (max(scheme.highest, -scheme.lowest) + 1e-9) * unit
            error = np.sqrt(((found - wanted[channel]) ** 2).sum())
            assert error <= np.sqrt((wanted[channel] ** 2).sum()) * 1.01 + unit * np.sqrt(found.size)


def chain(weights, bias):
    """One layer of given weights on the chip behind as many neurons of the host as it has inputs."""
    shape, target = (weights.shape[1], 1, 1), (weights.shape[0], 1, 1)
    identity = Connectivity.identity(shape)
    return build_spiking_network(
        shape,
        [
            drawn.population("first", shape),
            drawn.population("layer", target, bias=bias),
            drawn.population("out", target, "none", is_output=True),
        ],
        [
            drawn.projection(INPUT, "first", identity, np.ones(identity.weight_shape)),
            drawn.projection("first", "layer", drawn.dense(shape, target), weights[:, :, None, None]),
            drawn.projection("layer", "out", drawn.dense(target, target), np.eye(len(weights))[:, :, None, None]),
        ],
    )


def test_rates_are_those_of_the_float_neurons():
    """A layer of 8-bit weights on a long window: spikes are the float activation to 3 % of a spike a step."""
    generator = np.random.default_rng(3)
    network = chain(generator.normal(size=(5, 16)), 0.2 * generator.normal(size=5))
    narrow, _ = drawn.narrow(network, drawn.TRUENORTH, Precision(8))
    scaled, _, made = drawn.quantized(narrow, drawn.TRUENORTH, timesteps=512, precision=Precision(8))
    samples = drawn.samples(narrow, 12)
    counts = simulate(made, samples, engine="numpy").spike_counts["layer"]
    for one, values in activations(scaled, samples):
        if one.name == "layer":
            wanted = np.clip(values.reshape(12, -1) / one.scale, 0, 1)
            assert wanted.max() > 0.5
            np.testing.assert_allclose(counts / 512, wanted, atol=0.03)


@pytest.mark.parametrize("value", [1.0, -0.5, 0.3])
def test_uniform_projections_take_one_axon_and_the_weight_itself(value):
    shape = (3, 2, 2)
    table = Connectivity.identity(shape)
    pool = replace(
        table,
        target_shape=(3, 1, 1),
        rows=np.array([[0, 1]], dtype=np.int32),
        columns=np.array([[0, 1]], dtype=np.int32),
    )
    network = build_spiking_network(
        shape,
        [
            drawn.population("first", shape),
            drawn.population("pool", (3, 1, 1), bias=[0.5, 0.5, 0.5]),
            drawn.population("out", (3, 1, 1), "none", is_output=True),
        ],
        [
            drawn.projection(INPUT, "first", table, np.ones(table.weight_shape)),
            drawn.projection("first", "pool", pool, np.full(pool.weight_shape, value)),
            drawn.projection("pool", "out", drawn.dense((3, 1, 1), (3, 1, 1)), np.eye(3)[:, :, None, None]),
        ],
    )
    narrow, _ = drawn.narrow(network, drawn.TRUENORTH)
    scaled, plan, made = drawn.quantized(narrow, drawn.TRUENORTH)
    (into,) = made.incoming("pool")
    assert len(into.axon_types) == 1
    assert plan[into.name].scheme is None
    (whole,) = scaled.incoming("pool")
    target = made.population("pool")
    wanted = scaled.normalised_weights(whole) * target.threshold[:, None, None, None]
    assert np.abs(into.weights - wanted).max() <= 0.5
    assert len(np.unique(into.weights[0])) == 1
    assert np.abs(into.weights).max() > 40, "the field is used"


def test_equal_weights_over_channels_of_different_scales_are_not_uniform():
    """Sources of scales 1 and 4: spikes of the second are worth four times as much."""
    network = chain(np.ones((2, 2)), [0.0, 0.0])
    samples_scale = {"first": np.array([1.0, 4.0]), "layer": np.array([5.0, 5.0])}
    narrow, _ = drawn.narrow(network, drawn.TRUENORTH, Precision(8))
    scaled, statistics = drawn.scaled(narrow)
    plan = plan_network(narrow, host_populations(narrow), drawn.TRUENORTH.crossbar, Precision(8))
    options = QuantizationOptions(8)
    made = quantize_crossbars(
        scaled.with_scales(samples_scale), statistics, plan, drawn.TRUENORTH, options, 4.0, drawn.samples(narrow, 4)
    )
    (into,) = made.incoming("layer")
    assert into.weights[0, 1, 0, 0] / into.weights[0, 0, 0, 0] == pytest.approx(4, rel=0.05)


@SETTINGS
@given(cases())
def test_compensation_stays_within_the_fields(case):
    """Biases of populations on the chip are leaks, or weights of an axon of their own; partial sums get none."""
    profile, scaled, _, network = case
    assume(network.timesteps <= 64)
    samples = drawn.samples(network, 8)
    corrected = correct_biases(network, scaled, samples, leak_max=profile.number_formats.leak_max)
    for made in (corrected, search_gains(network, scaled, samples)):
        assert_fields_hold(made, profile)
        assert_fields_hold(with_bias_axons(made, profile), profile)
    for one in scaled.populations:
        if one.is_partial_sum:
            assert not corrected.population(one.name).bias.any()


def test_a_shift_beyond_the_leak_is_limited():
    """Thresholds a thousand times too high leave no spikes: biases are raised as far as leaks go."""
    narrow, _ = drawn.narrow(chain(np.eye(3) + 0.1, [0.1, 0.0, -0.1]), drawn.TRUENORTH)
    scaled, _, made = drawn.quantized(narrow, drawn.TRUENORTH)
    populations = [
        one if one.on_host else replace(one, threshold=np.minimum(1000 * one.threshold, 2**18 - 1))
        for one in made.populations
    ]
    made = replace(made, graph=build_graph(populations, made.projections))
    corrected = correct_biases(made, scaled, drawn.samples(made, 16), leak_max=255)
    assert corrected.population("layer").bias.ravel().tolist() == [255, 255, 255]
    unlimited = correct_biases(made, scaled, drawn.samples(made, 16))
    assert unlimited.population("layer").bias.min() > 255


@SETTINGS
@given(cases())
def test_partial_sums_of_one_sign_share_scale_and_keep_what_is_left(case):
    _, scaled, _, network = case
    for one in scaled.populations:
        parts = [into.source for into in scaled.incoming(one.name) if into.source != INPUT]
        parts = [name for name in parts if scaled.population(name).is_partial_sum]
        for name in parts:
            assert np.array_equal(scaled.population(name).scale, scaled.population(parts[0]).scale)
            assert network.population(name).reset == "subtract"


def test_refusals():
    network = chain(np.eye(2), [0.0, 0.0])
    narrow, _ = drawn.narrow(network, drawn.TRUENORTH)
    with pytest.raises(QuantizationError, match="0 time steps"):
        drawn.quantized(narrow, drawn.TRUENORTH, timesteps=0)
    data = drawn.TRUENORTH.model_dump()
    data["reset_modes"]["names"] = ["subtract"]
    without = type(drawn.TRUENORTH).model_validate(data)
    with pytest.raises(QuantizationError, match="truenorth has no reset 'zero'; it has subtract"):
        drawn.quantized(narrow, without, reset="zero")
    drawn.quantized(narrow, without)


def test_a_bias_that_no_leak_can_be_is_refused_not_clipped():
    """1000 thresholds a step."""
    network = chain(np.eye(2), [0.0, -1000.0])
    narrow, _ = drawn.narrow(network, drawn.TRUENORTH)
    with pytest.raises(QuantizationError, match=r"layer: channel 1 takes in .* and leaks \d+ in"):
        drawn.quantized(narrow, drawn.TRUENORTH)


def test_biases_by_place_are_leaks_of_single_neurons():
    network = chain(np.eye(2), [0.0, 0.0])
    populations = [
        replace(one, shape=(2, 1, 2), bias=np.arange(4.0).reshape(2, 1, 2)) if one.name == "layer" else one
        for one in network.populations
    ]
    wide = Connectivity.identity((2, 1, 2))
    projections = list(network.projections)
    columns = np.zeros((2, 1), dtype=np.int32)
    into = replace(projections[1].connectivity, target_shape=(2, 1, 2), columns=columns)
    projections[1] = replace(projections[1], connectivity=into)
    out = drawn.dense(wide.source_shape, (2, 1, 1))
    projections[2] = replace(projections[2], connectivity=out, weights=np.ones(out.weight_shape))
    network = build_spiking_network(network.input_shape, populations, projections)
    narrow, _ = drawn.narrow(network, drawn.TRUENORTH)
    with_scales, _, quantized = drawn.quantized(narrow, drawn.TRUENORTH)
    layer = quantized.population("layer")
    assert layer.bias.shape == (2, 1, 2)
    scale = with_scales.population("layer").scale
    wanted = np.arange(4.0).reshape(2, 1, 2) / scale[:, None, None] * layer.threshold[:, None, None]
    assert np.abs(layer.bias - wanted).max() <= 0.5
    assert (layer.bias[:, 0, 0] < layer.bias[:, 0, 1]).all()


def test_small_weights_beside_a_wide_one_are_kept_as_finely_as_they_can_be():
    """A shortcut of 1 beside weights of 1/400: without the shortcut's field they would have several levels more."""
    shape = (4, 1, 1)
    small = np.random.default_rng(0).normal(size=(4, 4, 1, 1)) / 400
    table = Connectivity.identity(shape)
    network = build_spiking_network(
        shape,
        [
            drawn.population("first", shape),
            drawn.population("layer", shape),
            drawn.population("out", shape, "none", is_output=True),
        ],
        [
            drawn.projection(INPUT, "first", table, np.ones(table.weight_shape)),
            drawn.projection("first", "layer", drawn.dense(shape, shape), small),
            replace(drawn.projection("first", "layer", table, np.ones(table.weight_shape)), name="shortcut"),
            drawn.projection("layer", "out", drawn.dense(shape, shape), np.eye(4)[:, :, None, None]),
        ],
    )
    narrow, _ = drawn.narrow(network, drawn.TRUENORTH, Precision(4))
    scaled, _, made = drawn.quantized(narrow, drawn.TRUENORTH, precision=Precision(4))
    assert_fields_hold(made, drawn.TRUENORTH)
    target = made.population("layer")
    for one, whole in zip(made.incoming("layer"), scaled.incoming("layer"), strict=True):
        wanted = scaled.normalised_weights(whole)
        found = one.weights / target.threshold[:, None, None, None]
        level = np.abs(target.type_weights[:, 0]) / target.threshold
        assert np.abs(found - wanted).max() <= level.max()
