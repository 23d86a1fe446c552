"""Choosing the membrane units that stand for 1: thresholds of hidden populations, the scale of outputs.

Only ratios of weights to thresholds matter, so a chip with thresholds per neuron lets every channel use the whole width
of its weight field: ``threshold = largest level * level unit / max|w|`` (with ``w`` for thresholds of 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles.profile import HardwareProfile
from nmdeploy.quantize.threshold_levels import shared_levels
from nmdeploy.quantize.weight_format import (
    WeightField,
    exponent_range,
    level_unit,
    round_to_levels,
    weight_field,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class MainWeights:
    """The synapses that decide a population's scale: those of its largest projection between populations.

    Attributes
    ----------
    weights : float64 array, (O, I/groups, K_rows, K_columns)
        For thresholds of 1.
    channels : slice
        Target channels that they cover.
    field : WeightField
    """

    weights: FloatArray
    channels: slice
    field: WeightField


def main_weights(
    candidates: list[tuple[FloatArray, tuple[int, int]]], bits: int, profile: HardwareProfile
) -> MainWeights | None:
    """The largest of several weight arrays with their target channels; None if there is none."""
    if not candidates:
        return None
    weights, (start, stop) = max(candidates, key=lambda candidate: candidate[0].size)
    return MainWeights(weights, slice(start, stop), weight_field(weights, bits, profile.number_formats))


def choose_thresholds(
    limit: FloatArray,
    main: MainWeights | None,
    reset: str,
    per_channel: bool,
    grain: int,
    profile: HardwareProfile,
) -> IntArray:
    """Threshold mantissas, in units of the threshold step.

    Every exponent of the weights is tried; the one whose thresholds give the least rounding error is taken.

    Parameters
    ----------
    limit : float64 array, (channels,)
        Largest threshold in membrane units, from `nmdeploy.quantize.limits`.
    main : MainWeights or None
        None if only the input reaches the population.
    reset : {"subtract", "zero"}
        Where reset by subtraction is a recurrent synapse, the threshold must be one that it can subtract.
    per_channel : bool
        As many thresholds as one core can hold, or one for the population.
    grain : int
        Every weight must deliver a multiple of ``2**grain``.

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
    count = profile.core_limits.threshold_configurations.value if per_channel else 1
    if main is None:
        return shared_levels(_mantissas(ceiling), count)
    best: tuple[float, IntArray] | None = None
    widest = np.abs(main.weights).max(axis=(1, 2, 3))
    for exponent in reversed(exponent_range(main.field, formats, grain)):
        unit = level_unit(main.field, exponent, formats)
        wanted = ceiling.copy()
        full = max(main.field.level_max, -main.field.level_min) * unit / np.maximum(widest, TINY)
        wanted[main.channels] = np.minimum(wanted[main.channels], full / step)
        chosen = shared_levels(_mantissas(wanted), count)
        error = _rounding_error(main, chosen[main.channels] * float(step), exponent, profile)
        if best is None or error < best[0]:
            best = (error, chosen)
    if best is None:
        raise AssertionError("the profile has no weight exponent")
    return best[1]


def choose_output_scale(limit: FloatArray, main: MainWeights | None, grain: int, profile: HardwareProfile) -> float:
    """Membrane units that stand for 1 in every channel of an output, so that potentials compare directly.

    Parameters are those of `choose_thresholds`.
    """
    ceiling = float(limit.min())
    if main is None:
        return ceiling
    formats = profile.number_formats
    widest = max(float(np.abs(main.weights).max()), TINY)
    exponents = exponent_range(main.field, formats, grain)
    scales = [
        min(ceiling, max(main.field.level_max, -main.field.level_min) * unit / widest)
        for unit in (level_unit(main.field, exponent, formats) for exponent in exponents)
    ]
    errors = [
        _rounding_error(main, np.full(len(main.weights), scale), exponent, profile)
        for scale, exponent in zip(scales, exponents, strict=True)
    ]
    # the largest scale among equally good ones: finer biases
    return max(zip(errors, scales, strict=True), key=lambda pair: (-pair[0], pair[1]))[1]


def _mantissas(wanted: FloatArray) -> IntArray:
    mantissas: IntArray = np.maximum(np.floor(wanted), 1.0).astype(np.int64)
    return mantissas


def _rounding_error(main: MainWeights, scale: FloatArray, exponent: int, profile: HardwareProfile) -> float:
    """Mean over channels of the relative squared error that rounding leaves in the weights."""
    formats = profile.number_formats
    factor = scale[:, None, None, None]
    mantissas = round_to_levels(main.weights * factor, main.field, exponent, formats)
    delivered = mantissas * 2.0 ** (formats.synapse_exponent.value + exponent)
    error = ((delivered / factor - main.weights) ** 2).sum(axis=(1, 2, 3))
    power = (main.weights**2).sum(axis=(1, 2, 3))
    return float((error / np.maximum(power, TINY)).mean())
