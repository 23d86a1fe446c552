"""Input currents against fractions: fixed point, rounding, the bias field."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_networks import input_projection, network, one_to_one, population, whole

from nmdeploy.errors import DataFileError
from nmdeploy.simulator import simulate
from nmdeploy.simulator.input_current import constant_current

HALF = Fraction(1, 2)


def current_of(net, samples):
    return constant_current(net, net.populations[0], samples)


def net_with(weights, bias=0, weight_bits=0, input_bits=0, channels=1, **fields):
    outputs = len(weights)
    target = population("n", (outputs, 1, 1), bias_mantissa=np.full((outputs, 1, 1), bias), **fields)
    inputs = input_projection("n", whole((channels, 1, 1), (outputs, 1, 1)), weights, weight_bits, input_bits)
    return network([target], inputs=[inputs], input_shape=(channels, 1, 1), threshold_exponent=6)


def in_field(value, lowest=0):
    """Nearest mantissa * 2**exponent, halves up, smallest exponent whose mantissa fits 4095."""
    for exponent in range(lowest, 8):
        mantissa = math.floor(Fraction(value, 2**exponent) + HALF)
        if abs(mantissa) <= 4095:
            return mantissa * 2**exponent
    return None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(-50, 50, width=32), min_size=3, max_size=3),
    st.lists(st.integers(-3000, 3000), min_size=6, max_size=6),
    st.integers(-4095, 4095),
    st.integers(0, 12),
    st.integers(0, 16),
    st.sampled_from(["subtract", "zero"]),
)
def test_fixed_point_arithmetic(values, weights, bias, weight_bits, input_bits, reset):
    rows = [weights[:3], weights[3:]]
    net = net_with(rows, bias, weight_bits, input_bits, channels=3, reset=reset)
    fixed = [round(Fraction(value) * 2**input_bits) for value in values]
    totals = [sum(w * x for w, x in zip(row, fixed, strict=True)) for row in rows]
    wanted = [math.floor(Fraction(total, 2 ** (weight_bits + input_bits)) + HALF) + bias for total in totals]
    expected = [in_field(current, 6 if reset == "zero" else 0) for current in wanted]
    sample = np.array(values, np.float32).reshape(1, 3, 1, 1)
    if None in expected:
        with pytest.raises(DataFileError, match="n: a sample's input current"):
            current_of(net, sample)
    else:
        assert current_of(net, sample)[0, 0, 0].tolist() == expected


def test_a_population_without_input_has_its_bias_alone():
    net = network([population("n", (2, 1, 1), bias_mantissa=np.array([3, -4]).reshape(2, 1, 1))])
    assert current_of(net, np.zeros((5, 1, 1, 1), np.float32)).tolist() == [[[[3, -4]]]]


def test_rounding_to_the_field():
    """5000 needs exponent 1, 8191 becomes 2048 * 4, since 4096 does not fit."""
    net = net_with([[1]])
    samples = np.array([4095, 5001, 8191, -8191], np.float32).reshape(4, 1, 1, 1)
    assert current_of(net, samples).ravel().tolist() == [4095, 5002, 8192, -8190]


def test_reset_to_zero_keeps_to_threshold_steps():
    net = net_with([[1]], reset="zero")
    samples = np.array([31, 32, 95, 96, -32, -33], np.float32).reshape(6, 1, 1, 1)
    assert current_of(net, samples).ravel().tolist() == [0, 64, 64, 128, 0, -64]


def test_too_large_a_sample_is_the_data_s_fault():
    net = net_with([[1]])
    largest = 4095 * 128
    assert simulate(net, np.full((1, 1, 1, 1), largest, np.float32)).spike_counts["n"].any()
    with pytest.raises(DataFileError, match="524,160"):
        simulate(net, np.full((1, 1, 1, 1), largest + 64, np.float32))


def test_a_sum_that_float64_would_round_is_refused():
    net = net_with([[2**40]], weight_bits=40, input_bits=16)
    with pytest.raises(DataFileError, match="too large for exact input currents"):
        simulate(net, np.ones((1, 1, 1, 1), np.float32))


def test_two_projections_are_rounded_one_by_one_then_added():
    """As the docstring of InputProjection says: half of 1 is 1, twice."""
    target = population("n", (1, 1, 1))
    inputs = [input_projection("n", one_to_one((1, 1, 1)), [1], 1, 0) for _ in range(2)]
    net = network([target], inputs=inputs)
    assert current_of(net, np.ones((1, 1, 1, 1), np.float32)).item() == 2


def test_each_pixel_gets_its_own_current():
    shape = (2, 3, 4)
    net = network(
        [population("n", shape)], inputs=[input_projection("n", one_to_one(shape), [3, -5])], input_shape=shape
    )
    sample = np.arange(24, dtype=np.float32).reshape(1, *shape)
    expected = sample * np.array([3, -5]).reshape(2, 1, 1)
    np.testing.assert_array_equal(current_of(net, sample), expected.transpose(0, 2, 3, 1))
