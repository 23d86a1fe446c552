"""Simulated annealing of a placement for the load of the busiest link, with dimension-ordered routes.

What is annealed is the sum of the fourth powers of all loads: the busiest links rule it, and every move changes it,
while most moves leave the maximum as it is. The arrangement of least maximum that was seen is what counts in the end.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from mapping.annealing import GOLDEN, accepted, propose, random_state, swap
from mapping.mesh_slots import near_slots
from mapping.placement_options import PlacementOptions
from mapping.placement_problem import PlacementProblem
from mapping.route_metrics import link_loads

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

ROUNDS = 60
COOLING = 1e-3
"""Last temperature over the first one, which is the mean share of a core in the cost."""

NEAR_CHOICES = 16


def least_congested(problem: PlacementProblem, arrangements: list[IntArray]) -> IntArray:
    """The arrangement with the least load of the busiest link, the first of equals."""
    return min(arrangements, key=lambda slot_of: largest_load(problem, slot_of))


def largest_load(problem: PlacementProblem, slot_of: IntArray) -> float:
    """Load of the busiest link, in messages."""
    return float(link_loads(problem.traffic, problem.positions(slot_of)).all_links.max(initial=0.0))


def relieve_congestion(problem: PlacementProblem, start: IntArray, options: PlacementOptions, moves: int) -> IntArray:
    """Anneal from a start; the arrangement of least maximum at the end of any round, or the start if none is better.

    Parameters
    ----------
    problem : PlacementProblem
    start : int64 array, (cores,)
    options : PlacementOptions
    moves : int
        Of each round.
    """
    first, other, sent, received = directed_rows(problem)
    slots = problem.slots
    near = near_slots(slots, NEAR_CHOICES)
    slot_of, core_at = start.copy(), problem.core_at(start)
    loads = np.zeros((4, slots.height, slots.width))
    fill(first, other, sent, slot_of, slots.x, slots.y, loads)
    scale = loads.max()
    if not scale:
        return start
    temperature = float(((loads / scale) ** 4).sum()) / len(start)
    best, least = start, scale
    for round_number in range(ROUNDS + 1):
        cooled = temperature * COOLING ** (round_number / ROUNDS) if round_number < ROUNDS else 0.0
        anneal_loads(
            first,
            other,
            sent,
            received,
            slot_of,
            core_at,
            problem.group_of,
            slots.starts,
            slots.x,
            slots.y,
            near,
            loads,
            scale,
            cooled,
            moves,
            random_state(options.seed, round_number),
        )
        if loads.max() < least:
            best, least = slot_of.copy(), loads.max()
    return best


def directed_rows(problem: PlacementProblem) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Compressed rows of the graph of cores, with what each core sends along an edge and what it receives."""
    traffic, count = problem.traffic, problem.traffic.cores
    apart = traffic.source != traffic.target
    source, target, units = traffic.source[apart], traffic.target[apart], problem.units[apart].astype(np.float64)
    rows, columns = np.concatenate([source, target]), np.concatenate([target, source])
    edges, places = np.unique(rows * count + columns, return_inverse=True)
    sent: FloatArray = np.bincount(places[: len(units)], weights=units, minlength=len(edges)).astype(np.float64)
    received: FloatArray = np.bincount(places[len(units) :], weights=units, minlength=len(edges)).astype(np.float64)
    first = np.searchsorted(edges // count, np.arange(count + 1)).astype(np.int64)
    others: IntArray = edges % count
    return first, others, sent, received


@numba.njit(inline="always")
def add_link(loads, direction, y, x, amount, scale):  # type: ignore[no-untyped-def]
    """Add to the load of a link; change of the sum of fourth powers."""
    before = loads[direction, y, x]
    after = before + amount
    loads[direction, y, x] = after
    before /= scale
    after /= scale
    return after * after * after * after - before * before * before * before


@numba.njit
def add_route(loads, from_x, from_y, to_x, to_y, amount, scale):  # type: ignore[no-untyped-def]
    """Add to the loads along a route, first along x, then along y; change of the sum of fourth powers.

    Loads are whole numbers below 2**53, so that taking away what was added leaves no trace.
    """
    change = 0.0
    if amount == 0.0:
        return change
    for x in range(from_x, to_x):
        change += add_link(loads, 0, from_y, x, amount, scale)
    for x in range(to_x, from_x):
        change += add_link(loads, 1, from_y, x, amount, scale)
    for y in range(from_y, to_y):
        change += add_link(loads, 2, y, to_x, amount, scale)
    for y in range(to_y, from_y):
        change += add_link(loads, 3, y, to_x, amount, scale)
    return change


@numba.njit(nogil=True, cache=True, boundscheck=False)
def fill(
    first: IntArray,
    other: IntArray,
    sent: FloatArray,
    slot_of: IntArray,
    x: IntArray,
    y: IntArray,
    loads: FloatArray,
) -> None:
    """Loads of all links: (east, west, south, north) by row and column of the router at their low end."""
    for core in range(len(slot_of)):
        start = slot_of[core]
        for edge in range(first[core], first[core + 1]):
            stop = slot_of[other[edge]]
            add_route(loads, x[start], y[start], x[stop], y[stop], sent[edge], 1.0)


@numba.njit
def shift_routes(core, partner, sign, first, other, sent, received, slot_of, x, y, loads, scale):  # type: ignore[no-untyped-def]
    """Add or take away all routes of a core but those from and to `partner`."""
    change = 0.0
    here = slot_of[core]
    for edge in range(first[core], first[core + 1]):
        if other[edge] != partner:
            there = slot_of[other[edge]]
            change += add_route(loads, x[here], y[here], x[there], y[there], sign * sent[edge], scale)
            change += add_route(loads, x[there], y[there], x[here], y[here], sign * received[edge], scale)
    return change


@numba.njit(nogil=True, cache=True, boundscheck=False)
def anneal_loads(
    first: IntArray,
    other: IntArray,
    sent: FloatArray,
    received: FloatArray,
    slot_of: IntArray,
    core_at: IntArray,
    group_of: IntArray,
    starts: IntArray,
    x: IntArray,
    y: IntArray,
    near: IntArray,
    loads: FloatArray,
    scale: float,
    temperature: float,
    moves: int,
    seed: int,
) -> float:
    """Try so many moves at one temperature; changes `slot_of`, `core_at` and `loads`.

    Moves are those of `mapping.annealing.anneal`.

    Returns
    -------
    float
        Change of the sum of the fourth powers of loads over `scale`.
    """
    state = np.uint64(seed)
    change_of_all = 0.0
    for _ in range(moves):
        state, core, stop = propose(state, first, other, slot_of, group_of, starts, near)
        start = slot_of[core]
        if stop < 0 or (x[start] == x[stop] and y[start] == y[stop]):
            continue
        partner = core_at[stop]
        change = 0.0
        for sign in (-1.0, 1.0):
            change += shift_routes(core, -1, sign, first, other, sent, received, slot_of, x, y, loads, scale)
            if partner >= 0:
                change += shift_routes(partner, core, sign, first, other, sent, received, slot_of, x, y, loads, scale)
            if sign < 0.0:
                swap(core, partner, start, stop, slot_of, core_at)
        state += GOLDEN
        if change <= 0.0 or accepted(state, change, temperature):
            change_of_all += change
            continue
        for sign in (-1.0, 1.0):
            shift_routes(core, -1, sign, first, other, sent, received, slot_of, x, y, loads, scale)
            if partner >= 0:
                shift_routes(partner, core, sign, first, other, sent, received, slot_of, x, y, loads, scale)
            if sign < 0.0:
                swap(core, partner, stop, start, slot_of, core_at)
    return change_of_all
