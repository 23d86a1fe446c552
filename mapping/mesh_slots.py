"""The cores of the chips that a placement may use, as arrays, and which of them each core may be moved to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from hw_profiles import MeshProfile
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.mesh_positions import mesh_positions
from mapping.placement import CoreAddress
from mapping.usable_cores import sound_addresses, usable_addresses

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class MeshSlots:
    """All cores of some chips, sorted by group; each placed core may lie on any slot of its group.

    Attributes
    ----------
    addresses : tuple of CoreAddress
    x, y : int64 arrays, (slots,)
        Router on the grid of all chips.
    starts : int64 array, (groups + 1,)
        First slot of each group, and the number of slots.
    width, height : int
        Routers of the grid.
    """

    addresses: tuple[CoreAddress, ...]
    x: IntArray
    y: IntArray
    starts: IntArray
    width: int
    height: int


def may_change_chip(profile: MeshProfile) -> bool:
    """Whether a core may be moved to another chip whatever it sends: no demand depends on who shares its chip.

    All cores of a chip have the same capacities; the one demand that depends on chips is that of output axon entries.
    """
    if isinstance(profile, CrossbarProfile):
        return True
    return profile.output_axons is None or profile.output_axons.entries_extra_off_chip.value == 0


def compact_chips(count: int, profile: MeshProfile) -> list[int] | None:
    """So many chips as near to a square as can be; None where chips are not all alike or do not lie on a grid."""
    mesh = profile.mesh
    side = ceil(sqrt(count))
    if mesh.chip_columns is None or len(mesh.listed_sites) > 1 or side > mesh.chip_columns.value:
        return None
    chips = [index // side * mesh.chip_columns.value + index % side for index in range(count)]
    return chips if chips[-1] < mesh.chips.value else None


def mesh_slots(chips: Sequence[int], profile: MeshProfile) -> MeshSlots:
    """All cores of these chips that may be used; each chip is a group, or all are one if cores may change their chip.

    Where a chip has a largest number of cores in use, whichever they are, cores that stay on their chip may take any of
    them; cores that change it find no more than that number on each.
    """
    mesh = profile.mesh
    together = may_change_chip(profile)
    of_chips = [usable_addresses(chip, mesh) if together else sound_addresses(chip, mesh) for chip in chips]
    addresses = [address for of_chip in of_chips for address in of_chip]
    positions = mesh_positions(addresses, mesh)
    starts = np.cumsum([0, *map(len, of_chips)])
    if together:
        starts = np.array([0, len(addresses)])
    return MeshSlots(tuple(addresses), positions.x, positions.y, starts, positions.width, positions.height)


def near_slots(slots: MeshSlots, choices: int) -> IntArray:
    """The slots closest to each one, its own router's first; itself again and again where there are fewer.

    Parameters
    ----------
    slots : MeshSlots
    choices : int
        How many.

    Returns
    -------
    int64 array, (slots, choices)
    """
    routers = slots.y * slots.width + slots.x
    _, per_router = np.unique(routers, return_counts=True)
    deepest = int(per_router.max(initial=0))
    at = np.full((slots.height, slots.width, deepest), -1, dtype=np.int64)
    order = np.argsort(routers, kind="stable")
    depth = np.arange(len(order)) - np.repeat(np.cumsum(per_router) - per_router, per_router)
    at[slots.y[order], slots.x[order], depth] = order
    found: list[IntArray] = []
    for dx, dy in _rings(choices // max(deepest, 1) + 1):
        x, y = slots.x + dx, slots.y + dy
        inside = (x >= 0) & (x < slots.width) & (y >= 0) & (y < slots.height)
        there = at[np.where(inside, y, 0), np.where(inside, x, 0)]
        found.append(np.where(inside[:, None], there, -1))
    candidates = np.concatenate(found, axis=1)
    candidates = np.take_along_axis(candidates, np.argsort(candidates < 0, axis=1, kind="stable"), axis=1)
    candidates = np.pad(candidates, ((0, 0), (0, choices)), constant_values=-1)[:, :choices]
    return np.where(candidates < 0, np.arange(len(slots.x))[:, None], candidates)


def _rings(routers: int) -> list[tuple[int, int]]:
    """Steps to the nearest routers: whole rings of them, so many or more on an edge of the mesh."""
    radius = 1
    while radius * (radius + 1) < 2 * routers:
        radius += 1
    steps = [(dx, dy) for dx in range(-radius, radius + 1) for dy in range(-radius, radius + 1)]
    inside = [step for step in steps if abs(step[0]) + abs(step[1]) <= radius]
    return sorted(inside, key=lambda step: (abs(step[0]) + abs(step[1]), step))
