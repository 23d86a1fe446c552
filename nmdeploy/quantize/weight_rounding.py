"""From weights in membrane units to mantissas and an exponent, rounded as the user chooses."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hw_profiles.profile import HardwareProfile
from mapping.connectivity import Connectivity
from nmdeploy.quantize.gptq import round_with_moments
from nmdeploy.quantize.input_moments import blocks
from nmdeploy.quantize.least_squares import least_squares_exponent
from nmdeploy.quantize.limits import ROUNDING_MARGIN
from nmdeploy.quantize.synapses import Synapses
from nmdeploy.quantize.weight_format import level_unit, round_to_levels, smallest_exponent

FloatArray = NDArray[np.float64]
WeightRounding = Literal["nearest", "least-squares", "gptq"]
# With fewer bits the rounding of weights loses more than spikes do; as measured in docs/conversion.md.
ENOUGH_FOR_NEAREST = 8


def default_rounding(bits: int, calibrated: bool) -> WeightRounding:
    """The rounding of weights of so many bits that is recommended.

    Parameters
    ----------
    bits : int
    calibrated : bool
        Whether there are real samples to calibrate on; second moments of noise say nothing.
    """
    return "gptq" if calibrated and bits < ENOUGH_FOR_NEAREST else "nearest"


def weight_exponent(
    one: Synapses, scale: FloatArray, rounding: WeightRounding, grain: int, profile: HardwareProfile
) -> int | None:
    """The exponent of a projection's weights; None where a weight is too large for all.

    Parameters
    ----------
    one : Synapses
    scale : float64 array, (channels,)
        Membrane units that stand for 1, of the whole population.
    rounding : {"nearest", "least-squares", "gptq"}
        Nearest clips nothing.
    grain : int
        Every weight must deliver a multiple of ``2**grain``.
    profile : HardwareProfile
    """
    if rounding != "nearest":
        return least_squares_exponent(one, scale, grain, profile)
    return smallest_exponent(one.widest * scale[one.channels], one.field, profile.number_formats, grain)


def weight_mantissas(
    one: Synapses,
    scale: FloatArray,
    exponent: int,
    table: Connectivity,
    moments: list[FloatArray] | None,
    profile: HardwareProfile,
) -> NDArray[np.int32]:
    """Mantissas of a projection's weights.

    Parameters
    ----------
    one : Synapses
    scale : float64 array, (channels,)
        Membrane units that stand for 1, of the whole population.
    exponent : int
        From `weight_exponent`.
    table : Connectivity
    moments : list of float64 array, (groups, inputs, inputs), or None
        From `nmdeploy.quantize.input_moments`; None for rounding to nearest.
    profile : HardwareProfile

    Returns
    -------
    int32 array, (O, I/groups, K_rows, K_columns)
        No channel's magnitudes add up to more than `ROUNDING_MARGIN` times those given.
    """
    formats, field = profile.number_formats, one.field
    delivered = one.weights * scale[one.channels, None, None, None]
    nearest = round_to_levels(delivered, field, exponent, formats)
    if moments is None:
        return nearest
    levels = delivered / level_unit(field, exponent, formats)
    out, in_per_group, row_taps, column_taps = levels.shape
    # the order of inputs in receptive fields: the channels of a tap lie together
    flat = levels.transpose(0, 2, 3, 1).reshape(table.groups, out // table.groups, -1)
    parts = [
        round_with_moments(flat[:, :, part], moment, field.level_min, field.level_max)
        for part, moment in zip(blocks(flat.shape[2]), moments, strict=True)
    ]
    rounded = np.concatenate(parts, axis=2).reshape(out, row_taps, column_taps, in_per_group).transpose(0, 3, 1, 2)
    mantissas = (rounded * field.mantissa_step).astype(np.int32)
    # the limit of thresholds leaves room for this much in the state, and nearest rounding never needs more
    heavy = np.abs(rounded).sum(axis=(1, 2, 3)) > ROUNDING_MARGIN * np.abs(levels).sum(axis=(1, 2, 3))
    chosen: NDArray[np.int32] = np.where(heavy[:, None, None, None], nearest, mantissas)
    return chosen
