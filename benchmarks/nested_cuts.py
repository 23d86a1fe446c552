"""The cheapest placement of a dozen cores on a mesh, by trying all that may be cheaper than one that is known.

On a mesh of equal routers what messages cost along x is the sum of what crosses the lines between columns: of the cuts
of the traffic by the set of cores left of each line. These sets are nested, a chain; rows make another one. A placement
that is cheaper than the known one spends less than half of the known cost along one of the axes. All such chains are
listed along that axis, and for each of them the chains along the other by which no router gets more cores than it has
slots. A chain is left as soon as it cannot be continued cheaply enough, whatever the other axis asks for.
"""

from __future__ import annotations

from itertools import product

import numba
import numpy as np
from numpy.typing import NDArray

from mapping.placement_problem import PlacementProblem

IntArray = NDArray[np.int64]

MOST_CORES = 16
"""Tables have an entry for each set of cores, and are filled by going through all pairs of a set and a subset."""
NO_CHAIN = 2**52


def least_cost(problem: PlacementProblem, known: int) -> int:
    """The cost of the cheapest placement, in units: `known` if nothing is cheaper.

    Parameters
    ----------
    problem : PlacementProblem
        At most `MOST_CORES` cores, one group, and the same number of slots at every router of a rectangle.
    known : int
        Cost of a placement.

    Raises
    ------
    ValueError
        The problem is not such a one.
    """
    slots = problem.slots
    slots_of_routers = np.bincount(slots.y * slots.width + slots.x, minlength=slots.width * slots.height)
    if len(slots.starts) != 2 or len(problem.group_of) > MOST_CORES or len(set(slots_of_routers.tolist())) != 1:
        raise ValueError(f"more than {MOST_CORES} cores, several groups, or routers that are not alike")
    lines, capacity, best = (slots.width, slots.height), int(slots_of_routers[0]), known
    cuts = cut_weights(problem)
    sizes = np.array([bin(index).count("1") for index in range(len(cuts))], dtype=np.int64)
    lightest = {
        many: lightest_chains(cuts, sizes, capacity * many, max(lines)) for many in range(1, max(lines) + 1)
    }
    searched = set()
    for one, other in ((0, 1), (1, 0)):
        costs = problem.hop_costs[one], problem.hop_costs[other]
        for grid in product(range(1, lines[one] + 1), range(1, lines[other] + 1)):
            if (grid, costs) not in searched:
                searched.add((grid, costs))
                chains = lightest[grid[1]][: grid[0] + 1], lightest[grid[0]][: grid[1] + 1]
                best = cheapest_on(grid, costs, chains, cuts, sizes, capacity, best)
    return best


def cheapest_on(
    grid: tuple[int, int],
    costs: tuple[int, int],
    lightest: tuple[IntArray, IntArray],
    cuts: IntArray,
    sizes: IntArray,
    capacity: int,
    best: int,
) -> int:
    """The least cost if just so many lines are taken along each axis, less than half of it being spent along the first.

    `best` if that is not less.
    """
    along, across = costs[0] * lightest[0], costs[1] * lightest[1]
    limits = min((best + 1) // 2, best - across[-1, 0]), best - along[-1, 0]
    if along[-1, 0] >= limits[0] or across[-1, 0] >= limits[1]:
        return best
    sets, _ = useful_sets(costs[0] * cuts, along, limits[0])
    sets_across, through = useful_sets(costs[1] * cuts, across, limits[1])
    return int(cheapest_along(sets, sets_across, through, *costs, cuts, sizes, along, across, capacity, best))


def cut_weights(problem: PlacementProblem) -> IntArray:
    """Weight between each set of cores, as the bits of its index, and all others."""
    cuts = np.zeros(1, dtype=np.int64)
    for core in range(len(problem.group_of)):
        row = slice(problem.first[core], problem.first[core + 1])
        weights = dict(zip(problem.other[row].tolist(), problem.weight[row].tolist(), strict=True))
        inside = np.zeros(1, dtype=np.int64)
        for other in range(core):
            inside = np.concatenate([inside, inside + weights.get(other, 0)])
        cuts = np.concatenate([cuts, cuts + problem.weight[row].sum() - 2 * inside])
    return cuts


def useful_sets(cuts: IntArray, lightest: IntArray, limit: int) -> tuple[IntArray, IntArray]:
    """Sets of which chains may be made that cost less than a limit, cheap ones first, and the costs of these chains."""
    steps = len(lightest) - 1
    through = np.full(len(cuts), NO_CHAIN)
    for before in range(1, steps):
        through = np.minimum(through, cuts + lightest[steps - before] + lightest[before][::-1])
    useful = np.flatnonzero(through < limit)
    useful = useful[np.argsort(through[useful], kind="stable")]
    return useful, through[useful]


@numba.njit(cache=True)
def lightest_chains(cuts: IntArray, sizes: IntArray, most: int, steps: int) -> IntArray:
    """Weight of the lightest chain from each set to that of all cores, in so many steps of at most so many cores each.

    Shape (steps + 1, sets).
    """
    everyone = len(cuts) - 1
    lightest = np.full((steps + 1, len(cuts)), NO_CHAIN, dtype=np.int64)
    lightest[0, everyone] = 0
    for inside in range(everyone):
        if sizes[everyone ^ inside] <= most:
            lightest[1, inside] = 0
    for step in range(2, steps + 1):
        for inside in range(everyone):
            outside = everyone ^ inside
            if not step <= sizes[outside] <= step * most:
                continue
            found = NO_CHAIN
            added = (outside - 1) & outside
            while added:
                if sizes[added] <= most:
                    found = min(found, cuts[inside | added] + lightest[step - 1, inside | added])
                added = (added - 1) & outside
            lightest[step, inside] = found
    return lightest


@numba.njit(cache=True)
def cheapest_along(sets, sets_across, through, cost, cost_across, cuts, sizes, lightest, across, capacity, best):  # type: ignore[no-untyped-def]
    """Go through the chains of `sets`, and for each through those of `sets_across`.

    `through` is what the cheapest chain through each of the latter costs. Of a placement and its mirror image, only the
    one is tried which has the first core in the first half.
    """
    everyone, steps, steps_across = len(cuts) - 1, len(lightest) - 1, len(across) - 1
    inside, paid, position = np.zeros(steps, np.int64), np.zeros(steps, np.int64), np.zeros(steps, np.int64)
    parts = np.zeros(steps, np.int64)
    near = np.zeros(len(sets_across), np.int64)
    most = capacity * steps_across
    depth = 0
    while depth >= 0:
        if depth == steps - 1:
            parts[depth] = everyone ^ inside[depth]
            left = best - paid[depth]
            if sizes[parts[depth]] <= most and across[steps_across, 0] < left:
                kept = 0
                for index in range(np.searchsorted(through, left)):
                    if divides(sets_across[index], parts, sizes, capacity, steps_across):
                        near[kept] = sets_across[index]
                        kept += 1
                best = paid[depth] + cheapest_across(
                    near[:kept], cost_across, cuts, sizes, across, parts, capacity, left
                )
            depth -= 1
            continue
        if position[depth] == len(sets):
            depth -= 1
            continue
        reached = sets[position[depth]]
        position[depth] += 1
        added = reached ^ inside[depth]
        mirrored = 2 * (depth + 1) >= steps and not reached & 1
        if added == 0 or reached & inside[depth] != inside[depth] or sizes[added] > most or mirrored:
            continue
        paid_there = paid[depth] + cost * cuts[reached]
        needed = paid_there + lightest[steps - depth - 1, reached]
        if 2 * needed < best and needed + across[steps_across, 0] < best:
            parts[depth] = added
            depth += 1
            inside[depth], paid[depth], position[depth] = reached, paid_there, 0
    return best


@numba.njit(cache=True)
def cheapest_across(sets, cost, cuts, sizes, lightest, parts, capacity, best):  # type: ignore[no-untyped-def]
    """Go through the chains of `sets` that add no more of each part at once than a router can hold.

    Where two neighbouring lines could be one, a placement on fewer lines is as cheap, and tried elsewhere.
    """
    everyone, steps = len(cuts) - 1, len(lightest) - 1
    inside, paid, position = np.zeros(steps, np.int64), np.zeros(steps, np.int64), np.zeros(steps, np.int64)
    line = np.zeros(steps, np.int64)
    depth = 0
    while depth >= 0:
        if depth == steps - 1:
            last = everyone ^ inside[depth]
            alone = depth == 0 or not fits(last | line[depth - 1], parts, sizes, capacity)
            if alone and fits(last, parts, sizes, capacity):
                best = min(best, paid[depth])
            depth -= 1
            continue
        if position[depth] == len(sets):
            depth -= 1
            continue
        reached = sets[position[depth]]
        position[depth] += 1
        added = reached ^ inside[depth]
        mirrored = 2 * (depth + 1) >= steps and not reached & 1
        if added == 0 or reached & inside[depth] != inside[depth] or mirrored:
            continue
        paid_there = paid[depth] + cost * cuts[reached]
        if paid_there + lightest[steps - depth - 1, reached] >= best or not fits(added, parts, sizes, capacity):
            continue
        if depth == 0 or not fits(added | line[depth - 1], parts, sizes, capacity):
            line[depth] = added
            depth += 1
            inside[depth], paid[depth], position[depth] = reached, paid_there, 0
    return best


@numba.njit(cache=True)
def divides(reached, parts, sizes, capacity, steps):  # type: ignore[no-untyped-def]
    """Whether a set may be what the first few of so many lines hold, and the others the rest of each part."""
    for before in range(1, steps):
        possible = True
        for part in parts:
            there = sizes[reached & part]
            possible &= there <= before * capacity and sizes[part] - there <= (steps - before) * capacity
        if possible:
            return True
    return False


@numba.njit(cache=True)
def fits(added, parts, sizes, capacity):  # type: ignore[no-untyped-def]
    """Whether a line can hold these cores: no more of each part than a router has slots."""
    fitting = True
    for part in parts:
        fitting &= sizes[added & part] <= capacity
    return fitting
