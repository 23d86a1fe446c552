"""Max pooling with ordinary rectifying neurons: ``max(a, b) = b + relu(a - b)``.

Fixed neurons have no maximum, but a rectifier and linear synapses are enough for an exact one (in real numbers), as a
knock-out along the rows of each window and then along the columns. A window of 2 x 2 costs two populations: one for the
pairs of rows, one for the pairs of columns of the row maxima.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import tap_table
from nmdeploy.convert.values import Value, add, scale
from nmdeploy.convert.windows import channelwise
from nmdeploy.layers.graph import Shape
from nmdeploy.layers.operators import MaxPool

IndexTable = NDArray[np.int32]
Rectify = Callable[[str, Value], Value]


def max_pool(value: Value, pool: MaxPool, shape: Shape, rectify: Rectify) -> Value:
    """Maximum over windows.

    Parameters
    ----------
    value : Value
        May be negative too.
    pool : MaxPool
    shape : (int, int, int)
        Of the result.
    rectify : callable
        Makes a population ``relu(value)`` with the given name suffix and returns its value.
    """
    top, _, left, _ = pool.padding
    rows = tap_table(value.shape[1], shape[1], pool.kernel[0], pool.stride[0], top, pool.dilation[0])
    columns = tap_table(value.shape[2], shape[2], pool.kernel[1], pool.stride[1], left, pool.dilation[1])
    all_columns = np.arange(value.shape[2], dtype=np.int32)[:, None]
    row_taps = [channelwise(value, tap, all_columns) for tap in _taps(rows)]
    highest = _knock_out(row_taps, "rows", rectify)
    all_rows = np.arange(shape[1], dtype=np.int32)[:, None]
    column_taps = [channelwise(highest, all_rows, tap) for tap in _taps(columns)]
    return _knock_out(column_taps, "columns", rectify)


def _taps(table: IndexTable) -> list[IndexTable]:
    """One table per tap; a tap in the padding reads another tap of its window, which leaves the maximum as it is."""
    first_valid = table[np.arange(len(table)), (table >= 0).argmax(axis=1)]
    filled = np.where(table < 0, first_valid[:, None], table)
    return [np.ascontiguousarray(filled[:, tap : tap + 1]) for tap in range(table.shape[1])]


def _knock_out(values: list[Value], axis: str, rectify: Rectify) -> Value:
    """Maximum of all values, by pairs."""
    level = 0
    while len(values) > 1:
        winners = [
            _maximum(values[i], values[i + 1], f"{axis}{level}.{i // 2}", rectify)
            for i in range(0, len(values) - 1, 2)
        ]
        values = winners + values[len(values) // 2 * 2 :]
        level += 1
    return values[0]


def _maximum(a: Value, b: Value, suffix: str, rectify: Rectify) -> Value:
    channels = a.shape[0]
    difference = add([a, scale(b, -np.ones(channels), np.zeros(channels))])
    return add([b, rectify(suffix, difference)])
