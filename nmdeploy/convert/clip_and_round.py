"""Thresholds that make clipping and rounding to T levels together as small as possible.

A neuron of threshold th that starts from th/2 and integrates a constant input a fires
``clip(floor(T a / th + 1/2), 0, T)`` times in T steps, so its rate stands for one of T + 1 levels, ``s = th / T``
apart. The squared error over the calibration values (SNN Calibration, Li et al. 2021, with rounding to the nearest
level in place of their rounding down) is

    sum (|a| - q(|a|))^2 = sum a^2 - 2 s sum_{j=1..T} E((j - 1/2) s),    E(t) = sum max(|a| - t, 0)

because ``q(a) = s * #{j : a >= (j - 1/2) s}``: the sums of ``a q(a)`` and of ``q(a)^2`` are sums over the T rounding
borders. Negative values of leaky units are rounded as their magnitudes are, and clipped at -T levels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nmdeploy.convert.excess import ExcessFunction
from nmdeploy.convert.histogram import BINS, MagnitudeHistogram

FloatArray = NDArray[np.float64]

# Candidates as shares of the channel's largest magnitude: 1, 0.99, ..., 0.06 as published, then finer about the best.
COARSE_SHARES = 1.0 - 0.01 * np.arange(95)
FINE_STEPS = 0.001 * np.arange(-9, 10)


def clip_and_round_thresholds(histogram: MagnitudeHistogram, timesteps: int) -> FloatArray:
    """The threshold of least clip-and-round error of each channel.

    Parameters
    ----------
    histogram : MagnitudeHistogram
    timesteps : int
        T, the steps of the window; at least 1.

    Returns
    -------
    float64 array, (channels,)
        0 for a channel of zeros.
    """
    excess = ExcessFunction(histogram)
    coarse = np.broadcast_to(COARSE_SHARES, (len(histogram.largest), len(COARSE_SHARES)))
    about = _best_share(histogram, excess, coarse, timesteps)
    fine = np.minimum(about[:, None] + FINE_STEPS, 1.0)
    return _best_share(histogram, excess, fine, timesteps) * histogram.largest


def clip_and_round_error(
    histogram: MagnitudeHistogram, excess: ExcessFunction, thresholds: FloatArray, timesteps: int
) -> FloatArray:
    """Squared error of each channel for each of some thresholds, summed over its values.

    Parameters
    ----------
    histogram : MagnitudeHistogram
    excess : ExcessFunction
        Of the same histogram.
    thresholds : float64 array, (channels, candidates)
    timesteps : int

    Returns
    -------
    float64 array, (channels, candidates)
        In squared activation units.
    """
    centres = np.arange(BINS) + 0.5
    # the mean square of values evenly spread in a bin: of its centre, and a twelfth for the spread
    power = (histogram.counts * (centres**2 + 1.0 / 12.0)).sum(axis=1) * histogram.width**2
    levels = thresholds / timesteps
    error: FloatArray = power[:, None] - 2.0 * levels * excess.over_borders(levels, timesteps)
    return error


def _best_share(
    histogram: MagnitudeHistogram, excess: ExcessFunction, shares: FloatArray, timesteps: int
) -> FloatArray:
    """Of the shares (channels, candidates) of the largest magnitude, the best of each channel."""
    errors = clip_and_round_error(histogram, excess, shares * histogram.largest[:, None], timesteps)
    best: FloatArray = shares[np.arange(len(shares)), errors.argmin(axis=1)]
    return best
