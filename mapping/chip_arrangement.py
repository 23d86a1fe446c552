"""Which chip of the board each part of a network lies on, where cores cannot leave the chip that they share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hw_profiles import MeshProfile
from mapping.anneal_hops import anneal_hops
from mapping.core_traffic import CoreTraffic
from mapping.mesh_slots import MeshSlots, compact_chips, may_change_chip
from mapping.placement import CoreAddress, Placement
from mapping.placement_options import PlacementOptions
from mapping.placement_problem import current_slots, graph_problem, placement_problem


def arrange_chips(
    placement: Placement,
    traffic: CoreTraffic,
    profile: MeshProfile,
    hop_costs: tuple[int, int],
    options: PlacementOptions,
) -> Placement:
    """Exchange whole chips, and take those that lie as near to a square as can be.

    All chips are alike, and which cores share one stays the same, so that no demand changes.

    Parameters
    ----------
    placement : Placement
        Legal.
    traffic : CoreTraffic
        Of its cores.
    profile : MeshProfile
    hop_costs : (int, int)
        Of a hop along x and along y.
    options : PlacementOptions

    Returns
    -------
    Placement
        The same cores in the same order; messages cost no more than before. The placement itself where cores may leave
        their chip anyway, where there is one chip only, or where chips differ or lie on no grid.
    """
    chips, chip_of = np.unique([core.address.chip for core in placement.cores], return_inverse=True)
    sites = compact_chips(len(chips), profile)
    if may_change_chip(profile) or len(chips) == 1 or sites is None or profile.mesh.chip_columns is None:
        return placement
    between = CoreTraffic(len(chips), chip_of[traffic.source], chip_of[traffic.target], traffic.messages)
    mesh, row = profile.mesh, profile.mesh.chip_columns.value
    y, x = np.divmod(np.array(sites, dtype=np.int64), row)
    slots = MeshSlots(
        addresses=tuple(CoreAddress(site, 0, 0, 0) for site in sites),
        x=x,
        y=y,
        starts=np.array([0, len(sites)]),
        width=int(x.max()) + 1,
        height=int(y.max()) + 1,
    )
    costs = hop_costs[0] * mesh.routers_x.value, hop_costs[1] * mesh.routers_y.value
    problem = graph_problem(between, slots, np.zeros(len(chips), dtype=np.int64), costs)
    site_of = anneal_hops(problem, _snake(slots), options)
    arranged = _on_chips(placement, [sites[site] for site in site_of[chip_of].tolist()])
    problems = [(placement_problem(one, traffic, profile, hop_costs), one) for one in (placement, arranged)]
    before, after = (problem.total_cost(current_slots(problem, one)) for problem, one in problems)
    return arranged if after < before else placement


def _snake(slots: MeshSlots) -> NDArray[np.int64]:
    """Chips in their order, row by row, every other row backwards."""
    order: NDArray[np.int64] = np.lexsort((np.where(slots.y % 2, -slots.x, slots.x), slots.y)).astype(np.int64)
    return order


def _on_chips(placement: Placement, chips: list[int]) -> Placement:
    """The same cores on these chips; targets follow."""
    moved = {
        core.address: replace(core.address, chip=chip) for core, chip in zip(placement.cores, chips, strict=True)
    }
    return Placement(
        tuple(
            replace(core, address=moved[core.address], targets=tuple(sorted(moved[one] for one in core.targets)))
            for core in placement.cores
        )
    )
