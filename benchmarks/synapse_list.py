"""All synapses of a projection one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity

IntArray = NDArray[np.int64]


def list_synapses(connectivity: Connectivity, weights: NDArray[np.generic]) -> tuple[IntArray, IntArray, IntArray]:
    """Source neuron, target neuron (both in C order) and weight of each synapse; padding makes none."""
    outputs, per_group, row_taps, column_taps = weights.shape
    output = np.arange(outputs)[:, None]
    group = output // (outputs // connectivity.groups)
    channel = connectivity.source_channels[0] + group * per_group + np.arange(per_group)[None, :]
    _, source_rows, source_columns = connectivity.source_shape
    _, target_rows, target_columns = connectivity.target_shape
    parts = []
    for row_tap, column_tap in np.ndindex(row_taps, column_taps):
        rows, columns = connectivity.rows[:, row_tap], connectivity.columns[:, column_tap]
        target_row, target_column = np.flatnonzero(rows >= 0), np.flatnonzero(columns >= 0)
        source_place = rows[target_row][:, None].astype(np.int64) * source_columns + columns[target_column][None, :]
        target_place = target_row[:, None] * target_columns + target_column[None, :]
        source = channel[..., None, None] * (source_rows * source_columns) + source_place
        first = connectivity.target_channels[0]
        target = (first + output)[..., None, None] * (target_rows * target_columns) + target_place
        weight = weights[:, :, row_tap, column_tap][..., None, None]
        parts.append([part.ravel() for part in np.broadcast_arrays(source, target, weight)])
    source, target, weight = (np.concatenate(part).astype(np.int64) for part in zip(*parts, strict=True))
    return source, target, weight
