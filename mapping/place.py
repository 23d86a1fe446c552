"""Give every core of a partitioned network an address: chips in sequence, a snake over each mesh."""

from __future__ import annotations

from collections.abc import Iterator

from hw_profiles import HardwareProfile
from mapping.core_graph import CoreGraph
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.placement_json import placement_from_json, placement_to_json
from mapping.usable_cores import usable_addresses

__all__ = ["CoreAddress", "CoreRecord", "Placement", "place", "placement_from_json", "placement_to_json"]


def place(core_graph: CoreGraph, profile: HardwareProfile) -> Placement:
    """Place the cores of a partitioned network.

    The cores of each chip, in their order, fill the routers row by row, every other row backwards, so that
    neighbours in the network's order are neighbours on the mesh. Dead and reserved cores are passed over.

    Raises
    ------
    ValueError
        The core graph was made for another profile: a chip holds more cores than this profile has.
    """
    addresses: list[CoreAddress] = []
    free: dict[int, Iterator[CoreAddress]] = {}
    for core in core_graph.cores:
        if core.chip not in free:
            free[core.chip] = iter(usable_addresses(core.chip, profile.mesh))
        address = next(free[core.chip], None)
        if address is None:
            raise ValueError(f"chip {core.chip} of the core graph has more cores than profile {profile.name}")
        addresses.append(address)
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
