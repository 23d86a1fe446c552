"""Connectivities of the layers that have no weights of their own: pooling, slicing, padding, upsampling."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity, Shape, tap_table
from nmdeploy.convert.values import Value, apply
from nmdeploy.errors import UnsupportedNetworkError
from nmdeploy.layers.operators import AdaptiveAveragePool, AveragePool, Pad, Slice, Upsample

IndexTable = NDArray[np.int32]


def channelwise(value: Value, rows: IndexTable, columns: IndexTable, weight: float = 1.0) -> Value:
    """Each channel for itself, every tap with the same weight."""
    channels = value.shape[0]
    shape = (channels, rows.shape[0], columns.shape[0])
    connectivity = Connectivity(value.shape, shape, rows, columns, (0, channels), (0, channels), channels)
    weights = np.full(connectivity.weight_shape, weight)
    return apply(value, connectivity, weights, np.zeros((channels, 1, 1)))


def average_pool(value: Value, pool: AveragePool, shape: Shape, name: str) -> Value:
    """``torch.nn.AvgPool2d`` as one channel-wise projection."""
    top, _, left, _ = pool.padding
    rows = tap_table(value.shape[1], shape[1], pool.kernel[0], pool.stride[0], top)
    columns = tap_table(value.shape[2], shape[2], pool.kernel[1], pool.stride[1], left)
    if not pool.count_include_pad and ((rows < 0).any() or (columns < 0).any()):
        raise UnsupportedNetworkError(
            [
                f"{name}: average pooling that leaves padding out of the count has weights that differ at the border. "
                "Use count_include_pad=True or no padding."
            ]
        )
    return channelwise(value, rows, columns, 1.0 / (pool.kernel[0] * pool.kernel[1]))


def adaptive_average_pool(value: Value, pool: AdaptiveAveragePool, name: str) -> Value:
    """``torch.nn.AdaptiveAvgPool2d`` where all windows have one size."""
    tables = [
        _adaptive_table(size, out, name) for size, out in zip(value.shape[1:], pool.output_size, strict=True)
    ]
    return channelwise(value, tables[0], tables[1], 1.0 / (tables[0].shape[1] * tables[1].shape[1]))


def _adaptive_table(size: int, out: int, name: str) -> IndexTable:
    windows = [range(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]
    if len({len(window) for window in windows}) > 1:
        raise UnsupportedNetworkError(
            [
                f"{name}: adaptive average pooling from {size} to {out} has windows of different sizes. "
                f"Use an output size that divides {size}."
            ]
        )
    return np.array([list(window) for window in windows], dtype=np.int32)


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
