"""Max pooling by neurons that hold a maximum over spike counts, on chips that have them: exact in counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import tap_table
from nmdeploy.convert.values import Value
from nmdeploy.convert.windows import channelwise
from nmdeploy.layers.graph import Shape
from nmdeploy.layers.operators import MaxPool

IndexTable = NDArray[np.int32]
MakeMaximum = Callable[[str, Value], Value]
# Synapses that a neuron can tell apart by weights of 8 bits where its sources send -1, 0 or 1: 1, 4, 16, 64.
TAPS_MAX = 4


def gated_max_pool(value: Value, pool: MaxPool, shape: Shape, make: MakeMaximum) -> Value | None:
    """Maximum over windows of populations' outputs.

    Windows of more than `TAPS_MAX` values are pooled along the rows first and then along the columns.

    Parameters
    ----------
    value : Value
    pool : MaxPool
    shape : (int, int, int)
        Of the result.
    make : callable
        Makes a population that takes the maximum over the taps of a value, with the given name suffix, and returns
        its value.

    Returns
    -------
    Value or None
        None where the value is more than outputs of populations, or the windows are too large.
    """
    top, _, left, _ = pool.padding
    rows = tap_table(value.shape[1], shape[1], pool.kernel[0], pool.stride[0], top, pool.dilation[0])
    columns = tap_table(value.shape[2], shape[2], pool.kernel[1], pool.stride[1], left, pool.dilation[1])
    if not _outputs_only(value) or max(pool.kernel) > TAPS_MAX:
        return None
    if pool.kernel[0] * pool.kernel[1] <= TAPS_MAX:
        return make("maximum", channelwise(value, rows, columns))
    every_column = np.arange(value.shape[2], dtype=np.int32)[:, None]
    every_row = np.arange(shape[1], dtype=np.int32)[:, None]
    highest = make("rows", channelwise(value, rows, every_column))
    return make("columns", channelwise(highest, every_row, columns))


def _outputs_only(value: Value) -> bool:
    """Whether each channel is one channel of a population, place by place."""
    covered = np.zeros(value.shape[0], dtype=np.int64)
    for term in value.terms:
        table = term.connectivity
        covered[slice(*table.target_channels)] += 1
        one_to_one = table.groups == table.in_channels == table.out_channels
        in_place = all(
            np.array_equal(taps, np.arange(size)[:, None])
            for taps, size in zip((table.rows, table.columns), table.source_shape[1:], strict=True)
        )
        if not (one_to_one and in_place and table.source_shape[1:] == value.shape[1:] and (term.weights == 1).all()):
            return False
    return bool((covered == 1).all()) and not value.bias.any()
