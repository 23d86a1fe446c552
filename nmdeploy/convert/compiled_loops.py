"""The loops over histogram bins, compiled; imported where they are run, since Numba takes half a second to import."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@numba.njit(nogil=True, cache=True, error_model="numpy", boundscheck=False)
def count_magnitudes(values: NDArray[np.float32], bins_per_unit: FloatArray, counts: FloatArray) -> None:
    """Add values to a histogram of their magnitudes, zeros left out.

    Parameters
    ----------
    values : float32 array, (values, channels)
        Finite; no magnitude is beyond the last bin of its channel.
    bins_per_unit : float64 array, (channels,)
    counts : float64 array, (channels, bins)
        Changed in place.
    """
    for row in range(values.shape[0]):
        for channel in range(values.shape[1]):
            magnitude = abs(values[row, channel])
            if magnitude > 0:
                counts[channel, int(magnitude * bins_per_unit[channel])] += 1.0


@numba.njit(nogil=True, cache=True, error_model="numpy", boundscheck=False)
def excess_above(
    thresholds: FloatArray,
    bins_per_unit: FloatArray,
    counts: FloatArray,
    above: FloatArray,
    excess: FloatArray,
    found: FloatArray,
) -> None:
    """From the upper edge of each threshold's bin down to the threshold itself.

    Parameters
    ----------
    thresholds : float64 array, (channels, points)
        Not negative.
    bins_per_unit : float64 array, (channels,)
    counts : float64 array, (channels, bins)
    above, excess : float64 array, (channels, bins + 1)
        At each edge: values above it, and by how many bins they exceed it in sum.
    found : float64 array, (channels, points)
        Filled with the excess above the thresholds, in the unit of the thresholds.
    """
    bins = counts.shape[1]
    for channel in range(thresholds.shape[0]):
        for point in range(thresholds.shape[1]):
            place = thresholds[channel, point] * bins_per_unit[channel]
            if place >= bins:
                found[channel, point] = 0.0
                continue
            upper = int(place) + 1
            missing = upper - place
            total = excess[channel, upper] + above[channel, upper] * missing
            total += counts[channel, upper - 1] * missing * missing / 2.0
            found[channel, point] = total / bins_per_unit[channel]
