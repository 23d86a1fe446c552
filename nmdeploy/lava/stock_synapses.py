"""Projections as weights of Lava's own Conv and Dense processes, where these can carry them exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lava.utils.weightutils import clip_weights, determine_sign_mode, truncate_weights
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.convolution_geometry import AxisGeometry, covers_source
from nmdeploy.lava.conv_synapses import conv_synapses, weight_obstacle, whole_populations
from nmdeploy.lava.lif_limits import LIF_SHIFT

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


@dataclass(frozen=True)
class ConvolutionWeights:
    """Weights and geometry of a stock Conv process.

    Attributes
    ----------
    weights : int64 array, (O, K_columns, K_rows, I / groups)
        Kernel mirrored, as Conv computes a true convolution.
    rows, columns : AxisGeometry
        Symmetric.
    groups : int
    """

    weights: IntArray
    rows: AxisGeometry
    columns: AxisGeometry
    groups: int


def stock_synapses(
    connectivity: Connectivity, weights: NDArray[np.int32], shift: int
) -> DenseWeights | ConvolutionWeights | str:
    """Weights for a stock process, or the reason why there are none.

    Parameters
    ----------
    connectivity : Connectivity
    weights : int32 array, `connectivity.weight_shape`
    shift : int
        Left shift from a sum of weights to membrane units.
    """
    problem = weight_obstacle(weights, shift)
    if problem is not None:
        return problem
    groups, full = whole_populations(connectivity, weights)
    if covers_source(connectivity):
        matrix = full.transpose(0, 3, 2, 1).reshape(len(full), -1)
        dense = _dense_weights(matrix, shift - LIF_SHIFT) if groups == 1 else None
        if dense is not None:
            return dense
    found = conv_synapses(connectivity, weights, shift)
    if isinstance(found, str):
        return found
    mirrored = found.weights.transpose(0, 3, 2, 1)[:, ::-1, ::-1, :]
    return ConvolutionWeights(mirrored, found.rows, found.columns, found.groups)


def _dense_weights(matrix: IntArray, exponent: int) -> DenseWeights | None:
    """Weights that survive Dense's clipping and dropping of low bits; odd ones of mixed sign are doubled."""
    for doubled in (0, 1):
        weights = matrix << doubled
        sign_mode = determine_sign_mode(weights)
        carried = truncate_weights(clip_weights(weights, sign_mode, num_bits=8), sign_mode, 8)
        if np.array_equal(carried, weights):
            return DenseWeights(weights, exponent - doubled)
    return None
