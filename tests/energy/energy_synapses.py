"""Synapses listed one by one, straight from the definition of a connectivity."""

from __future__ import annotations

from itertools import product


def synapses(connectivity, weights):
    """Yield (source neuron, target neuron, weight) of every synapse; padding gives none."""
    outputs, per_group, row_taps, column_taps = weights.shape
    outputs_of_group = outputs // connectivity.groups
    _, target_rows, target_columns = connectivity.target_shape
    for o, i, y, x, k, m in product(
        range(outputs),
        range(per_group),
        range(target_rows),
        range(target_columns),
        range(row_taps),
        range(column_taps),
    ):
        row, column = connectivity.rows[y, k], connectivity.columns[x, m]
        if row >= 0 and column >= 0:
            channel = connectivity.source_channels[0] + o // outputs_of_group * per_group + i
            target = (connectivity.target_channels[0] + o, y, x)
            yield (channel, int(row), int(column)), target, int(weights[o, i, k, m])


def inside(tile, neuron):
    boxes = (tile.channels, tile.rows, tile.columns)
    return all(start <= index < stop for (start, stop), index in zip(boxes, neuron, strict=True))
