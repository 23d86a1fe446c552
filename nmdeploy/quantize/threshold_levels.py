"""A few threshold values for many channels.

Every channel would like the largest threshold with which its weights just fit their field, since a larger threshold
means finer weights. A core holds only a few distinct thresholds, so channels share the best few values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def shared_levels(wanted: IntArray, count: int) -> IntArray:
    """Assign each channel the largest of `count` levels that is not above what it wants.

    The levels minimise the sum over channels of ``1 / level**2``, to which the squared rounding error of the weights
    is proportional; found exactly by dynamic programming over the sorted distinct values.

    Parameters
    ----------
    wanted : int64 array, (channels,)
        Largest legal threshold mantissa of each channel; positive.
    count : int
        Number of levels, at least 1.

    Returns
    -------
    int64 array, (channels,)
        At most `count` distinct values, none above `wanted`.
    """
    values, inverse, members = np.unique(wanted, return_inverse=True, return_counts=True)
    size = len(values)
    if size <= count:
        return wanted.copy()
    below = np.concatenate([[0], np.cumsum(members)])
    # cost[i, j]: channels i..j-1 of the sorted values share the level values[i]
    cost = (below[None, :] - below[:-1, None]) / values[:, None].astype(np.float64) ** 2
    best = cost[0].copy()
    cuts = []
    for _ in range(count - 1):
        totals = np.where(np.arange(size)[:, None] <= np.arange(size + 1)[None, :], best[:size, None] + cost, np.inf)
        totals[0] = best  # no further level
        cuts.append(totals.argmin(axis=0))
        best = totals.min(axis=0)
    level_of_value = np.empty(size, dtype=np.int64)
    stop = size
    for cut in reversed(cuts):
        start = int(cut[stop])
        if start > 0:
            level_of_value[start:stop] = values[start]
            stop = start
    level_of_value[:stop] = values[0]
    assigned: IntArray = level_of_value[inverse.ravel()]
    return assigned
