"""Which index tables are those of an ordinary convolution, as fast libraries compute it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import tap_table

IndexTable = NDArray[np.int32]


@dataclass(frozen=True)
class AxisGeometry:
    """``source = position * stride + tap * dilation - before`` along one axis, zeros outside of the source.

    Attributes
    ----------
    stride, dilation : int
    before, after : int
        Zeros in front of and behind the source; negative ones cut the source.
    """

    stride: int
    dilation: int
    before: int
    after: int


def axis_geometry(table: IndexTable, source_size: int) -> AxisGeometry | None:
    """The geometry that gives an index table, or None if no convolution does.

    Parameters
    ----------
    table : int32 array, (targets, taps)
    source_size : int
    """
    targets, taps = table.shape
    stride = _difference(table, axis=0)
    dilation = _difference(table, axis=1)
    reading = np.argwhere(table >= 0)
    if stride is None or dilation is None or not len(reading) or stride < 1 or dilation < 1:
        return None
    position, tap = (int(index) for index in reading[0])
    before = position * stride + tap * dilation - int(table[position, tap])
    if not np.array_equal(table, tap_table(source_size, targets, taps, stride, before, dilation)):
        return None
    after = (targets - 1) * stride + (taps - 1) * dilation + 1 - before - source_size
    return AxisGeometry(stride, dilation, before, after)


def _difference(table: IndexTable, axis: int) -> int | None:
    """The first difference of two neighbours along an axis that both read the source; 1 if there are none."""
    first, second = (table[:-1], table[1:]) if axis == 0 else (table[:, :-1], table[:, 1:])
    both = (first >= 0) & (second >= 0)
    return int((second - first)[both][0]) if both.any() else 1


def covers_source(table: IndexTable, source_size: int) -> bool:
    """Whether the one target reads every source index once, in order: a dense layer along this axis."""
    return np.array_equal(table, np.arange(source_size, dtype=np.int32)[None])
