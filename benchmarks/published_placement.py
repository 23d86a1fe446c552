"""Placements that others publish: at random, in sequence, and the pipeline of Jin et al. (ASPLOS 2023).

That pipeline places cores in the order of the network along a Hilbert curve, then swaps neighbours on the mesh while a
force pulls them past each other: the tension of a pair is what the hop-weighted spikes fall by if both are exchanged,
and in every sweep the pairs of largest tension are exchanged, until no pair has any. Written from the paper's
description; whether a tension is still there is looked up before each exchange, so that no exchange is a loss.
"""

from __future__ import annotations

from itertools import pairwise

import numba
import numpy as np
from numpy.typing import NDArray

from mapping.annealing import cost_change
from mapping.hilbert import hilbert_curve
from mapping.placement_problem import PlacementProblem

IntArray = NDArray[np.int64]

SHARE_OF_PAIRS = 0.3
"""Of the pairs under tension, those exchanged in one sweep."""


def random_placement(problem: PlacementProblem, seed: int) -> IntArray:
    """Each core on any slot of its group."""
    generator = np.random.default_rng(seed)
    return _filled(problem, [generator.permutation(len(group)) for group in _groups(problem)])


def sequential_placement(problem: PlacementProblem) -> IntArray:
    """In the order of the network, row by row."""
    slots = problem.slots
    return _filled(problem, [np.lexsort((slots.x[group], slots.y[group])) for group in _groups(problem)])


def hilbert_placement(problem: PlacementProblem) -> IntArray:
    """In the order of the network along a Hilbert curve."""
    orders = []
    for group in _groups(problem):
        x = problem.slots.x[group] - problem.slots.x[group].min()
        y = problem.slots.y[group] - problem.slots.y[group].min()
        rank = {point: index for index, point in enumerate(hilbert_curve(int(x.max()) + 1, int(y.max()) + 1))}
        orders.append(np.argsort([rank[point] for point in zip(x.tolist(), y.tolist(), strict=True)], kind="stable"))
    return _filled(problem, orders)


def force_directed(problem: PlacementProblem, start: IntArray) -> IntArray:
    """Exchange neighbours on the mesh until nothing is won by it."""
    slots, slot_of, core_at = problem.slots, start.copy(), problem.core_at(start)
    rows = problem.first, problem.other, problem.weight
    pairs = _neighbouring_slots(problem)
    while True:
        arrays = (*rows, slot_of, core_at, slots.x, slots.y, *problem.hop_costs)
        tensions = pair_tensions(pairs, *arrays)
        pulled = np.flatnonzero(tensions > 0)
        if not len(pulled):
            return slot_of
        strongest = pulled[np.argsort(-tensions[pulled], kind="stable")]
        exchange(pairs[strongest[: -(-int(len(pulled) * SHARE_OF_PAIRS * 100) // 100) or 1]], *arrays)


def _groups(problem: PlacementProblem) -> list[IntArray]:
    starts = problem.slots.starts
    return [np.arange(start, stop) for start, stop in pairwise(starts.tolist())]


def _filled(problem: PlacementProblem, orders: list[IntArray]) -> IntArray:
    """Cores in their order on the slots of their group in the order given."""
    slot_of = np.empty(len(problem.group_of), dtype=np.int64)
    for number, (group, order) in enumerate(zip(_groups(problem), orders, strict=True)):
        cores = np.flatnonzero(problem.group_of == number)
        slot_of[cores] = group[order[: len(cores)]]
    return slot_of


def _neighbouring_slots(problem: PlacementProblem) -> IntArray:
    """Pairs of slots of one group at neighbouring routers; (pairs, 2)."""
    found = []
    for group in _groups(problem):
        x, y = problem.slots.x[group], problem.slots.y[group]
        for dx, dy in ((1, 0), (0, 1)):
            beside = (x[:, None] + dx == x) & (y[:, None] + dy == y)
            found.append(group[np.argwhere(beside)])
    return np.concatenate(found)


@numba.njit(cache=True)
def tension(one, other_slot, first, other, weight, core_x, core_y, core_at, x, y, cost_x, cost_y):  # type: ignore[no-untyped-def]
    """What is won if the cores of two slots change places."""
    core, partner = core_at[one], core_at[other_slot]
    won = 0
    if core >= 0:
        to_x, to_y = x[other_slot], y[other_slot]
        won -= cost_change(core, partner, to_x, to_y, first, other, weight, core_x, core_y, cost_x, cost_y)
    if partner >= 0:
        won -= cost_change(partner, core, x[one], y[one], first, other, weight, core_x, core_y, cost_x, cost_y)
    return won


@numba.njit(cache=True)
def pair_tensions(pairs, first, other, weight, slot_of, core_at, x, y, cost_x, cost_y):  # type: ignore[no-untyped-def]
    """Tension of each pair of slots."""
    found = np.zeros(len(pairs), dtype=np.int64)
    core_x, core_y = x[slot_of], y[slot_of]
    for index in range(len(pairs)):
        found[index] = tension(
            pairs[index, 0], pairs[index, 1], first, other, weight, core_x, core_y, core_at, x, y, cost_x, cost_y
        )
    return found


@numba.njit(cache=True)
def exchange(pairs, first, other, weight, slot_of, core_at, x, y, cost_x, cost_y):  # type: ignore[no-untyped-def]
    """Exchange the cores of these pairs in turn, each if there is still something to be won."""
    core_x, core_y = x[slot_of], y[slot_of]
    for index in range(len(pairs)):
        one, two = pairs[index, 0], pairs[index, 1]
        if tension(one, two, first, other, weight, core_x, core_y, core_at, x, y, cost_x, cost_y) > 0:
            core, partner = core_at[one], core_at[two]
            core_at[one], core_at[two] = partner, core
            if core >= 0:
                slot_of[core], core_x[core], core_y[core] = two, x[two], y[two]
            if partner >= 0:
                slot_of[partner], core_x[partner], core_y[partner] = one, x[one], y[one]
