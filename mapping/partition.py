"""Split a network over cores: tile every population under all limits of a core, with as few as that takes.

Populations are tiled from the last to the first, because what a source neuron takes of its core's output
axons depends on how its targets are tiled. Output axons to another chip cost more, but which targets lie on
another chip is only known afterwards: populations whose cores turn out to exceed the limit for that reason
are tiled again as if all their targets were on other chips, until there are none.

The fewest cores for a population may take many for its sources, whose output axons feed each of them. So the whole is
done for several weights of input axons against cores, and the result of fewest cores is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.bounds import cores_lower_bound
from mapping.core_graph import Core, CoreGraph, Traffic
from mapping.messages import Messages, projection_messages
from mapping.network import ChipNetwork, Population
from mapping.neuron_costs import NeuronCosts
from mapping.refusal import delay_violations, too_many_chips, too_many_routes, unfit_population
from mapping.tiles import LARGEST_ROUTE_COUNT, Demands, Tile
from mapping.tiling import IncomingProjection, OutgoingProjection, PopulationTiler, Tiling
from mapping.usable_cores import chips_in_sequence
from mapping.violation import DoesNotFitError, Violation

TilingQuestion = tuple[str, tuple[Tiling, ...], bool]
"""All that the choice of a tiling depends on: population, tilings of its targets, whether these are off chip."""

AXON_WEIGHTS = (0, 1, 2)
"""Weights of input axons against cores that are tried where output axons are limited; see `PopulationTiler.best`."""


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
        A population fits no core however small its tiles, a delay is too long, or there are too few chips or too
        many routes. Holds a violation for each limit of each such population.
    ValueError
        The populations are not topologically sorted.
    """
    check_order(network)
    partitioner = Partitioner(network, profile)
    layouts: list[Layout] = []
    refusals: list[DoesNotFitError] = []
    for axon_weight in AXON_WEIGHTS if profile.core_limits.output_axon_entries is not None else (0,):
        try:
            layouts.append(partitioner.legal_layout(axon_weight))
        except DoesNotFitError as refusal:
            refusals.append(refusal)
            continue
        if len(layouts[-1].tiles) == cores_lower_bound(network, profile):
            break
    if not layouts:
        raise refusals[0]
    return min(layouts, key=lambda layout: len(layout.tiles)).core_graph()


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
        limit = profile.core_limits.output_axon_entries
        return frozenset(
            tile.population
            for tile, demands in zip(self.tiles, self.demands, strict=True)
            if limit is not None and demands.output_axon_entries > limit.value
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
        self._found: dict[tuple[TilingQuestion, int], Tiling | None] = {}

    def legal_layout(self, axon_weight: int) -> Layout:
        """Lay out all populations so that the output axons suffice where targets lie on other chips as well.

        Raises
        ------
        DoesNotFitError
        """
        worst_case: frozenset[str] = frozenset()
        while True:
            layout = self._lay_out(axon_weight, worst_case)
            exceeding = layout.exceeding(self._profile)
            if not exceeding:
                return layout
            worst_case |= exceeding

    def _lay_out(self, axon_weight: int, worst_case: frozenset[str]) -> Layout:
        """Tile all populations, those of `worst_case` as if all their targets were on other chips."""
        tilings: dict[str, Tiling] = {}
        demands: dict[str, list[Demands]] = {}
        unfit: list[Violation] = []
        for population in reversed(self._populations):
            tiler, key = self._tiler(population, tilings, population.name in worst_case)
            if (key, axon_weight) not in self._found:
                self._found[key, axon_weight] = tiler.best(axon_weight)
            tiling = self._found[key, axon_weight]
            if tiling is None:
                unfit = unfit_population(tiler, self._network, self._profile) + unfit
                # For its sources it counts as one tile: it is no reason to refuse them too.
                tiling = Tiling(population.name, population.shape, population.shape)
            tilings[population.name] = tiling
            demands[population.name] = [] if unfit else tiler.tile_demands(tiling)
        ordered = [tilings[population.name] for population in self._populations]
        violations = delay_violations(self._network, self._profile) + unfit
        if not violations:
            violations = too_many_chips(sum(tiling.count for tiling in ordered), self._profile)
        if violations:
            raise DoesNotFitError(violations)
        return self._assign_chips(ordered, [item for tiling in ordered for item in demands[tiling.population]])

    def _tiler(
        self, population: Population, tilings: dict[str, Tiling], off_chip: bool
    ) -> tuple[PopulationTiler, TilingQuestion]:
        outgoing = list(self._network.outgoing(population.name))
        near, far = self._entries_per_target()
        entries = far if off_chip else near
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

    def _assign_chips(self, tilings: list[Tiling], demands: list[Demands]) -> Layout:
        tiles = [tile for tiling in tilings for tile in tiling.tiles()]
        reaches = {name: incoming.reach for name, incoming in self._incoming.items()}
        messages = projection_messages(self._projections, reaches, tilings, LARGEST_ROUTE_COUNT)
        if isinstance(messages, int):
            raise DoesNotFitError([too_many_routes(messages)])
        chips = chips_in_sequence(len(tiles), self._profile.mesh)
        near, far = self._entries_per_target()
        entries = messages.count * np.where(chips[messages.source] != chips[messages.target], far, near)
        sums = np.zeros(len(tiles), dtype=np.int64)
        np.add.at(sums, messages.source, entries)
        resets = {
            population.name: NeuronCosts.of(population, [], self._profile).reset_entries
            for population in self._populations
        }
        actual = [
            replace(item, output_axon_entries=int(total) + resets[tile.population] * tile.neuron_count)
            for item, total, tile in zip(demands, sums, tiles, strict=True)
        ]
        return Layout(tiles, actual, chips, messages)

    def _entries_per_target(self) -> tuple[int, int]:
        """Output axon entries of a source neuron for a target core on its own chip, and on another."""
        axons = self._profile.output_axons
        if axons is None:
            return 0, 0
        near = axons.entries_per_target_core.value
        return near, near + axons.entries_extra_off_chip.value
