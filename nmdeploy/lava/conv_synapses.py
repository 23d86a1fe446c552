"""Projections as ordinary convolutions into Lava's LIF, where they are that exactly. Needs no Lava."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.convolution_geometry import AxisGeometry, symmetric_axis_geometry
from nmdeploy.lava.lif_limits import LIF_SHIFT

INT8_MAX = 127  # Lava's Conv keeps stride, padding, dilation and groups in int8
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class ConvSynapses:
    """A convolution as torch has it.

    Attributes
    ----------
    weights : int64 array, (O, I / groups, K_rows, K_columns)
        In LIF's unit of input.
    rows, columns : AxisGeometry
        Symmetric.
    groups : int
    """

    weights: IntArray
    rows: AxisGeometry
    columns: AxisGeometry
    groups: int


def conv_synapses(connectivity: Connectivity, weights: NDArray[np.int32], shift: int) -> ConvSynapses | str:
    """A projection as a convolution, or the reason why it is none.

    Parameters
    ----------
    connectivity : Connectivity
    weights : int32 array, `connectivity.weight_shape`
    shift : int
        Left shift from a sum of weights to membrane units.
    """
    problem = _weight_obstacle(weights, shift)
    if problem is not None:
        return problem
    rows = _conv_axis(connectivity.rows, connectivity.source_shape[1])
    columns = _conv_axis(connectivity.columns, connectivity.source_shape[2])
    if rows is None or columns is None:
        return "the index tables are not those of a convolution that Lava's Conv computes"
    groups, full = _whole_populations(connectivity, weights)
    return ConvSynapses((full << shift) >> LIF_SHIFT, rows, columns, groups)


def _weight_obstacle(weights: NDArray[np.int32], shift: int) -> str | None:
    """Why weights are no whole numbers in LIF's unit of input, if they are not."""
    if np.any((weights.astype(np.int64) << shift) % (1 << LIF_SHIFT)):
        return f"weights times 2^{shift} are not all multiples of 2^{LIF_SHIFT}, by which LIF shifts it"
    return None


def _whole_populations(connectivity: Connectivity, weights: NDArray[np.int32]) -> tuple[int, IntArray]:
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


def _conv_axis(table: NDArray[np.int32], source_size: int) -> AxisGeometry | None:
    """The geometry of an index table in Lava's Conv; None if it has none."""
    found = symmetric_axis_geometry(table, source_size)
    if found is None or max(found.stride, found.before, found.dilation) > INT8_MAX:
        return None
    return found
