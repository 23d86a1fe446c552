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

# Factors tried on a scale. At 2, the upper half of a channel's range is clipped; smaller scales only align few weights.
FACTORS = np.concatenate([np.linspace(0.7, 1.0, 11), np.linspace(1.04, 2.0, 25)])


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
        The smallest one that clips nothing, or the next smaller one; None if all clip.
    """
    formats = profile.number_formats
    smallest = smallest_exponent(one.widest * scale[one.channels], one.field, formats, grain)
    if smallest is None or smallest - 1 not in exponent_range(one.field, formats, grain):
        return smallest
    errors = [one.squared_error(scale, exponent, formats).sum() for exponent in (smallest, smallest - 1)]
    return smallest - int(errors[1] < errors[0])


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
    # with a smaller exponent there is more to gain only where a limit keeps scales from growing
    held_back = bool((tried[-1] < 0.9 * FACTORS[-1] * scale).any())
    for lower in (0, 1) if held_back else (0,):
        errors = _errors_by_channel(synapses, tried, scale, lower, grain, profile)
        if errors is None:
            continue
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
    synapses: list[Synapses],
    tried: FloatArray,
    scale: FloatArray,
    lower: int,
    grain: int,
    profile: HardwareProfile,
) -> FloatArray | None:
    """Squared errors of every scale tried, (tried, channels), with exponents `lower` than those that `scale` needs.

    None where the format has no such exponent.
    """
    formats = profile.number_formats
    errors = np.zeros_like(tried)
    for one in synapses:
        smallest = smallest_exponent(one.widest * scale[one.channels], one.field, formats, grain)
        if smallest is None or smallest - lower not in exponent_range(one.field, formats, grain):
            return None
        for row, candidate in enumerate(tried):
            errors[row, one.channels] += one.squared_error(candidate, smallest - lower, formats)
    return errors
