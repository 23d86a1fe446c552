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
    mantissa = np.zeros_like(values)
    exponent = np.full_like(values, -1)
    for candidate in range(exponent_min, exponent_max + 1):
        rounded = (values + (1 << candidate >> 1)) >> candidate
        fits = (exponent < 0) & (np.abs(rounded) <= mantissa_max)
        mantissa[fits] = rounded[fits]
        exponent[fits] = candidate
    if (exponent < 0).any():
        largest = int(np.abs(values).max())
        raise OverflowError(f"{largest:,} is beyond the bias field ({mantissa_max << exponent_max:,})")
    return mantissa, exponent
