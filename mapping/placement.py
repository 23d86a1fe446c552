"""Where every tile lies and which cores each core sends to: what a chip is programmed from."""

from __future__ import annotations

from dataclasses import dataclass

from mapping.tiles import CrossbarDemands, Demands, Tile

HOST = "host"
"""Stands for the core of neurons that the host computes."""
HOST_CHIP = -1
"""Stands for its chip."""


@dataclass(frozen=True, order=True)
class CoreAddress:
    """A core of a system.

    Attributes
    ----------
    chip : int
    x, y : int
        Router on the chip's mesh.
    slot : int
        Core at that router.
    """

    chip: int
    x: int
    y: int
    slot: int

    def __str__(self) -> str:
        if self.chip == HOST_CHIP:
            return HOST
        return f"chip {self.chip} ({self.x},{self.y}) slot {self.slot}"


@dataclass(frozen=True)
class CoreRecord:
    """One core of a placement.

    Attributes
    ----------
    address : CoreAddress
    tiles : tuple of Tile
    targets : tuple of CoreAddress
        Cores that the projections of its neurons reach, sorted: the axon routing. Reset synapses, which stay
        on the core, do not count.
    demands : Demands or CrossbarDemands
        As the partitioner counted them.
    """

    address: CoreAddress
    tiles: tuple[Tile, ...]
    targets: tuple[CoreAddress, ...]
    demands: Demands | CrossbarDemands


@dataclass(frozen=True)
class Placement:
    """A network on the cores of a system.

    Attributes
    ----------
    cores : tuple of CoreRecord
    """

    cores: tuple[CoreRecord, ...]

    @property
    def chip_count(self) -> int:
        """Number of different chips taken."""
        return len({core.address.chip for core in self.cores})
