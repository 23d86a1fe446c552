"""What each crossbar needs and who reads which neuron, counted anew from the index tables.

Every tile's source neurons are listed one by one; nothing is taken from the arithmetic by which a mapper found room.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mapping.rules.core_recount import PlacedTile, ReachMasks
from mapping.rules.crossbar_numbering import CrossbarNumbering, IntArray
from mapping.tiles import Tile


@dataclass(frozen=True)
class CrossbarNeeds:
    """Needs of all cores.

    Attributes
    ----------
    axons : int64 array, (cores,)
    wanted : int64 array
        ``core * slot_count + slot`` of every axon that a core must have, ascending; without the cores that need more
        axons than there are.
    home : int32 array, (neurons,)
        Core that holds each neuron, -1 for none.
    driven : int64 array, (neurons,)
        Axons that each neuron must drive, in all cores.
    read_by_host : bool array, (neurons,)
        Neurons with a synapse onto the host.
    routes : int64 array
        ``source core * cores + target core``, ascending, each once.
    """

    axons: IntArray
    wanted: IntArray
    home: NDArray[np.int32]
    driven: IntArray
    read_by_host: NDArray[np.bool_]
    routes: IntArray

    @cached_property
    def columns(self) -> IntArray:
        """Columns that each core needs."""
        placed = self.home >= 0
        columns = np.maximum(self.driven + self.read_by_host, 1)[placed]
        counted = np.bincount(self.home[placed], weights=columns, minlength=len(self.axons))
        return counted.astype(np.int64)

    def targets(self, core: int) -> IntArray:
        """Cores to which the neurons of a core send."""
        cores = len(self.axons)
        first, last = np.searchsorted(self.routes, [core * cores, (core + 1) * cores])
        return self.routes[first:last] - core * cores


def count_needs(
    numbering: CrossbarNumbering, placed: list[PlacedTile], cores: int, axon_capacity: int
) -> CrossbarNeeds:
    """Count what placed tiles need.

    Parameters
    ----------
    numbering : CrossbarNumbering
    placed : list of PlacedTile
    cores : int
        Records of the placement.
    axon_capacity : int
        Axons of a core; those of cores that need more are counted, but not listed.
    """
    home = home_cores(numbering, placed)
    driven = np.zeros(numbering.neuron_count, dtype=np.int64)
    axons = np.zeros(cores, dtype=np.int64)
    wanted: list[IntArray] = []
    routes: list[IntArray] = []
    sources = SourceNeurons(numbering)
    for core, tiles in sorted(tiles_of_cores(placed).items()):
        listed = list(sources.of_core(tiles))
        axons[core] = sum(len(neurons) * int(numbering.copies[number]) for number, neurons in listed)
        for number, neurons in listed:
            copies = int(numbering.copies[number])
            if axons[core] <= axon_capacity:
                first = core * numbering.slot_count + int(numbering.first_slot[number])
                wanted.append((first + neurons[:, None] * copies + np.arange(copies)).ravel())
            if numbering.first_sources[number] >= 0:
                numbered = neurons + numbering.first_sources[number]
                driven[numbered] += copies
                homes = np.unique(home[numbered])
                routes.append(homes[homes >= 0].astype(np.int64) * cores + core)
    return CrossbarNeeds(axons, together(wanted), home, driven, read_neurons(numbering), np.unique(together(routes)))


def together(pieces: list[IntArray]) -> IntArray:
    """All pieces in one array, ascending; the list is emptied."""
    joined = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)
    pieces.clear()
    joined.sort()
    return joined


def tiles_of_cores(placed: list[PlacedTile]) -> dict[int, dict[str, list[Tile]]]:
    """Tiles by core and population."""
    found: defaultdict[int, defaultdict[str, list[Tile]]] = defaultdict(lambda: defaultdict(list))
    for item in placed:
        found[item.core][item.tile.population].append(item.tile)
    return {core: dict(tiles) for core, tiles in found.items()}


def home_cores(numbering: CrossbarNumbering, placed: list[PlacedTile]) -> NDArray[np.int32]:
    """Core that holds each neuron, -1 for none."""
    home = np.full(numbering.neuron_count, -1, dtype=np.int32)
    for item in placed:
        tile, number = item.tile, numbering.number_of[item.tile.population]
        first, last = numbering.first_neuron[number : number + 2]
        boxed = home[first:last].reshape(item.population.shape)
        boxed[slice(*tile.channels), slice(*tile.rows), slice(*tile.columns)] = item.core
    return home


def read_neurons(numbering: CrossbarNumbering) -> NDArray[np.bool_]:
    """Neurons on the chip with a synapse into a population on the host."""
    read = np.zeros(numbering.neuron_count, dtype=np.bool_)
    for number, projection in enumerate(numbering.projections):
        first = int(numbering.first_sources[number])
        if first >= 0 and not numbering.into_chip[number]:
            channels, rows, columns = projection.connectivity.target_shape
            whole = Tile(projection.target, (0, channels), (0, rows), (0, columns))
            read[first + neurons_of(ReachMasks(projection), whole)] = True
    return read


class SourceNeurons:
    """Lists the source neurons of tiles, for all projections into the chip.

    Parameters
    ----------
    numbering : CrossbarNumbering
    """

    def __init__(self, numbering: CrossbarNumbering) -> None:
        self._masks: defaultdict[str, list[tuple[int, ReachMasks]]] = defaultdict(list)
        for number, projection in enumerate(numbering.projections):
            if numbering.into_chip[number]:
                self._masks[projection.target].append((number, ReachMasks(projection)))

    def of_core(self, tiles: dict[str, list[Tile]]) -> list[tuple[int, IntArray]]:
        """Number of each projection into some tiles, with the neurons of its source that it has synapses from."""
        listed = []
        for population, boxes in tiles.items():
            for number, masks in self._masks[population]:
                found = [neurons_of(masks, box) for box in boxes]
                listed.append((number, found[0] if len(found) == 1 else np.unique(np.concatenate(found))))
        return listed


def neurons_of(masks: ReachMasks, tile: Tile) -> IntArray:
    """Source neurons with a synapse into a tile, within their population, ascending."""
    channels, rows, columns = (np.flatnonzero(mask) for mask in masks.of(tile))
    _, row_count, column_count = (len(mask) for mask in masks.of(tile))
    planes = channels[:, None, None] * row_count + rows[:, None]
    return (planes * column_count + columns).ravel()
