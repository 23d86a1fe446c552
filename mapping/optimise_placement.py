"""Rearrange the cores of a legal placement so that messages have short ways: the best start, then annealing.

Only addresses change, and the targets that name them. A core stays on its chip wherever a demand depends on which cores
share it, so that what was legal stays legal.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.annealing import anneal, random_state
from mapping.congestion_annealing import least_congested, relieve_congestion
from mapping.core_traffic import CoreTraffic
from mapping.hop_costs import hop_costs
from mapping.mesh_slots import compact_chips, may_change_chip, near_slots
from mapping.placement import Placement
from mapping.placement_options import LARGEST_WORK, MOVES_PER_CORE, PlacementOptions
from mapping.placement_problem import PlacementProblem, placement_problem
from mapping.placement_starts import constructive_starts

IntArray = NDArray[np.int64]

NEAR_CHOICES = 16
ROUNDS = 60
COOLING = 1e-3
"""Last temperature over the first one, which is the mean messages of a core times a hop."""
MOVES_TO_ONE = 8
"""Moves for hops to one for congestion, which has the loads of many links to change."""


def optimise_placement(
    placement: Placement, traffic: CoreTraffic, profile: HardwareProfile, options: PlacementOptions
) -> Placement:
    """Rearrange the cores of a placement.

    Parameters
    ----------
    placement : Placement
        Legal; its cores are in the order of the network, which the starts use.
    traffic : CoreTraffic
        Of its cores, see `mapping.core_traffic`.
    profile : HardwareProfile
    options : PlacementOptions

    Returns
    -------
    Placement
        The same cores in the same order, at other addresses; by the objective never worse than `placement`. The same
        for the same arguments.
    """
    if options.effort == "none" or not traffic.messages.any():
        return placement
    costs = hop_costs(profile, options.objective)
    tiles = [core.tiles for core in placement.cores]
    problem = placement_problem(placement, traffic, profile, costs)
    starts = [current_slots(problem, placement), *constructive_starts(problem, tiles).values()]
    chips = compact_chips(placement.chip_count, profile) if may_change_chip(profile) else None
    if chips is not None and options.objective != "congestion":  # whose start may be the placement as it is
        elsewhere = placement_problem(placement, traffic, profile, costs, chips)
        found = list(constructive_starts(elsewhere, tiles).values())
        if min(map(elsewhere.total_cost, found)) < min(map(problem.total_cost, starts)):
            problem, starts = elsewhere, found
    slot_of = anneal_hops(problem, min(starts, key=problem.total_cost), options)
    if options.objective == "congestion":
        slot_of = relieve_congestion(
            problem,
            least_congested(problem, [*starts, slot_of]),
            options,
            -(-moves_a_round(problem, options) // MOVES_TO_ONE),
        )
    return with_slots(placement, problem, slot_of)


def current_slots(problem: PlacementProblem, placement: Placement) -> IntArray:
    """Slot of each core of a placement."""
    slots = {address: slot for slot, address in enumerate(problem.slots.addresses)}
    return np.array([slots[core.address] for core in placement.cores], dtype=np.int64)


def with_slots(placement: Placement, problem: PlacementProblem, slot_of: IntArray) -> Placement:
    """The same cores on other slots; targets follow."""
    addresses = [problem.slots.addresses[slot] for slot in slot_of.tolist()]
    moved = {core.address: address for core, address in zip(placement.cores, addresses, strict=True)}
    return Placement(
        tuple(
            replace(core, address=address, targets=tuple(sorted(moved[target] for target in core.targets)))
            for core, address in zip(placement.cores, addresses, strict=True)
        )
    )


def anneal_hops(problem: PlacementProblem, start: IntArray, options: PlacementOptions) -> IntArray:
    """Anneal from a start; the best arrangement at the end of any round, or the start if none is better."""
    slots, other = problem.slots, problem.other.astype(np.int32)
    routers = slots.x.astype(np.int32), slots.y.astype(np.int32)
    near = near_slots(slots, NEAR_CHOICES)
    slot_of, core_at = start.copy(), problem.core_at(start)
    best, best_change, change = start, 0, 0
    temperature = int(problem.weight.sum()) / 2 / len(start) * max(problem.hop_costs)
    moves = moves_a_round(problem, options)
    for round_number in range(ROUNDS + 1):
        cooled = temperature * COOLING ** (round_number / ROUNDS) if round_number < ROUNDS else 0.0
        change += anneal(
            problem.first,
            other,
            problem.weight,
            slot_of,
            core_at,
            problem.group_of,
            slots.starts,
            *routers,
            near,
            *problem.hop_costs,
            cooled,
            moves,
            random_state(options.seed, round_number),
        )
        if change < best_change:
            best, best_change = slot_of.copy(), change
    return best


def moves_a_round(problem: PlacementProblem, options: PlacementOptions) -> int:
    """Moves of one round: as many as the effort says, fewer where cores have many ways to look at."""
    cores = len(problem.group_of)
    work_of_a_move = max(1, 2 * len(problem.other) // cores)
    moves = min(MOVES_PER_CORE[options.effort] * cores, LARGEST_WORK[options.effort] // work_of_a_move)
    return -(-moves // ROUNDS)
