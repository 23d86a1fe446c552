"""Give every core of a partitioned network an address: chips in sequence, a snake over each mesh."""

from __future__ import annotations

from collections import defaultdict

from hw_profiles import HardwareProfile
from hw_profiles.profile import Mesh
from mapping.core_graph import CoreGraph
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.placement_json import placement_from_json, placement_to_json

__all__ = ["CoreAddress", "CoreRecord", "Placement", "place", "placement_from_json", "placement_to_json"]


def place(core_graph: CoreGraph, profile: HardwareProfile) -> Placement:
    """Place the cores of a partitioned network.

    The cores of each chip, in their order, fill the routers row by row, every other row backwards, so that
    neighbours in the network's order are neighbours on the mesh.

    Raises
    ------
    ValueError
        The core graph was made for another profile: a chip holds more cores than this profile has.
    """
    addresses: list[CoreAddress] = []
    filled: defaultdict[int, int] = defaultdict(int)
    for core in core_graph.cores:
        if filled[core.chip] == profile.mesh.cores_per_chip:
            raise ValueError(f"chip {core.chip} of the core graph has more cores than profile {profile.name}")
        addresses.append(snake_address(core.chip, filled[core.chip], profile.mesh))
        filled[core.chip] += 1
    return Placement(
        tuple(
            CoreRecord(
                address=addresses[index],
                tiles=core.tiles,
                targets=tuple(sorted(addresses[target] for target in core_graph.graph.successors(index))),
                demands=core.demands,
            )
            for index, core in enumerate(core_graph.cores)
        )
    )


def snake_address(chip: int, position: int, mesh: Mesh) -> CoreAddress:
    """Address of the core at a position, from 0, along the snake over one chip."""
    router, slot = divmod(position, mesh.cores_per_router.value)
    y, x = divmod(router, mesh.routers_x.value)
    if y % 2:
        x = mesh.routers_x.value - 1 - x
    return CoreAddress(chip, x, y, slot)
