"""Lower bounds of what messages cost on their way, given the cores: how much a better placement could still win."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.placement_problem import PlacementProblem

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

LARGEST_DENSE = 2500
"""Most cores whose traffic is written as a dense matrix."""
LARGEST_ASSIGNMENT = 1500
"""Most slots of a group for which the Gilmore-Lawler bound is computed; its assignment problems take seconds beyond."""


def hop_cost_bound(problem: PlacementProblem) -> float:
    """The best of three bounds, in messages times hop costs; two of them only where they take at most seconds.

    It holds for every placement of the cores on the slots of the problem in which each lies in its own group.
    """
    bounds = [ring_bound(problem)]
    if len(problem.group_of) <= LARGEST_DENSE:
        bounds.append(crowding_bound(problem))
        if np.diff(problem.slots.starts).max() <= LARGEST_ASSIGNMENT:
            bounds.append(gilmore_lawler_bound(problem))
    return max(bounds)


def ring_bound(problem: PlacementProblem) -> float:
    """Sum over the cores of the least that each one's messages cost if it alone chose, on an endless mesh.

    The cores that a core exchanges most with take the nearest slots: those of its own router, then the rings around it.
    Every message is counted at both ends, so the sum is halved.
    """
    degrees = np.diff(problem.first)
    costs = nearest_costs(int(degrees.max(initial=0)), problem)
    rows = np.repeat(np.arange(len(degrees)), degrees)
    order = np.lexsort((-problem.weight, rows))
    rank = np.arange(len(rows)) - np.repeat(problem.first[:-1], degrees)
    return float(problem.weight[order].astype(np.float64) @ costs[rank].astype(np.float64)) / 2 * problem.unit


def crowding_bound(problem: PlacementProblem) -> float:
    """What must leave the routers, since each has few cores; one hop each at the least.

    The bound of Donath and Hoffman (1973) for the weight between the parts of a graph of at most m nodes each: half
    the sum of m times the smallest eigenvalues of the Laplacian, as many as there are full parts.
    """
    size, count = slots_of_a_router(problem), len(problem.group_of)
    matrix = traffic_matrix(problem)
    eigenvalues = np.maximum(np.linalg.eigvalsh(np.diag(matrix.sum(axis=1)) - matrix), 0.0)
    sizes = np.minimum(size, np.maximum(count - size * np.arange(count), 0))
    return float(sizes @ eigenvalues) / 2 * min(problem.hop_costs) * problem.unit


def traffic_matrix(problem: PlacementProblem) -> FloatArray:
    """Units that two cores send each other; symmetric, (cores, cores)."""
    count = len(problem.group_of)
    matrix = np.zeros((count, count))
    matrix[np.repeat(np.arange(count), np.diff(problem.first)), problem.other] = problem.weight
    return matrix


def slots_of_a_router(problem: PlacementProblem) -> int:
    """Most cores at one router."""
    _, per_router = np.unique(problem.slots.y * problem.slots.width + problem.slots.x, return_counts=True)
    return int(per_router.max(initial=1))


def nearest_costs(count: int, problem: PlacementProblem) -> IntArray:
    """Costs of the ways from a slot of an endless mesh to the `count` cheapest others, ascending."""
    beside = slots_of_a_router(problem)
    radius = 1
    while beside * (1 + 2 * radius * (radius + 1)) <= count:
        radius += 1
    # wide enough for all that is not dearer than the dearest point of a diamond that holds enough
    reach = radius * max(problem.hop_costs) // min(problem.hop_costs)
    dx, dy = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
    costs = np.repeat(np.sort(problem.cost(dx.ravel(), dy.ravel())), beside)
    return costs[1 : count + 1]


def gilmore_lawler_bound(problem: PlacementProblem) -> float:
    """The bound of Gilmore (1962) and Lawler (1963) for the quadratic assignment problem.

    If core i takes slot k, its messages to each group cost at least its weights, from the largest, times the costs
    to the slots of that group, from the smallest. The best assignment of cores to slots by these costs bounds all.
    """
    from scipy.optimize import linear_sum_assignment  # a quarter of a second to import

    slots, matrix = problem.slots, traffic_matrix(problem)
    total = 0.0
    for group, start in enumerate(slots.starts[:-1]):
        cores = np.flatnonzero(problem.group_of == group)
        here = np.arange(start, slots.starts[group + 1])
        least = np.zeros((len(cores), len(here)))
        for other, first in enumerate(slots.starts[:-1]):
            there = np.arange(first, slots.starts[other + 1])
            partners = np.flatnonzero(problem.group_of == other)
            weights = -np.sort(-matrix[np.ix_(cores, partners)], axis=1)
            weights = weights[:, : int((weights > 0).sum(axis=1).max(initial=0))]
            costs = problem.cost(slots.x[here][:, None] - slots.x[there], slots.y[here][:, None] - slots.y[there])
            if other == group:
                costs = costs + np.where(np.eye(len(here), dtype=np.bool_), np.iinfo(np.int64).max // 4, 0)
            width = min(weights.shape[1], len(there) - (other == group))
            least += weights[:, :width] @ np.sort(costs, axis=1)[:, :width].T.astype(np.float64)
        rows, columns = linear_sum_assignment(least)
        total += float(least[rows, columns].sum())
    return total / 2 * problem.unit
