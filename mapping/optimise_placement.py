"""Rearrange the cores of a legal placement so that messages have short ways: the best start, then annealing.

Only addresses change, and the targets that name them. Wherever a demand depends on which cores share a chip, these stay
together, so that what was legal stays legal: chips are exchanged as a whole, and then cores within each.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hw_profiles import MeshProfile
from mapping.anneal_hops import anneal_hops, moves_a_round
from mapping.chip_arrangement import arrange_chips
from mapping.congestion_annealing import least_congested, relieve_congestion
from mapping.core_traffic import CoreTraffic
from mapping.hop_costs import hop_costs
from mapping.mesh_slots import compact_chips, may_change_chip
from mapping.placement import Placement
from mapping.placement_options import PlacementOptions
from mapping.placement_problem import PlacementProblem, current_slots, placement_problem
from mapping.placement_starts import constructive_starts

IntArray = NDArray[np.int64]

MOVES_TO_ONE = 8
"""Moves for hops to one for congestion, which has the loads of many links to change."""


def optimise_placement(
    placement: Placement, traffic: CoreTraffic, profile: MeshProfile, options: PlacementOptions
) -> Placement:
    """Rearrange the cores of a placement.

    Parameters
    ----------
    placement : Placement
        Legal; its cores are in the order of the network, which the starts use.
    traffic : CoreTraffic
        Of its cores, see `mapping.core_traffic`.
    profile : MeshProfile
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
    if options.objective != "congestion":  # whose start may be the placement as it is
        placement = arrange_chips(placement, traffic, profile, costs, options)
    tiles = [core.tiles for core in placement.cores]
    problem = placement_problem(placement, traffic, profile, costs)
    starts = [current_slots(problem, placement), *constructive_starts(problem, tiles).values()]
    chips = compact_chips(placement.chip_count, profile) if may_change_chip(profile) else None
    if chips is not None and options.objective != "congestion":
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
