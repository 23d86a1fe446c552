"""Connectivities of the layers that have no weights of their own: pooling, slicing, padding, upsampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity, Shape, tap_table
from nmdeploy.convert.values import Value, add, apply
from nmdeploy.layers.operators import AdaptiveAveragePool, AveragePool, Pad, Slice, Upsample

IndexTable = NDArray[np.int32]


def channelwise(value: Value, rows: IndexTable, columns: IndexTable, weight: float = 1.0) -> Value:
    """Each channel for itself, every tap with the same weight."""
    channels = value.shape[0]
    shape = (channels, rows.shape[0], columns.shape[0])
    connectivity = Connectivity(value.shape, shape, rows, columns, (0, channels), (0, channels), channels)
    weights = np.full(connectivity.weight_shape, weight)
    return apply(value, connectivity, weights, np.zeros((channels, 1, 1)))


def average_pool(value: Value, pool: AveragePool, shape: Shape) -> Value:
    """``torch.nn.AvgPool2d``."""
    top, _, left, _ = pool.padding
    rows = tap_table(value.shape[1], shape[1], pool.kernel[0], pool.stride[0], top)
    columns = tap_table(value.shape[2], shape[2], pool.kernel[1], pool.stride[1], left)
    if pool.count_include_pad:
        return channelwise(value, rows, columns, 1.0 / (pool.kernel[0] * pool.kernel[1]))
    return _mean_of_read(value, rows, columns)


def adaptive_average_pool(value: Value, pool: AdaptiveAveragePool) -> Value:
    """``torch.nn.AdaptiveAvgPool2d``."""
    rows, columns = (
        _adaptive_table(size, out) for size, out in zip(value.shape[1:], pool.output_size, strict=True)
    )
    return _mean_of_read(value, rows, columns)


def _adaptive_table(size: int, out: int) -> IndexTable:
    windows = [range(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]
    widest = max(len(window) for window in windows)
    return np.array([[*window, *[-1] * (widest - len(window))] for window in windows], dtype=np.int32)


def _mean_of_read(value: Value, rows: IndexTable, columns: IndexTable) -> Value:
    """Mean over the taps that read the source; the windows of each size are a term with weights of its own."""
    means = [
        channelwise(value, _windows_of(rows, height), _windows_of(columns, width), 1.0 / (height * width))
        for height in _window_sizes(rows)
        for width in _window_sizes(columns)
    ]
    return add(means)


def _window_sizes(table: IndexTable) -> list[int]:
    sizes: list[int] = np.unique((table >= 0).sum(axis=1)).tolist()
    return sizes


def _windows_of(table: IndexTable, size: int) -> IndexTable:
    """The windows that read this many places; the others read nothing."""
    chosen: IndexTable = np.where((table >= 0).sum(axis=1, keepdims=True) == size, table, -1).astype(np.int32)
    return chosen


def upsample(value: Value, operator: Upsample) -> Value:
    """Nearest-neighbour upsampling: several targets read one source."""
    rows = np.repeat(np.arange(value.shape[1], dtype=np.int32), operator.factors[0])[:, None]
    columns = np.repeat(np.arange(value.shape[2], dtype=np.int32), operator.factors[1])[:, None]
    return channelwise(value, rows, columns)


def slice_value(value: Value, operator: Slice) -> Value:
    """``x[channels, rows, columns]``."""
    rows = np.arange(*operator.rows, dtype=np.int32)[:, None]
    columns = np.arange(*operator.columns, dtype=np.int32)[:, None]
    start, stop, step = operator.channels
    picked = channelwise(value, rows, columns)
    if (start, stop, step) == (0, value.shape[0], 1):
        return picked
    channels = np.arange(start, stop, step)
    shape = (len(channels), picked.shape[1], picked.shape[2])
    sources = (start, int(channels[-1]) + 1)
    groups = len(channels) if step == 1 else 1
    connectivity = Connectivity(
        picked.shape, shape, *_identity_tables(shape), sources, (0, len(channels)), groups
    )
    weights = np.zeros(connectivity.weight_shape)
    weights[np.arange(len(channels)), 0 if groups > 1 else channels - start] = 1.0
    return apply(picked, connectivity, weights, np.zeros((len(channels), 1, 1)))


def pad(value: Value, operator: Pad) -> Value:
    """Zeros around; an index of -1 reads zero."""
    rows = _padded_table(value.shape[1], operator.rows)
    columns = _padded_table(value.shape[2], operator.columns)
    before, after = operator.channels
    channels = value.shape[0]
    shape = (before + channels + after, len(rows), len(columns))
    connectivity = Connectivity(
        value.shape, shape, rows, columns, (0, channels), (before, before + channels), channels
    )
    weights = np.ones(connectivity.weight_shape)
    return apply(value, connectivity, weights, np.zeros((shape[0], 1, 1)))


def _padded_table(size: int, padding: tuple[int, int]) -> IndexTable:
    return np.pad(np.arange(size, dtype=np.int32), padding, constant_values=-1)[:, None]


def _identity_tables(shape: Shape) -> tuple[IndexTable, IndexTable]:
    return np.arange(shape[1], dtype=np.int32)[:, None], np.arange(shape[2], dtype=np.int32)[:, None]
