"""Put tiles that leave room in a crossbar together: first-fit decreasing over axons and columns.

Tiles of one population share the axons of the sources that they have in common, which leaves even more room than is
counted here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.crossbar_cuts import Limits

IntArray = NDArray[np.int64]


def pack_crossbars(axons: IntArray, columns: IntArray, limits: Limits) -> IntArray:
    """Choose the core of each tile.

    Parameters
    ----------
    axons, columns : int64 arrays, (tiles,)
        What each tile takes; no more than a core has.
    limits : Limits

    Returns
    -------
    int64 array, (tiles,)
        Cores are numbered in the order of the first tile in each. The tiles of one size are put in at once, each into
        the first core that has room for it.
    """
    core_of = np.empty(len(axons), dtype=np.int64)
    free_axons = free_columns = np.zeros(0, dtype=np.int64)
    kinds, kind_of = np.unique(np.stack([axons, columns], axis=1), axis=0, return_inverse=True)
    kind_of = kind_of.ravel()
    members = np.argsort(kind_of, kind="stable")
    starts = np.searchsorted(kind_of[members], np.arange(len(kinds) + 1))
    shares = np.maximum(kinds[:, 0] / limits.axons, kinds[:, 1] / limits.neurons)
    for kind in np.lexsort((-kinds.sum(axis=1), -shares)):
        tiles = members[starts[kind] : starts[kind + 1]]
        room = _times(free_axons, free_columns, kinds[kind])
        alone = int(_times(np.array([limits.axons]), np.array([limits.neurons]), kinds[kind])[0])
        new = -(-max(len(tiles) - int(room.sum()), 0) // alone)
        free_axons = np.append(free_axons, np.full(new, limits.axons))
        free_columns = np.append(free_columns, np.full(new, limits.neurons))
        filled = np.cumsum(np.append(room, np.full(new, alone)))
        core_of[tiles] = np.searchsorted(filled, np.arange(len(tiles)), side="right")
        taken = np.bincount(core_of[tiles], minlength=len(free_axons))
        free_axons = free_axons - taken * kinds[kind, 0]
        free_columns = free_columns - taken * kinds[kind, 1]
    _, first, core_of = np.unique(core_of, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    numbered: IntArray = rank[core_of.ravel()]
    return numbered


def _times(axons: IntArray, columns: IntArray, kind: IntArray) -> IntArray:
    """How many tiles of a kind each core still has room for."""
    times: IntArray = columns // int(kind[1])
    return np.minimum(times, axons // int(kind[0])) if kind[0] else times
