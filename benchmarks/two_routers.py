"""The lightest cut of a graph into two parts of limited size, by trying all of them."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

MOST_CORES = 30
"""Each core more doubles the work: 26 take about a second."""


@numba.njit(cache=True)
def lightest_bisection(weights: NDArray[np.int64], most: int) -> int:
    """Weight between two parts of at most so many nodes each, for symmetric weights of shape (nodes, nodes).

    The last node stays in one part; the others change theirs one at a time, in the order of the Gray code.
    """
    nodes = len(weights)
    side = np.zeros(nodes, dtype=np.int64)
    moved, cut = 0, np.int64(0)
    best = np.int64(0) if nodes <= most else np.iinfo(np.int64).max
    for number in range(1, 1 << (nodes - 1)):
        node, bits = 0, number
        while not bits & 1:
            bits >>= 1
            node += 1
        for other in range(nodes):
            if other != node:
                cut += weights[node, other] if side[other] == side[node] else -weights[node, other]
        side[node] ^= 1
        moved += 1 if side[node] else -1
        if moved <= most and nodes - moved <= most:
            best = min(best, cut)
    return best
