"""Round weights to the levels of an axon scheme."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nmdeploy.crossbar.axon_schemes import AxonScheme
from nmdeploy.quantize.gptq import round_with_moments
from nmdeploy.quantize.input_moments import blocks
from nmdeploy.spiking.network import FloatProjection

FloatArray = NDArray[np.float64]


def rounded_levels(
    projection: FloatProjection, units: FloatArray, scheme: AxonScheme, moments: list[FloatArray] | None
) -> NDArray[np.int64]:
    """Levels of the weights of a projection.

    Parameters
    ----------
    projection : FloatProjection
        Its weights in units of its target's threshold.
    units : float64 array, (channels,)
        Weight of one level, of all channels of the target; negative where levels are turned around.
    scheme : AxonScheme
    moments : list of float64 array, (groups, inputs, inputs), or None
        From `nmdeploy.quantize.input_moments`: weights are rounded one after the other, each taking in the error of
        those before (`nmdeploy.quantize.gptq`). None: each to the nearest level.

    Returns
    -------
    int64 array, like the weights
        Multiples of ``abs(units)``.
    """
    table = projection.connectivity
    unit = units[slice(*table.target_channels)][:, None, None, None]
    wanted = projection.weights / unit
    if moments is None:
        levels = np.clip(np.rint(wanted), scheme.lowest, scheme.highest)
    else:
        out, per_group, row_taps, column_taps = wanted.shape
        # the order of inputs in receptive fields: the channels of a tap lie together
        flat = wanted.transpose(0, 2, 3, 1).reshape(table.groups, out // table.groups, -1)
        parts = [
            round_with_moments(flat[:, :, part], moment, scheme.lowest, scheme.highest)
            for part, moment in zip(blocks(flat.shape[2]), moments, strict=True)
        ]
        rounded = np.concatenate(parts, axis=2).reshape(out, row_taps, column_taps, per_group)
        levels = rounded.transpose(0, 3, 1, 2)
    whole: NDArray[np.int64] = (np.sign(unit) * levels).astype(np.int64)
    return whole
