"""The part of a current that the host computes from a sample, as integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.network import InputProjection
from nmdeploy.spiking.network import FloatProjection

# Fraction bits of samples and, at most, of the weights that the host applies to them: finer than the current.
INPUT_FRACTION_BITS = 16
# Sums of products of input currents must stay exact in float64; samples may be this much larger than in calibration.
INPUT_RANGE_MARGIN = 16.0
EXACT_BITS = 53


def input_projection(
    projection: FloatProjection, delivered: NDArray[np.float64], input_max: float
) -> InputProjection:
    """Fixed-point weights, as fine as exact sums in float64 allow.

    Parameters
    ----------
    projection : FloatProjection
        From the input.
    delivered : float64 array, `projection.connectivity.weight_shape`
        Its weights in membrane units of the target.
    input_max : float
        Largest magnitude of a preprocessed calibration sample.
    """
    largest_sum = float(np.abs(delivered).sum(axis=(1, 2, 3)).max()) * max(input_max, 1.0) * INPUT_RANGE_MARGIN
    bits = int(EXACT_BITS - 1 - INPUT_FRACTION_BITS - np.ceil(np.log2(max(largest_sum, 1.0))))
    fraction_bits = max(0, min(INPUT_FRACTION_BITS, bits))
    return InputProjection(
        name=projection.name,
        target=projection.target,
        connectivity=projection.connectivity,
        weights=np.rint(delivered * 2.0**fraction_bits).astype(np.int64),
        weight_fraction_bits=fraction_bits,
        input_fraction_bits=INPUT_FRACTION_BITS,
    )
