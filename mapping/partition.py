"""Split a network over cores: tile every population under all limits of a core, with as few as that takes.

Populations are tiled from the last to the first, because what a source neuron takes of its core's output axons depends
on how its targets are tiled. Then tiles are packed together into cores (`mapping.packing`). Output axons to another
chip cost more, but which targets lie on another chip is only known afterwards: what turns out to exceed the limit for
that reason is packed again, and then tiled again, as if all its targets were on other chips, until there is none.

The fewest cores for a population may take many for its sources, whose output axons feed each of them; and tiles that
fill a core badly alone may fill it well together. So the whole is done for several objectives, and the result of fewest
cores is taken. Where output axons are limited, tilings are also chosen together (`mapping.joint_tilings`), and taken if
that gives fewer. Small networks are then solved to the optimum (`mapping.smallest_partition`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from typing import TypeVar

import numpy as np

from hw_profiles import HardwareProfile
from mapping.bounds import cores_lower_bound
from mapping.core_graph import CoreGraph
from mapping.joint_tilings import JointTilings, few_enough
from mapping.layout import Candidate, Layout, TiledNetwork, entries_per_target, lay_out
from mapping.messages import tiled_projections
from mapping.network import ChipNetwork, Population
from mapping.neuron_costs import NeuronCosts
from mapping.packing import Bins, pack
from mapping.refusal import delay_violations, too_many_chips, too_many_routes, unfit_population
from mapping.regular_tiling import Tiling, tile_sizes
from mapping.tile_loads import TileLoad
from mapping.tiles import LARGEST_ROUTE_COUNT, LIMIT_NAMES
from mapping.tiling import IncomingProjection, OutgoingProjection, PopulationTiler, TilingObjective
from mapping.violation import DoesNotFitError, Violation

TilingQuestion = tuple[str, tuple[Tiling, ...], bool]
"""All that the choice of a tiling depends on: population, tilings of its targets, whether these are off chip."""

AXON_WEIGHTS = (0, 1, 2)
"""Weights of input axons against cores that are tried where output axons are limited; see `TilingObjective`."""

LARGEST_MODEL = 1500
"""Most pairs of core and tile or neuron, over all tilings, of networks that are solved to the optimum."""


def partition(network: ChipNetwork, profile: HardwareProfile) -> CoreGraph:
    """Split a network over the cores of a chip.

    Parameters
    ----------
    network : ChipNetwork
    profile : HardwareProfile

    Returns
    -------
    CoreGraph
        Within every limit of ``profile.core_limits``; the same for the same input.

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
    bound = cores_lower_bound(network, profile)
    layouts: list[Layout] = []
    refusals: list[DoesNotFitError] = []
    axon_weights = AXON_WEIGHTS if profile.core_limits.output_axon_entries is not None else (0,)
    for by_fill, axon_weight in product((False, True), axon_weights):
        objective = TilingObjective(axon_weight, by_fill)
        try:
            layouts.append(legal_layout(partial(partitioner.lay_out, objective), profile))
        except DoesNotFitError as refusal:
            refusals.append(refusal)
            continue
        if len(layouts[-1].cores) == bound:
            break
    fewest = min(layouts, key=lambda layout: len(layout.cores), default=None)
    if fewest is None or len(fewest.cores) > bound:
        fewest = partitioner.jointly_tiled(fewest) or fewest
    if fewest is None or len(fewest.cores) > bound:
        fewest = partitioner.smallest_layout(None if fewest is None else len(fewest.cores)) or fewest
    if fewest is None:
        raise refusals[0]
    return fewest.core_graph(profile)


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
class OffChip:
    """Populations that are treated as if all their targets were on other chips.

    Attributes
    ----------
    tiled, packed : frozenset of str
        When they are tiled, and when their tiles are packed.
    """

    tiled: frozenset[str] = frozenset()
    packed: frozenset[str] = frozenset()

    def after(self, exceeding: list[list[str]]) -> OffChip:
        """Treat cores of these populations otherwise: pack them anew, and tile anew what lies alone."""
        alone = {of_core[0] for of_core in exceeding if len(of_core) == 1}
        return OffChip(self.tiled | alone, self.packed.union(*exceeding))


FoundLayout = TypeVar("FoundLayout", Layout, Layout | None)


def legal_layout(lay_out: Callable[[OffChip], FoundLayout], profile: HardwareProfile) -> FoundLayout:
    """Lay out so often that the output axons suffice where targets lie on other chips as well.

    Raises
    ------
    DoesNotFitError
    """
    off_chip = OffChip()
    while True:
        layout = lay_out(off_chip)
        exceeding = [] if layout is None else layout.exceeding(profile)
        if layout is None or not exceeding:
            return layout
        populations = layout.tiled.populations
        off_chip = off_chip.after([[populations[number] for number in numbers] for numbers in exceeding])


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
        self._reset_entries = {
            population.name: NeuronCosts.of(population, [], profile).reset_entries for population in self._populations
        }
        limits = {name: getattr(profile.core_limits, name) for name in LIMIT_NAMES}
        fixed = 0 if profile.memory_costs is None else profile.memory_costs.fixed_bytes.value
        self._bins = Bins.of({name: int(limit.value) for name, limit in limits.items() if limit is not None}, fixed)
        self._found: dict[tuple[TilingQuestion, TilingObjective], Tiling | None] = {}
        self._loads: dict[tuple[TilingQuestion, Tiling], list[TileLoad]] = {}

    def jointly_tiled(self, fewest: Layout | None) -> Layout | None:
        """A layout of fewer cores than `fewest`, where tilings chosen together give one."""
        if self._profile.core_limits.output_axon_entries is None or not few_enough(self._network):
            return None
        if delay_violations(self._network, self._profile):
            return None
        try:
            layout = legal_layout(self._lay_out_jointly, self._profile)
        except DoesNotFitError:
            return None
        if layout is None or (fewest is not None and len(fewest.cores) <= len(layout.cores)):
            return None
        return layout

    def smallest_layout(self, fewest: int | None) -> Layout | None:
        """The layout of fewest cores, if the network is small, they lie on one chip and are fewer than `fewest`."""
        neurons = sum(population.neuron_count for population in self._populations)
        most_cores = min(neurons, self._profile.mesh.usable_count(0), neurons if fewest is None else fewest - 1)
        if neurons * most_cores > LARGEST_MODEL or delay_violations(self._network, self._profile):
            return None
        candidates = {population.name: self._candidates(population) for population in self._populations}
        tiles = sum(item.tiling.count for of_population in candidates.values() for item in of_population)
        if not all(candidates.values()) or (neurons + tiles) * most_cores > LARGEST_MODEL:
            return None
        from mapping.smallest_partition import smallest_assignment  # OR-tools takes half a second to import

        near, _ = entries_per_target(self._profile)
        projections = [(item, self._incoming[item.name].reach) for item in self._projections]
        found = smallest_assignment(candidates, projections, self._bins, near, most_cores)
        if found is None:
            return None
        loads = {
            item.tiling.population: item.loads
            for of_population in candidates.values()
            for item in of_population
            if item.tiling in found.tilings
        }
        return lay_out(self._tiled(found.tilings, loads), found.cores, self._profile)

    def _candidates(self, population: Population) -> list[Candidate]:
        """All tilings that are legal whatever they send."""
        tiler = self._tiler_alone(population)
        channels, rows, columns = (tile_sizes(size) for size in population.shape)
        tilings = [Tiling(population.name, population.shape, size) for size in product(channels, rows, columns)]
        return [Candidate(tiling, tiler.tile_loads(tiling)) for tiling in tilings if tiler.fits(tiling)]

    def lay_out(self, objective: TilingObjective, off_chip: OffChip) -> Layout:
        """Tile all populations, one after the other, and pack the tiles.

        Raises
        ------
        DoesNotFitError
        """
        tilings: dict[str, Tiling] = {}
        loads: dict[str, list[TileLoad]] = {}
        unfit: list[Violation] = []
        for population in reversed(self._populations):
            tiler, key = self._tiler(population, tilings, population.name in off_chip.tiled)
            if (key, objective) not in self._found:
                self._found[key, objective] = tiler.best(objective)
            tiling = self._found[key, objective]
            if tiling is None:
                unfit = unfit_population(tiler, self._network, self._profile) + unfit
                # For its sources it counts as one tile: it is no reason to refuse them too.
                tiling = Tiling(population.name, population.shape, population.shape)
            tilings[population.name] = tiling
            if not unfit:
                loads[population.name] = self._loads_of(tiler, key, tiling)
        violations = delay_violations(self._network, self._profile) + unfit
        if violations:
            raise DoesNotFitError(violations)
        return self._pack(tilings, loads, off_chip)

    @cached_property
    def joint_tilings(self) -> JointTilings:
        """For targets on chips that are given each time; output axons are limited."""
        return JointTilings(
            self._network,
            {population.name: self._tiler_alone(population) for population in self._populations},
            {name: incoming.reach for name, incoming in self._incoming.items()},
            self._reset_entries,
            self._bins.added["output_axon_entries"],
        )

    def _lay_out_jointly(self, off_chip: OffChip) -> Layout | None:
        """Tile all populations together, and pack the tiles; None if no such tilings were found.

        Raises
        ------
        DoesNotFitError
        """
        near, far = entries_per_target(self._profile)
        tilings = self.joint_tilings.fewest_tiles(
            {population.name: far if population.name in off_chip.tiled else near for population in self._populations}
        )
        if tilings is None:
            return None
        loads = {}
        for population in self._populations:
            tiler, key = self._tiler(population, tilings, population.name in off_chip.tiled)
            loads[population.name] = self._loads_of(tiler, key, tilings[population.name])
        return self._pack(tilings, loads, off_chip)

    def _loads_of(self, tiler: PopulationTiler, key: TilingQuestion, tiling: Tiling) -> list[TileLoad]:
        if (key, tiling) not in self._loads:
            self._loads[key, tiling] = tiler.tile_loads(tiling)
        return self._loads[key, tiling]

    def _tiler_alone(self, population: Population) -> PopulationTiler:
        """A tiler to which it does not matter what a population sends."""
        incoming = [self._incoming[projection.name] for projection in self._network.incoming(population.name)]
        return PopulationTiler(population, incoming, [], 0, self._profile)

    def _tiler(
        self, population: Population, tilings: dict[str, Tiling], off_chip: bool
    ) -> tuple[PopulationTiler, TilingQuestion]:
        outgoing = list(self._network.outgoing(population.name))
        near, far = entries_per_target(self._profile)
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

    def _pack(self, tilings: dict[str, Tiling], loads: dict[str, list[TileLoad]], off_chip: OffChip) -> Layout:
        tiled = self._tiled([tilings[population.name] for population in self._populations], loads)
        pairs = sum(item.pair_count for item in tiled.projections)
        if pairs > LARGEST_ROUTE_COUNT:
            raise DoesNotFitError([too_many_routes(pairs)])
        cores = pack(self._to_pack(tiled, off_chip.packed - off_chip.tiled), self._bins)
        violations = too_many_chips(len(cores), self._profile)
        if violations:
            raise DoesNotFitError(violations)
        return lay_out(tiled, cores, self._profile)

    def _tiled(self, tilings: list[Tiling], loads: dict[str, list[TileLoad]]) -> TiledNetwork:
        reaches = {name: incoming.reach for name, incoming in self._incoming.items()}
        resets = [
            self._reset_entries[tiling.population] * tile.neuron_count for tiling in tilings for tile in tiling.tiles()
        ]
        return TiledNetwork(
            tilings,
            [load for tiling in tilings for load in loads[tiling.population]],
            tiled_projections(self._projections, reaches, tilings),
            np.array(resets, dtype=np.int64),
        )

    def _to_pack(self, tiled: TiledNetwork, off_chip: frozenset[str]) -> list[TileLoad]:
        """Loads of all tiles, those of `off_chip`, which were tiled as near, with targets on other chips."""
        near, far = entries_per_target(self._profile)
        if not off_chip or near == far:
            return tiled.loads
        return [
            load.with_output_axon_entries(resets + (load.demands.output_axon_entries - resets) // near * far)
            if population in off_chip
            else load
            for population, load, resets in zip(
                tiled.populations, tiled.loads, tiled.reset_entries.tolist(), strict=True
            )
        ]
