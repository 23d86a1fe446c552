"""Two linear layers, one after the other, as one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity

FloatArray = NDArray[np.float64]
IndexTable = NDArray[np.int32]
Composed = tuple[Connectivity, FloatArray]


def compose(
    inner: Connectivity, inner_weights: FloatArray, outer: Connectivity, outer_weights: FloatArray
) -> Composed | None:
    """The linear map ``outer(inner(x))`` as one connectivity with weights, exact in real numbers.

    Tap tables chain: tap (k, l) of the result reads what the inner tap l reads at the place that the outer tap k
    reads. Equal taps are merged and taps that only ever meet padding are dropped.

    Parameters
    ----------
    inner, outer : Connectivity
        ``inner.target_shape == outer.source_shape``.

    Returns
    -------
    (Connectivity, float64 array) or None
        None where the outer map does not read the channels that the inner one gives.
    """
    start = max(inner.target_channels[0], outer.source_channels[0])
    stop = min(inner.target_channels[1], outer.source_channels[1])
    if start >= stop:
        return None
    inner, inner_weights = _keep_targets(inner, inner_weights, start, stop)
    outer, outer_weights = _keep_sources(outer, outer_weights, start, stop)
    weights, groups = _compose_weights(inner, inner_weights, outer, outer_weights)
    rows = _chain(inner.rows, outer.rows)
    columns = _chain(inner.columns, outer.columns)
    rows, weights = _merge_taps(rows, weights, axis=2)
    columns, weights = _merge_taps(columns, weights, axis=3)
    connectivity = Connectivity(
        source_shape=inner.source_shape,
        target_shape=outer.target_shape,
        rows=rows,
        columns=columns,
        source_channels=inner.source_channels,
        target_channels=outer.target_channels,
        groups=groups,
    )
    return connectivity, weights


def without_groups(connectivity: Connectivity, weights: FloatArray) -> FloatArray:
    """Weights (O, I, K_rows, K_columns) with the zeros that the groups leave out."""
    groups = connectivity.groups
    out, per_group, k_rows, k_columns = weights.shape
    full = np.zeros((groups, out // groups, groups, per_group, k_rows, k_columns))
    index = np.arange(groups)
    full[index, :, index] = weights.reshape(groups, out // groups, per_group, k_rows, k_columns)
    return full.reshape(out, groups * per_group, k_rows, k_columns)


def _keep_targets(table: Connectivity, weights: FloatArray, start: int, stop: int) -> Composed:
    """Only the target channels start:stop of the whole population."""
    if (start, stop) == table.target_channels:
        return table, weights
    first, last = start - table.target_channels[0], stop - table.target_channels[0]
    per_group_out = table.out_channels // table.groups
    if first % per_group_out or last % per_group_out:
        weights, groups, sources = without_groups(table, weights), 1, table.source_channels
    else:
        groups = (last - first) // per_group_out
        per_group_in = table.in_channels // table.groups
        offset = table.source_channels[0]
        sources = (
            offset + first // per_group_out * per_group_in,
            offset + last // per_group_out * per_group_in,
        )
    kept = Connectivity(
        table.source_shape, table.target_shape, table.rows, table.columns, sources, (start, stop), groups
    )
    return kept, weights[first:last]


def _keep_sources(table: Connectivity, weights: FloatArray, start: int, stop: int) -> Composed:
    """Only the source channels start:stop of the whole population."""
    if (start, stop) == table.source_channels:
        return table, weights
    first, last = start - table.source_channels[0], stop - table.source_channels[0]
    per_group_in = table.in_channels // table.groups
    targets = table.target_channels
    if table.groups == 1 or first % per_group_in or last % per_group_in:
        weights, groups = without_groups(table, weights)[:, first:last], 1
    else:
        groups = (last - first) // per_group_in
        per_group_out = table.out_channels // table.groups
        first_out, last_out = first // per_group_in * per_group_out, last // per_group_in * per_group_out
        weights = weights[first_out:last_out]
        targets = (targets[0] + first_out, targets[0] + last_out)
    kept = Connectivity(
        table.source_shape, table.target_shape, table.rows, table.columns, (start, stop), targets, groups
    )
    return kept, weights


def _compose_weights(
    inner: Connectivity, inner_weights: FloatArray, outer: Connectivity, outer_weights: FloatArray
) -> tuple[FloatArray, int]:
    """Weights with taps ordered (outer, inner) on both axes, and their groups."""
    middle = inner.out_channels
    if inner.groups == middle and inner.in_channels == middle:
        # the inner map has one input per channel: scale the outer weights of that channel
        per_group_in = middle // outer.groups
        by_group = inner_weights[:, 0].reshape(outer.groups, per_group_in, *inner_weights.shape[2:])
        scales = np.repeat(by_group, outer.out_channels // outer.groups, axis=0)
        product = np.einsum("oikl,oimn->oikmln", outer_weights, scales)
        return _join_taps(product), outer.groups
    if outer.groups == middle and outer.out_channels == middle:
        product = np.einsum("okl,oimn->oikmln", outer_weights[:, 0], inner_weights)
        return _join_taps(product), inner.groups
    product = np.einsum(
        "ojkl,jimn->oikmln",
        without_groups(outer, outer_weights),
        without_groups(inner, inner_weights),
        optimize=True,
    )
    return _join_taps(product), 1


def _join_taps(product: FloatArray) -> FloatArray:
    out, in_per_group, outer_rows, inner_rows, outer_columns, inner_columns = product.shape
    return product.reshape(out, in_per_group, outer_rows * inner_rows, outer_columns * inner_columns)


def _chain(inner: IndexTable, outer: IndexTable) -> IndexTable:
    """Index tables (targets, outer taps * inner taps); -1 stays -1."""
    framed = np.vstack([inner, np.full((1, inner.shape[1]), -1, dtype=np.int32)])
    return framed[outer].reshape(outer.shape[0], -1)


def _merge_taps(table: IndexTable, weights: FloatArray, axis: int) -> tuple[IndexTable, FloatArray]:
    """Add up the weights of taps that read the same places; drop taps that read nothing."""
    unique, inverse = np.unique(table, axis=1, return_inverse=True)
    if unique.shape[1] == table.shape[1] and not (unique < 0).all(axis=0).any():
        return table, weights
    moved = np.moveaxis(weights, axis, 0)
    merged = np.zeros((unique.shape[1], *moved.shape[1:]))
    np.add.at(merged, inverse.ravel(), moved)
    used = ~(unique < 0).all(axis=0)
    if not used.any():
        used[0] = True  # a map that reads padding only keeps one tap, so that its shape stays legal
    return np.ascontiguousarray(unique[:, used]), np.moveaxis(merged[used], 0, axis)
