"""Choosing the membrane units that stand for 1: thresholds of hidden populations, the scale of outputs.

Only ratios of weights to thresholds matter, so a chip with thresholds per neuron lets every channel use the whole width
of its weight field: ``threshold = largest level * level unit / max|w|`` (with ``w`` for thresholds of 1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hw_profiles.profile import HardwareProfile
from nmdeploy.quantize.least_squares import least_squares_scale
from nmdeploy.quantize.synapses import TINY, Synapses
from nmdeploy.quantize.threshold_levels import shared_levels
from nmdeploy.quantize.weight_format import exponent_range, level_unit, smallest_exponent

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def choose_thresholds(
    limit: FloatArray,
    synapses: list[Synapses],
    reset: str,
    per_channel: bool,
    grain: int,
    profile: HardwareProfile,
    least_squares: bool = False,
) -> IntArray:
    """Threshold mantissas, in units of the threshold step.

    A larger threshold means finer weights for its channel, but all channels of a projection share one exponent, so a
    channel of a far larger threshold makes the weights of the others coarse. Every exponent of the largest projection
    is tried, with several caps on the thresholds; the thresholds that leave the least squared rounding error in all
    projections, in units of the thresholds, are taken.

    Parameters
    ----------
    limit : float64 array, (channels,)
        Largest threshold in membrane units, from `nmdeploy.quantize.limits`.
    synapses : list of Synapses
        Of all projections between populations; empty if only the input reaches the population.
    reset : {"subtract", "zero"}
        Where reset by subtraction is a recurrent synapse, the threshold must be one that it can subtract.
    per_channel : bool
        As many thresholds as one core can hold, or one for the population.
    grain : int
        Every weight must deliver a multiple of ``2**grain``.
    profile : HardwareProfile
    least_squares : bool
        Then search on from those thresholds, see `nmdeploy.quantize.least_squares`.

    Returns
    -------
    int64 array, (channels,)
        At least 1.
    """
    formats = profile.number_formats
    largest = formats.threshold_mantissa_max.value
    if reset == "subtract" and profile.core_costs.reset_synapses_per_subtractive_neuron.value:
        # an inhibitory group keeps all bits of its mantissa
        largest = min(largest, 2**formats.weight_mantissa_bits.value - 1)
    step = 1 << formats.threshold_exponent.value
    ceiling = np.minimum(limit / step, largest)
    configurations = profile.core_limits.threshold_configurations
    count = (len(limit) if configurations is None else configurations.value) if per_channel else 1
    if not synapses:
        return shared_levels(_mantissas(ceiling), count)
    main = max(synapses, key=lambda one: one.weights.size)
    best: tuple[float, IntArray] | None = None
    for exponent in reversed(exponent_range(main.field, formats, grain)):
        wanted = ceiling.copy()
        full = main.level_max * level_unit(main.field, exponent, formats) / main.widest
        wanted[main.channels] = np.minimum(wanted[main.channels], full / step)
        for cap in _caps(_mantissas(wanted)):
            chosen = shared_levels(np.minimum(_mantissas(wanted), cap), count)
            error = _expected_error(synapses, chosen * float(step), grain, profile)
            if best is None or error < best[0]:
                best = (error, chosen)
    if best is None:
        raise AssertionError("the profile has no weight exponent")
    if not least_squares:
        return best[1]

    def legal(scale: FloatArray) -> FloatArray:
        return shared_levels(_mantissas(np.minimum(scale / step, ceiling)), count).astype(np.float64) * step

    found = least_squares_scale(best[1].astype(np.float64) * step, legal, synapses, grain, profile)
    mantissas: IntArray = np.rint(found / step).astype(np.int64)
    return mantissas


def _caps(mantissas: IntArray) -> list[int]:
    """The largest mantissa, and halves of it down to the smallest."""
    caps = [int(mantissas.max())]
    while caps[-1] > mantissas.min():
        caps.append(max(caps[-1] // 2, int(mantissas.min())))
    return caps


def _expected_error(synapses: list[Synapses], scale: FloatArray, grain: int, profile: HardwareProfile) -> float:
    """Sum over all synapses of the squared rounding error to expect, in units of the thresholds.

    A twelfth of the square of a level, for levels of the smallest exponent that clips nothing.
    """
    formats = profile.number_formats
    total = 0.0
    for one in synapses:
        own = scale[one.channels]
        exponent = smallest_exponent(one.widest * own, one.field, formats, grain)
        if exponent is None:
            return float("inf")
        level = level_unit(one.field, exponent, formats)
        total += float((one.count * (level / own) ** 2).sum()) / 12
    return total


def choose_output_scale(
    limit: FloatArray, synapses: list[Synapses], grain: int, profile: HardwareProfile, least_squares: bool = False
) -> float:
    """Membrane units that stand for 1 in every channel of an output, so that potentials compare directly.

    Parameters are those of `choose_thresholds`.
    """
    ceiling = float(limit.min())
    if not synapses:
        return ceiling
    formats = profile.number_formats
    main = max(synapses, key=lambda one: one.weights.size)
    exponents = exponent_range(main.field, formats, grain)
    scales = [
        min(ceiling, main.level_max * unit / float(main.widest.max()))
        for unit in (level_unit(main.field, exponent, formats) for exponent in exponents)
    ]
    errors = [
        _rounding_error(main, np.full(len(main.weights), scale), exponent, profile)
        for scale, exponent in zip(scales, exponents, strict=True)
    ]
    # the largest scale among equally good ones: finer biases
    best = max(zip(errors, scales, strict=True), key=lambda pair: (-pair[0], pair[1]))[1]
    if not least_squares:
        return best

    def legal(scale: FloatArray) -> FloatArray:
        return np.full_like(scale, min(float(scale.min()), ceiling))

    return float(least_squares_scale(np.full(len(limit), best), legal, synapses, grain, profile)[0])


def _mantissas(wanted: FloatArray) -> IntArray:
    mantissas: IntArray = np.maximum(np.floor(wanted), 1.0).astype(np.int64)
    return mantissas


def _rounding_error(main: Synapses, scale: FloatArray, exponent: int, profile: HardwareProfile) -> float:
    """Mean over channels of the relative squared error that rounding leaves in the weights."""
    power = (main.weights**2).sum(axis=(1, 2, 3))
    return float((main.squared_error(scale, exponent, profile.number_formats) / np.maximum(power, TINY)).mean())
