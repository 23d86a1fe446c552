"""Tiles on cores and cores on chips: what the partitioner tries out and compares."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.core_graph import Core, CoreGraph, Traffic
from mapping.messages import Messages, TiledProjection
from mapping.regular_tiling import Tiling
from mapping.tile_loads import TileLoad, joint_demands
from mapping.usable_cores import chips_in_sequence


@dataclass(frozen=True)
class Candidate:
    """A tiling that a population may have.

    Attributes
    ----------
    tiling : Tiling
        All of its tiles fit a core alone, but for their output axons to other neurons.
    loads : list of TileLoad
        In order of its tiles; of output axon entries only those of reset synapses.
    """

    tiling: Tiling
    loads: list[TileLoad]


@dataclass(frozen=True)
class TiledNetwork:
    """All tiles of a network, numbered population by population.

    Attributes
    ----------
    tilings : list of Tiling
        In order of the populations.
    loads : list of TileLoad
        Of each tile.
    projections : list of TiledProjection
    reset_entries : int64 array, (tiles,)
        Output axon entries that the reset synapses of each tile take.
    """

    tilings: list[Tiling]
    loads: list[TileLoad]
    projections: list[TiledProjection]
    reset_entries: NDArray[np.int64]

    @property
    def populations(self) -> list[str]:
        """Population of each tile."""
        return [tiling.population for tiling in self.tilings for _ in range(tiling.count)]


@dataclass(frozen=True)
class Layout:
    """All cores in order, with chips assigned one after the other.

    Attributes
    ----------
    tiled : TiledNetwork
    cores : list of list of int
        Numbers of the tiles of each core.
    chips : int64 array, (cores,)
    messages : Messages
        Between cores.
    output_axon_entries : int64 array, (cores,)
        As they are with these chips.
    """

    tiled: TiledNetwork
    cores: list[list[int]]
    chips: NDArray[np.int64]
    messages: Messages
    output_axon_entries: NDArray[np.int64]

    def exceeding(self, profile: HardwareProfile) -> list[list[int]]:
        """Tiles of the cores that take more output axon entries than there are."""
        limit = profile.core_limits.output_axon_entries
        if limit is None:
            return []
        return [self.cores[index] for index in np.flatnonzero(self.output_axon_entries > limit.value).tolist()]

    def core_graph(self, profile: HardwareProfile) -> CoreGraph:
        """The same as a graph, with the demands of each core."""
        tiles = [tile for tiling in self.tiled.tilings for tile in tiling.tiles()]
        fixed = 0 if profile.memory_costs is None else profile.memory_costs.fixed_bytes.value
        graph = nx.DiGraph()
        columns = (self.cores, self.chips.tolist(), self.output_axon_entries.tolist())
        for index, (numbers, chip, entries) in enumerate(zip(*columns, strict=True)):
            demands = joint_demands([self.tiled.loads[number] for number in numbers], fixed, entries)
            graph.add_node(index, core=Core(tuple(tiles[number] for number in numbers), demands, chip))
        summed = self.messages.summed()
        pairs = (summed.source.tolist(), summed.target.tolist(), summed.count.tolist())
        graph.add_edges_from(
            (source, target, {"traffic": Traffic(count)}) for source, target, count in zip(*pairs, strict=True)
        )
        return CoreGraph(graph)


def lay_out(tiled: TiledNetwork, cores: list[list[int]], profile: HardwareProfile) -> Layout:
    """Put tiles on cores and cores on chips, and count the messages between them.

    Parameters
    ----------
    tiled : TiledNetwork
    cores : list of list of int
        Numbers of the tiles of each core; each tile stands there once.
    profile : HardwareProfile
    """
    core_of_tile = np.zeros(len(tiled.loads), dtype=np.int64)
    for core, numbers in enumerate(cores):
        core_of_tile[numbers] = core
    messages = Messages.joined([item.core_messages(core_of_tile) for item in tiled.projections])
    chips = chips_in_sequence(len(cores), profile.mesh)
    near, far = entries_per_target(profile)
    costs = np.where(chips[messages.source] != chips[messages.target], far, near)
    entries = np.zeros(len(cores), dtype=np.int64)
    np.add.at(entries, messages.source, messages.count * costs)
    np.add.at(entries, core_of_tile, tiled.reset_entries)
    return Layout(tiled, cores, chips, messages, entries)


def entries_per_target(profile: HardwareProfile) -> tuple[int, int]:
    """Output axon entries of a source neuron for a target core on its own chip, and on another."""
    axons = profile.output_axons
    if axons is None:
        return 0, 0
    near = axons.entries_per_target_core.value
    return near, near + axons.entries_extra_off_chip.value
