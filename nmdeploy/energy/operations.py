"""Exact counts of synaptic operations of one projection into one tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.tiles import Tile

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class SynapticOperations:
    """Operations that events at the source cause in a tile.

    Attributes
    ----------
    dense : int
        One for every synapse that an event meets, whatever its weight; padding meets none.
    effective : int
        Weights of zero left out.
    """

    dense: int
    effective: int


def synaptic_operations(
    connectivity: Connectivity, weights: NDArray[np.generic], tile: Tile, events: IntArray
) -> SynapticOperations:
    """Count ``sum over source neurons of events * synapses into the tile``.

    Parameters
    ----------
    connectivity : Connectivity
    weights : array, `connectivity.weight_shape`
    tile : Tile
        Of the target population.
    events : int64 array, `connectivity.source_shape`
        Spikes of each source neuron, or how often an input is applied.
    """
    first_out = max(tile.channels[0], connectivity.target_channels[0]) - connectivity.target_channels[0]
    last_out = min(tile.channels[1], connectivity.target_channels[1]) - connectivity.target_channels[0]
    if first_out >= last_out:
        return SynapticOperations(0, 0)
    per_group_in = connectivity.in_channels // connectivity.groups
    per_group_out = connectivity.out_channels // connectivity.groups
    first_group, last_group = first_out // per_group_out, (last_out - 1) // per_group_out + 1
    start = connectivity.source_channels[0] + first_group * per_group_in
    stop = connectivity.source_channels[0] + last_group * per_group_in
    first_row, reads_rows = _reads(connectivity.rows[tile.rows[0] : tile.rows[1]])
    first_column, reads_columns = _reads(connectivity.columns[tile.columns[0] : tile.columns[1]])
    read = events[
        start:stop,
        first_row : first_row + reads_rows.shape[1],
        first_column : first_column + reads_columns.shape[1],
    ]
    # events met by each (source channel, row tap, column tap), summed over the tile's positions
    met = np.einsum("irc,kr,lc->ikl", read, reads_rows, reads_columns, optimize=True)
    met = met.reshape(last_group - first_group, per_group_in, *met.shape[1:])
    group_of_out = np.arange(first_out, last_out) // per_group_out - first_group
    members = np.bincount(group_of_out, minlength=last_group - first_group)
    present = weights[first_out:last_out] != 0
    starts = np.flatnonzero(np.diff(group_of_out, prepend=-1))
    nonzero = np.add.reduceat(present, starts, axis=0, dtype=np.int64)
    return SynapticOperations(
        dense=int((met.sum(axis=(1, 2, 3)) * members).sum()), effective=int((met * nonzero).sum())
    )


def _reads(table: NDArray[np.int32]) -> tuple[int, IntArray]:
    """First source index that is read, and how many targets read each from there on by each tap; (taps, sources)."""
    inside = table[table >= 0]
    if not len(inside):
        return 0, np.zeros((table.shape[1], 0), dtype=np.int64)
    first, last = int(inside.min()), int(inside.max())
    reads = np.zeros((table.shape[1], last - first + 2), dtype=np.int64)
    padding = last - first + 1
    places = np.where(table >= 0, table - first, padding)
    np.add.at(reads, (np.broadcast_to(np.arange(table.shape[1]), table.shape), places), 1)
    return first, reads[:, :padding]
