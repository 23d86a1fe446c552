"""Which source neuron each target neuron reads: a convolution given by two index tables.

Convolution with any stride, padding, dilation and groups, dense layers, pooling, slicing, nearest upsampling,
flattening, concatenation and shortcuts, and any composition of them that stays separable, are all this one
form.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Connectivity:
    """Separable connectivity between two populations of shape (channels, rows, columns).

    With weights ``w`` of shape (O, I/groups, K_rows, K_columns), the input of target neuron ``(o, y, x)`` is
    the sum over the channels ``i`` of o's group and the taps ``k, l`` of
    ``w[o, i, k, l] * s[source_channels[0] + i, rows[y, k], columns[x, l]]``, where a tap with index -1 adds
    nothing (padding), and ``o`` counts from ``target_channels[0]``.

    Attributes
    ----------
    source_shape, target_shape : (int, int, int)
        Channels, rows and columns of the whole populations.
    rows, columns : int32 arrays, (target rows, K_rows) and (target columns, K_columns)
        Source row and column of each tap; -1 for none.
    source_channels, target_channels : (int, int)
        Half-open ranges of the channels taken part in; their lengths are I and O.
    groups : int
        As in torch: divides I and O.
    """

    source_shape: Shape
    target_shape: Shape
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    source_channels: tuple[int, int]
    target_channels: tuple[int, int]
    groups: int = 1

    @classmethod
    def identity(cls, shape: Shape) -> Connectivity:
        """Each neuron of a population of this shape reads the neuron at its own place."""
        channels, rows, columns = shape
        return cls(
            source_shape=shape,
            target_shape=shape,
            rows=np.arange(rows, dtype=np.int32)[:, None],
            columns=np.arange(columns, dtype=np.int32)[:, None],
            source_channels=(0, channels),
            target_channels=(0, channels),
            groups=channels,
        )

    @property
    def in_channels(self) -> int:
        """Number of source channels taken part in."""
        return self.source_channels[1] - self.source_channels[0]

    @property
    def out_channels(self) -> int:
        """Number of target channels taken part in."""
        return self.target_channels[1] - self.target_channels[0]

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """Shape that the weights must have."""
        return (self.out_channels, self.in_channels // self.groups, self.rows.shape[1], self.columns.shape[1])

    def problems(self) -> list[str]:
        """Everything that makes this connectivity meaningless, in words; empty if it is sound."""
        found = []
        for what, table, target_size, source_size in (
            ("row", self.rows, self.target_shape[1], self.source_shape[1]),
            ("column", self.columns, self.target_shape[2], self.source_shape[2]),
        ):
            if table.ndim != 2 or table.shape[0] != target_size or table.shape[1] < 1:
                found.append(f"{what} table has shape {table.shape} for {target_size} target {what}s")
            elif not np.issubdtype(table.dtype, np.integer):
                found.append(f"{what} table has type {table.dtype}, which is no integer")
            elif table.min() < -1 or table.max() >= source_size:
                found.append(f"{what} table points outside the {source_size} source {what}s")
        for what, (start, stop), size in (
            ("source", self.source_channels, self.source_shape[0]),
            ("target", self.target_channels, self.target_shape[0]),
        ):
            if not 0 <= start < stop <= size:
                found.append(f"{what} channels {start}:{stop} lie outside the {size} of the population")
        if self.groups < 1 or self.in_channels % self.groups or self.out_channels % self.groups:
            channels = f"{self.in_channels} and {self.out_channels} channels"
            found.append(f"{self.groups} groups do not divide {channels}")
        return found

    @cached_property
    def row_uses(self) -> NDArray[np.int64]:
        """How many (target row, tap) pairs read each source row; shape (source rows,)."""
        return count_uses(self.rows, self.source_shape[1])

    @cached_property
    def column_uses(self) -> NDArray[np.int64]:
        """How many (target column, tap) pairs read each source column; shape (source columns,)."""
        return count_uses(self.columns, self.source_shape[2])

    @property
    def synapse_count(self) -> int:
        """Number of synapses, padding taps left out, weights of zero counted."""
        per_position = self.out_channels * (self.in_channels // self.groups)
        return int(per_position * self.row_uses.sum() * self.column_uses.sum())


def count_uses(table: NDArray[np.int32], size: int) -> NDArray[np.int64]:
    """Count how often each index below `size` stands in an index table; -1 is not counted."""
    return np.bincount(table[table >= 0].ravel(), minlength=size).astype(np.int64)


def tap_table(
    source_size: int, target_size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> NDArray[np.int32]:
    """Index table of an ordinary convolution along one axis.

    Parameters
    ----------
    padding : int
        Zeros before the first source index; how many follow the last one is implied by `target_size`.

    Returns
    -------
    int32 array, (target_size, kernel)
        ``position * stride + tap * dilation - padding``, or -1 where that lies outside the source.
    """
    positions = np.arange(target_size)[:, None] * stride + np.arange(kernel)[None, :] * dilation - padding
    return np.where((positions >= 0) & (positions < source_size), positions, -1).astype(np.int32)
