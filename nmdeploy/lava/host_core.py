"""The host as one more core: what it computes for a chip of crossbars becomes a Lava process like the others."""

from __future__ import annotations

from mapping.network import ChipNetwork
from mapping.placement import HOST_CHIP, CoreAddress, CoreRecord, Placement
from mapping.tiles import CrossbarDemands, Tile


def with_host(network: ChipNetwork, placement: Placement) -> Placement:
    """Add a core that holds all populations on the host, if there are any; it is on no chip, and has no limits."""
    tiles = tuple(
        Tile(population.name, *((0, size) for size in population.shape))
        for population in network.populations
        if population.on_host
    )
    if not tiles:
        return placement
    host = CoreRecord(CoreAddress(HOST_CHIP, 0, 0, 0), tiles, (), CrossbarDemands(0, 0))
    return Placement((*placement.cores, host))
