"""Which index tables are those of an ordinary convolution, as fast libraries compute it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity, tap_table

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

    @property
    def is_symmetric(self) -> bool:
        """Whether `before` zeros on both sides give the same, the last positions rounded off, as in torch."""
        return self.before >= 0 and 0 <= self.before - self.after < self.stride


def axis_geometry(table: IndexTable, source_size: int) -> AxisGeometry | None:
    """A geometry that gives an index table, or None if no convolution does.

    Parameters
    ----------
    table : int32 array, (targets, taps)
    source_size : int
    """
    return next(_geometries(table, source_size), None)


def symmetric_axis_geometry(table: IndexTable, source_size: int) -> AxisGeometry | None:
    """As `axis_geometry`, with the same number of zeros on both sides of the source."""
    return next((found for found in _geometries(table, source_size) if found.is_symmetric), None)


def _geometries(table: IndexTable, source_size: int) -> Iterator[AxisGeometry]:
    """All geometries that give a table: small ones have several."""
    targets, taps = table.shape
    reading = np.argwhere(table >= 0)
    if not len(reading):
        return
    position, tap = (int(index) for index in reading[0])
    for stride in _steps(table, 0, source_size):
        for dilation in _steps(table, 1, source_size) if taps > 1 else (1,):
            before = position * stride + tap * dilation - int(table[position, tap])
            if np.array_equal(table, tap_table(source_size, targets, taps, stride, before, dilation)):
                after = (targets - 1) * stride + (taps - 1) * dilation + 1 - before - source_size
                yield AxisGeometry(stride, dilation, before, after)


def _steps(table: IndexTable, axis: int, source_size: int) -> range:
    """The difference of two neighbours along an axis that both read the source; if there are none, all that fit."""
    first, second = (table[:-1], table[1:]) if axis == 0 else (table[:, :-1], table[:, 1:])
    both = (first >= 0) & (second >= 0)
    if not both.any():
        return range(1, source_size + 1)
    step = int((second - first)[both][0])
    return range(step, step + 1) if step > 0 else range(0)


def covers_source(connectivity: Connectivity) -> bool:
    """Whether the one target position reads the whole source map, every row and column once and in order.

    That is a dense layer, but for the channels: there may be groups, and channels that take no part.
    """
    _, rows, columns = connectivity.source_shape
    return _covers_axis(connectivity.rows, rows) and _covers_axis(connectivity.columns, columns)


def _covers_axis(table: IndexTable, source_size: int) -> bool:
    return np.array_equal(table, np.arange(source_size)[None])
