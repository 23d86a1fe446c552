"""Simulated annealing of a placement by swaps and moves, with the change of cost counted from the moved cores alone.

All costs are whole numbers, so that the cost carried along equals the cost counted anew, on every machine.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

# Random numbers are SplitMix64 (Steele et al. 2014): the same with every version of NumPy and Numba.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)


def random_state(seed: int, round_number: int) -> int:
    """State from which the random numbers of a round start, for any whole number as seed."""
    return (seed * 1_000_003 + round_number) % 2**63


@numba.njit(inline="always")
def mixed(state: np.uint64) -> np.uint64:
    """The random number of a state."""
    state = (state ^ (state >> np.uint64(30))) * MIX_1
    state = (state ^ (state >> np.uint64(27))) * MIX_2
    return state ^ (state >> np.uint64(31))


@numba.njit(inline="always")
def distance(dx: int, dy: int, cost_x: int, cost_y: int) -> int:
    """Cost of the way between routers that are so far apart."""
    return abs(dx) * cost_x + abs(dy) * cost_y


@numba.njit(inline="always")
def cost_change(core, partner, to_x, to_y, first, other, weight, core_x, core_y, cost_x, cost_y):  # type: ignore[no-untyped-def]
    """Change of cost if a core moves to a router; its way to `partner`, with whom it swaps, stays as it is."""
    change = np.int64(0)
    from_x, from_y = core_x[core], core_y[core]
    for edge in range(first[core], first[core + 1]):
        neighbour = other[edge]
        if neighbour != partner:
            x, y = core_x[neighbour], core_y[neighbour]
            change += weight[edge] * (
                distance(to_x - x, to_y - y, cost_x, cost_y) - distance(from_x - x, from_y - y, cost_x, cost_y)
            )
    return change


@numba.njit(inline="always")
def propose(state, first, other, slot_of, group_of, starts, near):  # type: ignore[no-untyped-def]
    """Draw a core and a slot for it: the next state, the core and the slot, -1 for one of another group.

    Every other slot is near a core that the drawn one talks with, the rest are anywhere in its group.
    """
    state += GOLDEN
    draw = mixed(state)
    state += GOLDEN
    draw_slot = mixed(state)
    core = np.int64((draw >> np.uint64(33)) % np.uint64(len(slot_of)))
    low, high = starts[group_of[core]], starts[group_of[core] + 1]
    degree = first[core + 1] - first[core]
    if degree and draw & np.uint64(1):
        neighbour = other[first[core] + np.int64((draw_slot >> np.uint64(40)) % np.uint64(degree))]
        stop = near[slot_of[neighbour], np.int64((draw_slot & np.uint64(0xFFFFFF)) % np.uint64(near.shape[1]))]
        return state, core, stop if low <= stop < high else np.int64(-1)
    return state, core, low + np.int64((draw_slot >> np.uint64(20)) % np.uint64(high - low))


@numba.njit(inline="always")
def accepted(state, change, temperature):  # type: ignore[no-untyped-def]
    """Whether a change for the worse is accepted (Metropolis)."""
    uniform = np.float64(mixed(state) >> np.uint64(11)) * 2.0**-53
    return temperature > 0.0 and uniform < math.exp(-change / temperature)


@numba.njit(inline="always")
def swap(core, partner, start, stop, slot_of, core_at):  # type: ignore[no-untyped-def]
    """Move a core from slot to slot, and the one there, if any, to where it came from."""
    slot_of[core] = stop
    core_at[stop] = core
    core_at[start] = partner
    if partner >= 0:
        slot_of[partner] = start


@numba.njit(nogil=True, cache=True, boundscheck=False)
def anneal(
    first: IntArray,
    other: NDArray[np.int32],
    weight: IntArray,
    slot_of: IntArray,
    core_at: IntArray,
    group_of: IntArray,
    starts: IntArray,
    x: NDArray[np.int32],
    y: NDArray[np.int32],
    near: IntArray,
    cost_x: int,
    cost_y: int,
    temperature: float,
    moves: int,
    seed: int,
) -> int:
    """Try so many moves at one temperature; changes `slot_of` and `core_at`.

    Parameters
    ----------
    first, other, weight : int64, int32 and int64 arrays
        Symmetric graph of cores as compressed rows; no core is its own neighbour.
    slot_of : int64 array, (cores,)
    core_at : int64 array, (slots,)
        -1 for a free slot.
    group_of : int64 array, (cores,)
    starts : int64 array, (groups + 1,)
        Slots of each group.
    x, y : int32 arrays, (slots,)
        Routers; small numbers stay in the cache.
    near : int64 array, (slots, choices)
        Slots close to each one; those of another group are not taken.
    temperature : float
        In units of cost.

    Returns
    -------
    int
        Change of cost.
    """
    state = np.uint64(seed)
    change_of_all = 0
    core_x, core_y = x[slot_of], y[slot_of]
    for _ in range(moves):
        state, core, stop = propose(state, first, other, slot_of, group_of, starts, near)
        start = slot_of[core]
        if stop < 0 or (x[start] == x[stop] and y[start] == y[stop]):
            continue
        partner = core_at[stop]
        change = cost_change(core, partner, x[stop], y[stop], first, other, weight, core_x, core_y, cost_x, cost_y)
        if partner >= 0:
            change += cost_change(
                partner, core, x[start], y[start], first, other, weight, core_x, core_y, cost_x, cost_y
            )
        state += GOLDEN
        if change <= 0 or accepted(state, change, temperature):
            swap(core, partner, start, stop, slot_of, core_at)
            core_x[core], core_y[core] = x[stop], y[stop]
            if partner >= 0:
                core_x[partner], core_y[partner] = x[start], y[start]
            change_of_all += change
    return change_of_all
