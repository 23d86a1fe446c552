"""Routes of chips that copy a packet where its ways part: load of each link, and entries of the routing tables.

All spikes of a core go along one tree, to every core that any of its neurons reaches; where a neuron has no synapse
its packet finds no row. The tree is the union of the dimension-ordered routes, first along x in the row of the source,
then along y: so each target is reached on a shortest way, and no router gets a packet twice.

A routing table needs an entry for each core's packets at each router where they do not simply go straight on (packets
without an entry leave by the link opposite to the one they came by: SpiNNaker's default routing). Tools then compress
tables by keys that share entries (Mundy, Heathcote and Garside 2016); what is counted here is before that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.core_traffic import CoreTraffic
from mapping.mesh_positions import MeshPositions

IntArray = NDArray[np.int64]
Segments = tuple[IntArray, IntArray, IntArray, IntArray]


def tree_segments(traffic: CoreTraffic, positions: MeshPositions) -> tuple[Segments, Segments]:
    """The straight parts of all trees: those along x, then those along y.

    Returns
    -------
    (source, line, start, stop), twice
        int64 arrays: the core whose tree it is; the row (or column); from which x (or y) to which, never the same.
    """
    x, y = positions.x, positions.y
    source, target = traffic.source, traffic.target
    across = _extents(source, y[source], x[source], x[target], positions.width)
    return across, _extents(source, x[target], y[source], y[target], positions.height)


def _extents(source: IntArray, line: IntArray, start: IntArray, stop: IntArray, size: int) -> Segments:
    """For each source and line, the way to the farthest stop ahead and the one to the farthest back."""
    parts = []
    for sign in (1, -1):
        going = np.flatnonzero((stop - start) * sign > 0)
        order = going[np.lexsort((stop[going] * -sign, line[going], source[going]))]
        ends = np.stack([source[order], line[order]])
        farthest = order[np.flatnonzero(np.diff(ends, axis=1, prepend=-1).any(axis=0))]
        parts.append((source[farthest], line[farthest], start[farthest], stop[farthest]))
    joined = [np.concatenate([ahead, back]) for ahead, back in zip(*parts, strict=True)]
    return joined[0], joined[1], joined[2], joined[3]


def routing_entries(traffic: CoreTraffic, positions: MeshPositions) -> IntArray:
    """Entries of the routing table of each router, before compression; shape (height, width).

    The packets of a core need one at its own router, at those of its targets, and where they turn into a column.
    """
    x, y = positions.x, positions.y
    source, target = traffic.source, traffic.target
    cores = np.concatenate([source, source, source])
    columns = np.concatenate([x[source], x[target], x[target]])
    rows = np.concatenate([y[source], y[target], y[source]])
    keys = np.unique((cores * positions.height + rows) * positions.width + columns)
    routers = positions.height * positions.width
    counts = np.bincount(keys % routers, minlength=routers).astype(np.int64)
    return counts.reshape(positions.height, positions.width)
