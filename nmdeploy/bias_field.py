"""Biases as mantissa and exponent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def to_bias_field(
    values: IntArray, mantissa_max: int, exponent_min: int, exponent_max: int
) -> tuple[IntArray, IntArray]:
    """Round each value to the nearest ``mantissa * 2**exponent``, with the smallest exponent that holds it.

    Parameters
    ----------
    values : int64 array
        In membrane units.
    mantissa_max, exponent_min, exponent_max : int
        Of the field.

    Returns
    -------
    mantissa, exponent : int64 arrays like `values`

    Raises
    ------
    OverflowError
        A value is beyond the field.
    """
    largest = int(np.abs(values).max(initial=0))
    _, bits = np.frexp(np.abs(values).astype(np.float64))
    # with fewer low bits dropped than this, the value would have more bits than the mantissa
    exponent = np.maximum(bits.astype(np.int64) - mantissa_max.bit_length(), exponent_min)
    mantissa = _rounded(values, exponent)
    while (beyond := np.abs(mantissa) > mantissa_max).any():
        exponent[beyond] += 1
        mantissa[beyond] = _rounded(values[beyond], exponent[beyond])
    if exponent.max(initial=0) > exponent_max:
        raise OverflowError(f"{largest:,} is beyond the bias field ({mantissa_max << exponent_max:,})")
    return mantissa, exponent


def _rounded(values: IntArray, exponent: IntArray) -> IntArray:
    """The nearest integers to ``values / 2**exponent``, halves up."""
    rounded: IntArray = (values + (np.int64(1) << exponent >> 1)) >> exponent
    return rounded
