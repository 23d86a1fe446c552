"""Weights as mantissas and an exponent, in the fields of the profile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles.profile import NumberFormats
from mapping.network import SignMode

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class WeightField:
    """The weights that a synapse format can hold: multiples of a step, up to a largest one.

    Attributes
    ----------
    sign_mode : {"mixed", "excitatory", "inhibitory"}
        A mixed-sign group of Loihi loses the lowest bit of its mantissa; a group of one sign does not.
    bits : int
        Width of the field.
    mantissa_step : int
        Difference of neighbouring mantissas: ``2**(mantissa_bits - bits + lost bits)`` where weights stand at the
        top of the mantissa.
    level_min, level_max : int
        Smallest and largest multiple of the step.
    """

    sign_mode: SignMode
    bits: int
    mantissa_step: int
    level_min: int
    level_max: int


def weight_field(weights: FloatArray, bits: int, formats: NumberFormats) -> WeightField:
    """The field for weights of these signs.

    Parameters
    ----------
    weights : float64 array
    bits : int
        One of ``formats.weight_bits``.
    """
    step = formats.mantissa_step(bits)
    if (weights >= 0).all():
        return WeightField("excitatory", bits, step, 0, 2**bits - 1)
    if (weights <= 0).all():
        return WeightField("inhibitory", bits, step, -(2**bits - 1), 0)
    # symmetric, so that a weight and its negative are rounded alike
    limit = 2 ** (bits - 1) - 1 if bits > 1 else 1
    mixed_step = step << formats.mixed_sign_lost_bits.value
    return WeightField("mixed", bits, mixed_step, -limit if bits > 1 else -1, limit if bits > 1 else 0)


def exponent_range(field: WeightField, formats: NumberFormats, grain: int) -> range:
    """Exponents with which no bit is lost on delivery and every weight delivers a multiple of ``2**grain``.

    Parameters
    ----------
    field : WeightField
    grain : int
        0 where any whole number of membrane units will do.
    """
    field_bits = field.mantissa_step.bit_length() - 1
    lowest = max(
        formats.weight_exponent_min.value,
        -formats.synapse_exponent.value,
        grain - formats.synapse_exponent.value - field_bits,
    )
    return range(lowest, formats.weight_exponent_max.value + 1)


def level_unit(field: WeightField, exponent: int, formats: NumberFormats) -> float:
    """Membrane units that one level of a weight delivers."""
    return field.mantissa_step * 2.0 ** (formats.synapse_exponent.value + exponent)


def largest_weight(field: WeightField, formats: NumberFormats) -> float:
    """Membrane units that the field's largest weight delivers with the largest exponent."""
    return max(field.level_max, -field.level_min) * level_unit(field, formats.weight_exponent_max.value, formats)


def smallest_exponent(
    delivered: FloatArray, field: WeightField, formats: NumberFormats, grain: int
) -> int | None:
    """The smallest exponent with which no weight is clipped, or None.

    Parameters
    ----------
    delivered : float64 array
        Weights in membrane units.
    grain : int
        As in `exponent_range`.
    """
    largest_level = max(field.level_max, -field.level_min)
    largest = float(np.abs(delivered).max(initial=0.0))
    for exponent in exponent_range(field, formats, grain):
        if largest <= (largest_level + 0.5) * level_unit(field, exponent, formats):
            return exponent
    return None


def round_to_levels(
    delivered: FloatArray, field: WeightField, exponent: int, formats: NumberFormats
) -> NDArray[np.int32]:
    """Mantissas nearest to weights given in membrane units."""
    levels = np.rint(delivered / level_unit(field, exponent, formats))
    clipped = np.clip(levels, field.level_min, field.level_max)
    mantissas: NDArray[np.int32] = (clipped * field.mantissa_step).astype(np.int32)
    return mantissas
