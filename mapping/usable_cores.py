"""Which cores of a system may be used: all but the dead and reserved ones, and no more on a chip than there may be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hw_profiles.profile import Mesh
from mapping.placement import CoreAddress


def chips_in_sequence(core_count: int, mesh: Mesh) -> NDArray[np.int64]:
    """Chip of each core if chips are filled one after the other, from chip 0 on.

    Returns
    -------
    int64 array, (core_count,)
        Beyond the last chip of the system, the numbers of further chips without a dead core.
    """
    chips: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
    chip, left = 0, core_count
    while left > 0:
        taken = min(left, mesh.usable_count(chip))
        chips.append(np.full(taken, chip, dtype=np.int64))
        left -= taken
        chip += 1
    return np.concatenate(chips)


def chips_needed(core_count: int, mesh: Mesh) -> int:
    """How many chips so many cores take."""
    return int(chips_in_sequence(core_count, mesh)[-1]) + 1 if core_count else 0


def usable_addresses(chip: int, mesh: Mesh) -> list[CoreAddress]:
    """The cores of one chip that may be used, along the snake over its routers."""
    return sound_addresses(chip, mesh)[: mesh.usable_count(chip)]


def sound_addresses(chip: int, mesh: Mesh) -> list[CoreAddress]:
    """The cores of one chip that are neither dead nor reserved, along the snake over its routers."""
    unusable = mesh.unusable_sites(chip)
    along = (snake_address(chip, position, mesh) for position in range(mesh.cores_per_chip))
    return [address for address in along if (address.x, address.y, address.slot) not in unusable]


def snake_address(chip: int, position: int, mesh: Mesh) -> CoreAddress:
    """Address of the core at a position, from 0, along the snake over one chip."""
    router, slot = divmod(position, mesh.cores_per_router.value)
    y, x = divmod(router, mesh.routers_x.value)
    if y % 2:
        x = mesh.routers_x.value - 1 - x
    return CoreAddress(chip, x, y, slot)
