"""Lower bounds of what messages cost on their way, given the cores: how much a better placement could still win."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.placement_problem import PlacementProblem

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

LARGEST_ASSIGNMENT = 2500
"""Most slots for which the Gilmore-Lawler bound is computed; its assignment problems take seconds beyond."""


def hop_cost_bound(problem: PlacementProblem) -> float:
    """The better of both bounds, in messages times hop costs; the second one only where it takes at most seconds.

    It holds for every placement of the cores on the slots of the problem in which each lies in its own group.
    """
    bound = ring_bound(problem)
    if len(problem.slots.x) <= LARGEST_ASSIGNMENT:
        bound = max(bound, gilmore_lawler_bound(problem))
    return bound


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


def nearest_costs(count: int, problem: PlacementProblem) -> IntArray:
    """Costs of the ways from a slot of an endless mesh to the `count` cheapest others, ascending."""
    _, per_router = np.unique(problem.slots.y * problem.slots.width + problem.slots.x, return_counts=True)
    beside = int(per_router.max(initial=1))
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

    slots, count = problem.slots, len(problem.group_of)
    matrix = np.zeros((count, count))
    matrix[np.repeat(np.arange(count), np.diff(problem.first)), problem.other] = problem.weight
    total = 0.0
    for group, start in enumerate(slots.starts[:-1]):
        cores = np.flatnonzero(problem.group_of == group)
        here = np.arange(start, slots.starts[group + 1])
        least = np.zeros((len(cores), len(here)))
        for other, first in enumerate(slots.starts[:-1]):
            there = np.arange(first, slots.starts[other + 1])
            partners = np.flatnonzero(problem.group_of == other)
            weights = -np.sort(-matrix[np.ix_(cores, partners)], axis=1)
            costs = problem.cost(slots.x[here][:, None] - slots.x[there], slots.y[here][:, None] - slots.y[there])
            if other == group:
                costs = costs + np.where(np.eye(len(here), dtype=np.bool_), np.iinfo(np.int64).max // 4, 0)
            width = min(weights.shape[1], len(there) - (other == group))
            least += weights[:, :width] @ np.sort(costs, axis=1)[:, :width].T.astype(np.float64)
        rows, columns = linear_sum_assignment(least)
        total += float(least[rows, columns].sum())
    return total / 2 * problem.unit
