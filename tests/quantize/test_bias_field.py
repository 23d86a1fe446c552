"""Biases as mantissa and exponent, against every mantissa and exponent there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmdeploy.bias_field import to_bias_field


@settings(max_examples=400, deadline=None)
@given(st.data(), st.integers(1, 40), st.integers(0, 3), st.integers(0, 3))
def test_nearest_with_the_smallest_exponent(data, mantissa_max, exponent_min, more):
    exponent_max = exponent_min + more
    largest = mantissa_max << exponent_max
    value = data.draw(st.integers(-largest, largest))
    mantissas, exponents = to_bias_field(np.array([value]), mantissa_max, exponent_min, exponent_max)
    mantissa, exponent = int(mantissas[0]), int(exponents[0])
    assert abs(mantissa) <= mantissa_max
    assert exponent_min <= exponent <= exponent_max
    legal = [m << exponent for m in range(-mantissa_max, mantissa_max + 1)]
    assert abs((mantissa << exponent) - value) == min(abs(candidate - value) for candidate in legal)
    if exponent > exponent_min:  # with a smaller exponent the nearest multiple would lie outside the field
        step = 1 << (exponent - 1)
        assert abs(value) >= mantissa_max * step + step / 2


@pytest.mark.parametrize("value", [4095 * 128 + 64, -(4095 * 128 + 65), 2**40])
def test_beyond_the_field(value):
    with pytest.raises(OverflowError, match="524,160"):
        to_bias_field(np.array([0, value]), 4095, 0, 7)


def test_halves_are_rounded_up_whatever_the_sign():
    """As `mapping.network` writes it: (v + half) >> e, so that every machine rounds alike."""
    mantissa, exponent = to_bias_field(np.array([96, -96, 95]), 4095, 6, 7)
    np.testing.assert_array_equal(mantissa, [2, -1, 1])
    np.testing.assert_array_equal(exponent, [6, 6, 6])


def test_shapes_are_kept():
    values = np.arange(-12, 12).reshape(2, 3, 4)
    mantissa, exponent = to_bias_field(values, 5, 0, 3)
    assert mantissa.shape == exponent.shape == values.shape
