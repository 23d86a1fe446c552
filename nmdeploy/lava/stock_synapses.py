"""Projections as weights of Lava's own Conv and Dense processes, where these can carry them exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lava.utils.weightutils import clip_weights, determine_sign_mode, truncate_weights
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.convolution_geometry import covers_source
from nmdeploy.lava.conv_synapses import ConvSynapses, conv_synapses

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class DenseWeights:
    """Weights of a stock Dense process.

    Attributes
    ----------
    weights : int64 array, (target channels, source neurons in order (column, row, channel))
    weight_exponent : int
    """

    weights: IntArray
    weight_exponent: int


def stock_synapses(
    connectivity: Connectivity, weights: NDArray[np.int32], shift: int
) -> DenseWeights | ConvSynapses | str:
    """Weights for a stock Dense, or Conv where that cannot carry them, or the reason why there are none.

    Parameters
    ----------
    connectivity : Connectivity
    weights : int32 array, `connectivity.weight_shape`
    shift : int
        Left shift from a sum of weights to membrane units.
    """
    found = conv_synapses(connectivity, weights, shift)
    if isinstance(found, ConvSynapses) and found.groups == 1 and covers_source(connectivity):
        matrix = found.weights.transpose(0, 3, 2, 1).reshape(len(found.weights), -1)
        return _dense_weights(matrix) or found
    return found


def _dense_weights(matrix: IntArray) -> DenseWeights | None:
    """Weights that survive Dense's clipping and dropping of low bits; odd ones of mixed sign are doubled."""
    set_bits = int(np.bitwise_or.reduce(matrix, axis=None))
    exponent = (set_bits & -set_bits).bit_length() - 1 if set_bits else 0  # of the largest power of two in all
    for doubled in (0, 1):
        weights = matrix >> exponent << doubled
        sign_mode = determine_sign_mode(weights)
        carried = truncate_weights(clip_weights(weights, sign_mode, num_bits=8), sign_mode, 8)
        if np.array_equal(carried, weights):
            return DenseWeights(weights, exponent - doubled)
    return None
