"""Split a network over cores: tile every population under all limits of a core, with as few as that takes.

Populations are tiled from the last to the first, because what a source neuron takes of its core's output
axons depends on how its targets are tiled. Output axons to another chip cost more, but which targets lie on
another chip is only known afterwards: populations whose cores turn out to exceed the limit for that reason
are tiled again as if all their targets were on other chips, until there are none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.core_graph import Core, CoreGraph, Traffic
from mapping.network import ChipNetwork, Population, Projection
from mapping.refusal import delay_violations, too_many_chips, unfit_population
from mapping.tiles import Demands, Tile
from mapping.tiling import IncomingProjection, OutgoingProjection, PopulationTiler, Tiling, cut
from mapping.violation import DoesNotFitError, Violation


@dataclass(frozen=True)
class Messages:
    """Messages between cores if each neuron spikes once, as parallel arrays; pairs may repeat."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    count: NDArray[np.int64]


def partition(network: ChipNetwork, profile: HardwareProfile) -> CoreGraph:
    """Split a network over the cores of a chip.

    Parameters
    ----------
    network : ChipNetwork
    profile : HardwareProfile

    Returns
    -------
    CoreGraph
        One tile a core, within every limit of ``profile.core_limits``; the same for the same input.

    Raises
    ------
    DoesNotFitError
        A population fits no core however small its tiles, a delay is too long, or there are too few chips.
        Holds a violation for each limit of each such population.
    ValueError
        The populations are not topologically sorted.
    """
    check_order(network)
    violations = delay_violations(network, profile)
    partitioner = Partitioner(network, profile)
    worst_case: frozenset[str] = frozenset()
    while True:
        layout, unfit = partitioner.lay_out(worst_case)
        if violations + unfit:
            raise DoesNotFitError(violations + unfit)
        exceeding = layout.exceeding(profile)
        if not exceeding:
            break
        worst_case |= exceeding
    too_many = too_many_chips(len(layout.tiles), profile)
    if too_many:
        raise DoesNotFitError([too_many])
    return layout.core_graph()


def check_order(network: ChipNetwork) -> None:
    """Raise ValueError unless the source of every projection comes before its target."""
    position = {population.name: index for index, population in enumerate(network.populations)}
    for projection in network.projections:
        if position[projection.source] >= position[projection.target]:
            raise ValueError(
                f"projection {projection.name} runs from {projection.source} to {projection.target}, "
                "but populations must be topologically sorted and have no cycle"
            )


@dataclass(frozen=True)
class Layout:
    """All cores in order, with chips assigned one after the other.

    Attributes
    ----------
    tiles : list of Tile
    demands : list of Demands
        Output axon entries as they are with these chips.
    chips : int64 array, (cores,)
    messages : Messages
    """

    tiles: list[Tile]
    demands: list[Demands]
    chips: NDArray[np.int64]
    messages: Messages

    def exceeding(self, profile: HardwareProfile) -> frozenset[str]:
        """Populations with a core of more output axon entries than there may be."""
        limit = profile.core_limits.output_axon_entries.value
        return frozenset(
            tile.population
            for tile, demands in zip(self.tiles, self.demands, strict=True)
            if demands.output_axon_entries > limit
        )

    def core_graph(self) -> CoreGraph:
        """The same as a graph."""
        graph = nx.DiGraph()
        for index, (tile, demands, chip) in enumerate(zip(self.tiles, self.demands, self.chips, strict=True)):
            graph.add_node(index, core=Core((tile,), demands, int(chip)))
        sums: dict[tuple[int, int], int] = {}
        columns = (self.messages.source.tolist(), self.messages.target.tolist(), self.messages.count.tolist())
        for source, target, count in zip(*columns, strict=True):
            sums[source, target] = sums.get((source, target), 0) + count
        for (source, target), count in sorted(sums.items()):
            graph.add_edge(source, target, traffic=Traffic(count))
        return CoreGraph(graph)


class Partitioner:
    """Tiles one network again and again, remembering what does not change.

    Parameters
    ----------
    network : ChipNetwork
    profile : HardwareProfile
    """

    def __init__(self, network: ChipNetwork, profile: HardwareProfile) -> None:
        self._network = network
        self._profile = profile
        self._populations = network.populations
        self._projections = network.projections
        self._incoming = {projection.name: IncomingProjection(projection, profile) for projection in self._projections}
        self._found: dict[tuple[str, tuple[Tiling, ...], bool], Tiling | None] = {}

    def lay_out(self, worst_case: frozenset[str]) -> tuple[Layout, list[Violation]]:
        """Tile all populations, those of `worst_case` as if all their targets were on other chips.

        Returns
        -------
        Layout
            Of no use if there are violations.
        list of Violation
            Why populations fit no core; a population that fits none counts as one tile for its sources.
        """
        tilings: dict[str, Tiling] = {}
        demands: dict[str, list[Demands]] = {}
        violations: list[Violation] = []
        for population in reversed(self._populations):
            tiler, key = self._tiler(population, tilings, population.name in worst_case)
            if key not in self._found:
                self._found[key] = tiler.best()
            tiling = self._found[key]
            if tiling is None:
                violations = unfit_population(tiler, self._network, self._profile) + violations
                tiling = Tiling(population.name, population.shape, population.shape)
            tilings[population.name] = tiling
            demands[population.name] = [] if violations else tiler.tile_demands(tiling)
        ordered = [tilings[population.name] for population in self._populations]
        tiles = [tile for tiling in ordered for tile in tiling.tiles()]
        if violations:
            return Layout(tiles, [], np.zeros(0, np.int64), Messages(*np.zeros((3, 0), np.int64))), violations
        in_order = [item for population in self._populations for item in demands[population.name]]
        return self._assign_chips(ordered, tiles, in_order), []

    def _tiler(
        self, population: Population, tilings: dict[str, Tiling], off_chip: bool
    ) -> tuple[PopulationTiler, tuple[str, tuple[Tiling, ...], bool]]:
        outgoing = list(self._network.outgoing(population.name))
        costs = self._profile.core_costs
        entries = costs.output_entries_per_target_core.value
        if off_chip:
            entries += costs.output_entries_extra_off_chip.value
        tiler = PopulationTiler(
            population,
            [self._incoming[projection.name] for projection in self._network.incoming(population.name)],
            [
                OutgoingProjection(self._incoming[projection.name].reach, tilings[projection.target])
                for projection in outgoing
            ],
            entries,
            self._profile,
        )
        return tiler, (population.name, tuple(tilings[item.target] for item in outgoing), off_chip)

    def _assign_chips(self, tilings: list[Tiling], tiles: list[Tile], demands: list[Demands]) -> Layout:
        messages = self._messages(tilings)
        chips = np.arange(len(tiles)) // self._profile.mesh.cores_per_chip
        costs = self._profile.core_costs
        off_chip = chips[messages.source] != chips[messages.target]
        entries = messages.count * (
            costs.output_entries_per_target_core.value + off_chip * costs.output_entries_extra_off_chip.value
        )
        sums = np.zeros(len(tiles), dtype=np.int64)
        np.add.at(sums, messages.source, entries)
        resets = {population.name: self._reset_entries(population) for population in self._populations}
        actual = [
            replace(item, output_axon_entries=int(total) + resets[tile.population] * tile.neuron_count)
            for item, total, tile in zip(demands, sums, tiles, strict=True)
        ]
        return Layout(tiles, actual, chips, messages)

    def _reset_entries(self, population: Population) -> int:
        """Output axon entries that each neuron takes for its own reset, which stays on its core."""
        if population.reset != "subtract":
            return 0
        costs = self._profile.core_costs
        return costs.reset_synapses_per_subtractive_neuron.value * costs.output_entries_per_target_core.value

    def _messages(self, tilings: list[Tiling]) -> Messages:
        first_core: dict[str, int] = {}
        total = 0
        for tiling in tilings:
            first_core[tiling.population] = total
            total += tiling.count
        by_name = {tiling.population: tiling for tiling in tilings}
        parts = [self._projection_messages(projection, by_name, first_core) for projection in self._projections]
        joined = np.concatenate([np.zeros((3, 0), dtype=np.int64), *parts], axis=1)
        return Messages(joined[0], joined[1], joined[2])

    def _projection_messages(
        self, projection: Projection, tilings: dict[str, Tiling], first_core: dict[str, int]
    ) -> NDArray[np.int64]:
        """Source core, target core and messages of one projection; shape (3, pairs of cores)."""
        source, target = tilings[projection.source], tilings[projection.target]
        reach = self._incoming[projection.name].reach
        # Cores are numbered with rows slowest and channels fastest: axes in this order.
        sources = targets = np.zeros(1, dtype=np.int64)
        counts = np.ones(1, dtype=np.int64)
        for index, axis in ((1, reach.rows), (2, reach.columns), (0, reach.channels)):
            reads = axis.incidence(target.size[index])
            starts = [start for start, _ in cut(source.shape[index], source.size[index])]
            per_block = np.add.reduceat(reads.astype(np.int64), starts, axis=1)
            target_blocks, source_blocks = np.nonzero(per_block)
            sources = np.add.outer(sources * source.grid[index], source_blocks).ravel()
            targets = np.add.outer(targets * target.grid[index], target_blocks).ravel()
            counts = np.multiply.outer(counts, per_block[target_blocks, source_blocks]).ravel()
        return np.stack([sources + first_core[projection.source], targets + first_core[projection.target], counts])
