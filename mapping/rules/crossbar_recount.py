"""What each crossbar needs and who reads which neuron, counted anew from the index tables.

Every tile's source neurons are listed one by one; nothing is taken from the arithmetic by which a mapper found room.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.rules.core_recount import PlacedTile
from mapping.rules.crossbar_numbering import CrossbarNumbering, IntArray
from mapping.tiles import Interval, Tile


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
    # room for all that may be listed: pieces of it, thousands of small arrays, would take as much again
    wanted = np.empty(cores * axon_capacity, dtype=np.int64)
    listed_axons = 0
    routes: list[IntArray] = []
    sources = SourceNeurons(numbering)
    for core, tiles in sorted(tiles_of_cores(placed).items()):
        listed = list(sources.of_core(tiles))
        axons[core] = sum(len(neurons) * int(numbering.copies[number]) for number, neurons in listed)
        for number, neurons in listed:
            copies = int(numbering.copies[number])
            if axons[core] <= axon_capacity:
                first = core * numbering.slot_count + int(numbering.first_slot[number])
                slots = (first + neurons[:, None] * copies + np.arange(copies)).ravel()
                wanted[listed_axons : listed_axons + len(slots)] = slots
                listed_axons += len(slots)
            if numbering.first_sources[number] >= 0:
                numbered = neurons + numbering.first_sources[number]
                driven[numbered] += copies
                homes = np.unique(home[numbered])
                routes.append(homes[homes >= 0].astype(np.int64) * cores + core)
    wanted = wanted[:listed_axons]
    wanted.sort()
    joined = np.unique(np.concatenate(routes)) if routes else np.zeros(0, dtype=np.int64)
    return CrossbarNeeds(axons, wanted, home, driven, read_neurons(numbering), joined)


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
            read[first + ReadNeurons(projection.connectivity).of(whole)] = True
    return read


class SourceNeurons:
    """Lists the source neurons of tiles, for all projections into the chip.

    Parameters
    ----------
    numbering : CrossbarNumbering
    """

    def __init__(self, numbering: CrossbarNumbering) -> None:
        self._into: defaultdict[str, list[tuple[int, ReadNeurons]]] = defaultdict(list)
        for number, projection in enumerate(numbering.projections):
            if numbering.into_chip[number]:
                self._into[projection.target].append((number, ReadNeurons(projection.connectivity)))

    def of_core(self, tiles: dict[str, list[Tile]]) -> list[tuple[int, IntArray]]:
        """Number of each projection into some tiles, with the neurons of its source that it has synapses from."""
        listed = []
        for population, boxes in tiles.items():
            for number, read in self._into[population]:
                found = [read.of(box) for box in boxes]
                listed.append((number, found[0] if len(found) == 1 else np.unique(np.concatenate(found))))
        return listed


class ReadNeurons:
    """Lists the source neurons of tiles for one projection; remembers what it found along each axis.

    Parameters
    ----------
    connectivity : Connectivity
    """

    def __init__(self, connectivity: Connectivity) -> None:
        self._connectivity = connectivity
        self._found: dict[tuple[int, Interval], IntArray] = {}

    def of(self, tile: Tile) -> IntArray:
        """Source neurons with a synapse into a tile, within their population, ascending."""
        axes = enumerate((tile.channels, tile.rows, tile.columns))
        channels, rows, columns = (self._along(axis, interval) for axis, interval in axes)
        _, row_count, column_count = self._connectivity.source_shape
        lines = channels[:, None, None] * row_count + rows[:, None]
        return (lines * column_count + columns).ravel()

    def _along(self, axis: int, interval: Interval) -> IntArray:
        if (axis, interval) not in self._found:
            self._found[axis, interval] = self._channels(interval) if axis == 0 else self._spatial(axis, interval)
        return self._found[axis, interval]

    def _channels(self, interval: Interval) -> IntArray:
        """Source channels of the groups of target channels."""
        connectivity = self._connectivity
        targets = np.arange(*interval) - connectivity.target_channels[0]
        targets = targets[(targets >= 0) & (targets < connectivity.out_channels)]
        groups = np.unique(targets // (connectivity.out_channels // connectivity.groups))
        inputs = connectivity.in_channels // connectivity.groups
        of_groups = groups[:, None] * inputs + np.arange(inputs)
        channels: IntArray = connectivity.source_channels[0] + of_groups.ravel()
        return channels

    def _spatial(self, axis: int, interval: Interval) -> IntArray:
        """Source rows or columns of taps that are no padding."""
        table = self._connectivity.rows if axis == 1 else self._connectivity.columns
        taps = table[slice(*interval)]
        indices: IntArray = np.unique(taps[taps >= 0]).astype(np.int64)
        return indices
