"""Projections as weights of Lava's own Conv and Dense processes, where these can carry them exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lava.utils.weightutils import clip_weights, determine_sign_mode, truncate_weights
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.convolution_geometry import AxisGeometry, covers_source, symmetric_axis_geometry

LIF_SHIFT = 6  # LIF shifts whatever arrives to the left by this
INT8_MAX = 127  # Conv keeps stride, padding, dilation and groups in int8
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
    if np.any((weights.astype(np.int64) << shift) % (1 << LIF_SHIFT)):
        return f"weights times 2^{shift} are not all multiples of 2^{LIF_SHIFT}, by which LIF shifts it"
    groups, full = whole_populations(connectivity, weights)
    if _covers_source(connectivity):
        matrix = full.transpose(0, 3, 2, 1).reshape(len(full), -1)
        dense = _dense_weights(matrix, shift - LIF_SHIFT) if groups == 1 else None
        if dense is not None:
            return dense
    rows = conv_axis(connectivity.rows, connectivity.source_shape[1])
    columns = conv_axis(connectivity.columns, connectivity.source_shape[2])
    if rows is None or columns is None:
        return "the index tables are not those of a convolution that Lava's Conv computes"
    scaled = (full << shift) >> LIF_SHIFT
    return ConvolutionWeights(scaled.transpose(0, 3, 2, 1)[:, ::-1, ::-1, :], rows, columns, groups)


def whole_populations(connectivity: Connectivity, weights: NDArray[np.int32]) -> tuple[int, IntArray]:
    """Groups and weights between all channels of source and target, zeros where there is no synapse."""
    source, target = connectivity.source_shape[0], connectivity.target_shape[0]
    whole = connectivity.source_channels == (0, source) and connectivity.target_channels == (0, target)
    if whole and connectivity.groups <= INT8_MAX:
        return connectivity.groups, weights.astype(np.int64)
    out, per_group = weights.shape[:2]
    full = np.zeros((target, source, *weights.shape[2:]), dtype=np.int64)
    for channel in range(out):
        group = channel // (out // connectivity.groups)
        first = connectivity.source_channels[0] + group * per_group
        full[connectivity.target_channels[0] + channel, first : first + per_group] = weights[channel]
    return 1, full


def conv_axis(table: NDArray[np.int32], source_size: int) -> AxisGeometry | None:
    """The geometry of an index table in Lava's Conv; None if it has none."""
    found = symmetric_axis_geometry(table, source_size)
    if found is None or max(found.stride, found.before, found.dilation) > INT8_MAX:
        return None
    return found


def _covers_source(connectivity: Connectivity) -> bool:
    _, rows, columns = connectivity.source_shape
    return covers_source(connectivity.rows, rows) and covers_source(connectivity.columns, columns)


def _dense_weights(matrix: IntArray, exponent: int) -> DenseWeights | None:
    """Weights that survive Dense's clipping and dropping of low bits; odd ones of mixed sign are doubled."""
    for doubled in (0, 1):
        weights = matrix << doubled
        sign_mode = determine_sign_mode(weights)
        carried = truncate_weights(clip_weights(weights, sign_mode, num_bits=8), sign_mode, 8)
        if np.array_equal(carried, weights):
            return DenseWeights(weights, exponent - doubled)
    return None
