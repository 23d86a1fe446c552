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
def excess_above(thresholds: FloatArray, above: FloatArray, excess: FloatArray, found: FloatArray) -> None:
    """Sum of what values exceed a threshold by, values evenly spread in their bins; all in bin widths.

    Parameters
    ----------
    thresholds : float64 array, (channels,)
        Not negative.
    above, excess : float64 array, (channels, bins + 1)
        At each edge: how many values are above it, and by how much they exceed it in sum.
    found : float64 array, (channels,)
        Filled.
    """
    for channel in range(len(thresholds)):
        found[channel] = _excess_at(thresholds[channel], above[channel], excess[channel])


@numba.njit(nogil=True, cache=True, error_model="numpy", boundscheck=False)
def excess_above_borders(
    levels: FloatArray, timesteps: int, above: FloatArray, excess: FloatArray, found: FloatArray
) -> None:
    """The same, summed over the thresholds ``(j - 1/2) * level`` with j from 1 to `timesteps`.

    Parameters
    ----------
    levels : float64 array, (channels, candidates)
        Not negative.
    timesteps : int
    above, excess : float64 array, (channels, bins + 1)
    found : float64 array, (channels, candidates)
        Filled.
    """
    bins = above.shape[1] - 1
    for channel in range(levels.shape[0]):
        for candidate in range(levels.shape[1]):
            level, total = levels[channel, candidate], 0.0
            for j in range(timesteps):
                border = (j + 0.5) * level
                if border >= bins:
                    break
                total += _excess_at(border, above[channel], excess[channel])
            found[channel, candidate] = total


@numba.njit(inline="always")
def _excess_at(threshold: float, above: FloatArray, excess: FloatArray) -> float:
    """From the upper edge of the threshold's bin down to the threshold itself."""
    if threshold >= len(above) - 1:
        return 0.0
    upper = int(threshold) + 1
    missing = upper - threshold
    in_bin = above[upper - 1] - above[upper]
    return float(excess[upper] + above[upper] * missing + in_bin * missing * missing / 2.0)
