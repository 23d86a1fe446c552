"""Scales and exponents that leave the least squared rounding error, where clipping a few weights may be worth it.

Only ratios of weights to thresholds matter: a larger threshold means a smaller step of its channel's weights, and the
largest of them are clipped. The search begins with the scale that clips nothing, and keeps it if nothing is better.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hw_profiles.profile import HardwareProfile
from nmdeploy.quantize.synapses import Synapses
from nmdeploy.quantize.weight_format import exponent_range, smallest_exponent

FloatArray = NDArray[np.float64]

# Factors tried on a scale. At 4, all weights above a quarter of the largest are clipped; below 1, some weights may
# happen to be closer to a level.
FACTORS = np.concatenate([np.linspace(0.7, 1.0, 11), np.geomspace(1.03, 4.0, 32)])


def least_squares_exponent(one: Synapses, scale: FloatArray, grain: int, profile: HardwareProfile) -> int | None:
    """The exponent of least squared error.

    Parameters
    ----------
    one : Synapses
    scale : float64 array, (channels,)
        Membrane units that stand for 1, of the whole population.
    grain : int
        Every weight must deliver a multiple of ``2**grain``.
    profile : HardwareProfile

    Returns
    -------
    int or None
        The smallest one that clips nothing, or a smaller one, as long as the error falls; None if all clip.
    """
    formats = profile.number_formats
    exponent = smallest_exponent(one.widest * scale[one.channels], one.field, formats, grain)
    if exponent is None:
        return None
    least = one.squared_error(scale, exponent, formats).sum()
    while exponent - 1 in exponent_range(one.field, formats, grain):
        error = one.squared_error(scale, exponent - 1, formats).sum()
        if error >= least:
            break
        exponent, least = exponent - 1, error
    return exponent


def least_squares_scale(
    scale: FloatArray,
    legal: Callable[[FloatArray], FloatArray],
    synapses: list[Synapses],
    grain: int,
    profile: HardwareProfile,
) -> FloatArray:
    """A scale of less squared error than the one given, or that one.

    One factor for all channels is tried, and for each channel its own.

    Parameters
    ----------
    scale : float64 array, (channels,)
        Membrane units that stand for 1, with which no weight is clipped.
    legal : callable
        Turns a scale into one that is allowed, nowhere larger.
    synapses : list of Synapses
        Of all projections between populations.
    grain : int
        As in `least_squares_exponent`.
    profile : HardwareProfile

    Returns
    -------
    float64 array, (channels,)
        Legal. The sum over all synapses of the squared error, in units of the scale, is not above that of `scale`.
    """
    best, least = scale, _least_error(synapses, scale, grain, profile)
    tried = np.stack([legal(scale * factor) for factor in FACTORS])
    errors = _errors_by_channel(synapses, tried, scale, grain, profile)
    own = tried[errors.argmin(axis=0), np.arange(len(scale))]
    for candidate in (tried[errors.sum(axis=1).argmin()], legal(own)):
        error = _least_error(synapses, candidate, grain, profile)
        if error < least:
            best, least = candidate, error
    return best


def _least_error(synapses: list[Synapses], scale: FloatArray, grain: int, profile: HardwareProfile) -> float:
    """Sum of the squared errors of all synapses with their best exponents; infinite if there is none."""
    total = 0.0
    for one in synapses:
        exponent = least_squares_exponent(one, scale, grain, profile)
        if exponent is None:
            return float("inf")
        total += float(one.squared_error(scale, exponent, profile.number_formats).sum())
    return total


def _errors_by_channel(
    synapses: list[Synapses], tried: FloatArray, scale: FloatArray, grain: int, profile: HardwareProfile
) -> FloatArray:
    """Squared errors of every scale tried, (tried, channels), with the exponents that clip nothing of `scale`."""
    formats = profile.number_formats
    errors = np.zeros_like(tried)
    for one in synapses:
        exponent = smallest_exponent(one.widest * scale[one.channels], one.field, formats, grain)
        if exponent is None:  # refused later on
            continue
        for row, candidate in enumerate(tried):
            errors[row, one.channels] += one.squared_error(candidate, exponent, formats)
    return errors
