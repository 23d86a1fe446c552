"""Simulated annealing of a placement problem for the cost of all hops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.annealing import anneal, random_state
from mapping.mesh_slots import near_slots
from mapping.placement_options import LARGEST_WORK, MOVES_PER_CORE, PlacementOptions
from mapping.placement_problem import PlacementProblem

IntArray = NDArray[np.int64]

NEAR_CHOICES = 16
ROUNDS = 60
COOLING = 1e-3
"""Last temperature over the first one, which is the mean messages of a core times a hop."""


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
