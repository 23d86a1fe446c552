"""Map a network onto crossbars: relays, start steps, tiles, cores, addresses, and what cores are programmed with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.core_traffic import CoreTraffic
from mapping.crossbar_assembly import crossbar_program
from mapping.crossbar_cuts import Limits
from mapping.crossbar_packing import pack_crossbars
from mapping.crossbar_program import TO_HOST, CrossbarProgram
from mapping.crossbar_reads import ProjectionReads, read_by_host
from mapping.crossbar_refusal import delays_too_long
from mapping.crossbar_schedule import DelayTooLongError, scheduled, with_delay_relays
from mapping.crossbar_tiling import CutNetwork, cut_into_crossbars
from mapping.network import ChipNetwork
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.placement_options import PlacementOptions
from mapping.refusal import too_many_chips
from mapping.tiles import CrossbarDemands, Tile
from mapping.usable_cores import chips_needed, usable_addresses
from mapping.violation import DoesNotFitError

IntArray = NDArray[np.int64]

MOST_ROUNDS = 16
"""Relays that fan out make paths longer, and relays for delays are cut like others: most times that both are put in."""


@dataclass(frozen=True)
class MappedCrossbars:
    """A network on crossbars.

    Attributes
    ----------
    network : ChipNetwork
        With relays, start steps and delays.
    placement : Placement
    program : CrossbarProgram
    """

    network: ChipNetwork
    placement: Placement
    program: CrossbarProgram


def map_crossbars(
    network: ChipNetwork,
    profile: CrossbarProfile,
    options: PlacementOptions | None = None,
    spikes: Mapping[str, float] | None = None,
) -> MappedCrossbars:
    """Map a network onto crossbars.

    Parameters
    ----------
    network : ChipNetwork
    profile : CrossbarProfile
    options : PlacementOptions, optional
        Cores stay in the order of the network if not given.
    spikes : mapping, optional
        Spikes of each population of `network`, by name; one of each neuron if not given. Relays send what they read.

    Raises
    ------
    DoesNotFitError
        With all reasons found.
    """
    cut = relayed(network, profile)
    cores = cores_of_tiles(cut, profile)
    placement = _placed(cores, profile)
    program = crossbar_program(cut.network, placement, profile)
    placement = _with_contents(placement, program)
    if options is not None:
        from mapping.optimise_placement import optimise_placement  # numba takes a second to import

        traffic = crossbar_traffic(cut.network, len(cores), program, spikes)

        placement = optimise_placement(placement, traffic, profile, options)
    return MappedCrossbars(cut.network, placement, program)


def relayed(network: ChipNetwork, profile: CrossbarProfile) -> CutNetwork:
    """Cut a network into tiles, with all relays that it needs; start steps and delays are set.

    Raises
    ------
    DoesNotFitError
        A neuron alone fits no core, or delays stay too long.
    """
    for _ in range(MOST_ROUNDS):
        cut = cut_into_crossbars(network, profile)
        try:
            return replace(cut, network=scheduled(cut.network, profile))
        except DelayTooLongError as error:
            delays = error.delays
            network = with_delay_relays(cut.network, delays, profile)
    raise DoesNotFitError(delays_too_long(delays, profile))


def cores_of_tiles(cut: CutNetwork, profile: CrossbarProfile) -> list[tuple[Tile, ...]]:
    """Put tiles that leave room together.

    Returns
    -------
    list of tuple of Tile
        Tiles of each core; cores and tiles are in the order of the network.
    """
    tiles, axons, columns = tile_demands(cut)
    core_of = pack_crossbars(axons, columns, Limits.of(profile))
    cores: list[list[Tile]] = [[] for _ in range(int(core_of.max(initial=-1)) + 1)]
    for tile, core in zip(tiles, core_of.tolist(), strict=True):
        cores[core].append(tile)
    return [tuple(core) for core in cores]


def tile_demands(cut: CutNetwork) -> tuple[list[Tile], IntArray, IntArray]:
    """All tiles with the axons and columns of each."""
    network = cut.network
    tiles: list[Tile] = []
    axons, columns = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for tiling in cut.tilings:
        of_population = list(tiling.tiles())
        tiles += of_population
        grid = np.zeros(tiling.grid, dtype=np.int64)
        for projection in network.incoming(tiling.population):
            grid += ProjectionReads(projection).axons(tiling.size)
        axons.append(grid.transpose(1, 2, 0).ravel())
        driven = read_by_host(network, tiling.population).astype(np.int64)
        for projection in network.outgoing(tiling.population):
            if projection.target in cut.sizes:
                driven += ProjectionReads(projection).driven(cut.sizes[projection.target])
        edges = [np.array([start for start, _ in tiling.intervals(axis)]) for axis in range(3)]
        of_tiles = np.maximum(driven, 1)
        for axis in range(3):
            of_tiles = np.add.reduceat(of_tiles, edges[axis], axis=axis)
        columns.append(of_tiles.transpose(1, 2, 0).ravel())
    return tiles, np.concatenate(axons), np.concatenate(columns)


def _placed(cores: list[tuple[Tile, ...]], profile: CrossbarProfile) -> Placement:
    """Give every core an address: chip after chip, along the snake."""
    violations = too_many_chips(len(cores), profile)
    if violations:
        raise DoesNotFitError(violations)
    chips = range(chips_needed(len(cores), profile.mesh))
    addresses = (address for chip in chips for address in usable_addresses(chip, profile.mesh))
    nothing = CrossbarDemands(0, 0)
    return Placement(
        tuple(CoreRecord(address, tiles, (), nothing) for tiles, address in zip(cores, addresses, strict=False))
    )


def _with_contents(placement: Placement, program: CrossbarProgram) -> Placement:
    """The placement with the demands and targets of every core."""
    count = len(placement.cores)
    axons = np.bincount(program.axons.core, minlength=count).tolist()
    neurons = np.bincount(program.columns.core, minlength=count).tolist()
    onto_chip = program.columns.target_core != TO_HOST
    sources = program.columns.core[onto_chip].astype(np.int64)
    pairs = np.unique(sources * count + program.columns.target_core[onto_chip])
    targets: list[list[CoreAddress]] = [[] for _ in range(count)]
    for source, target in zip((pairs // count).tolist(), (pairs % count).tolist(), strict=True):
        targets[source].append(placement.cores[target].address)
    return Placement(
        tuple(
            replace(
                core, targets=tuple(sorted(targets[number])), demands=CrossbarDemands(axons[number], neurons[number])
            )
            for number, core in enumerate(placement.cores)
        )
    )


def crossbar_traffic(
    network: ChipNetwork, core_count: int, program: CrossbarProgram, spikes: Mapping[str, float] | None = None
) -> CoreTraffic:
    """Count the messages between cores: one for each spike of each column.

    Parameters
    ----------
    network : ChipNetwork
        As placed.
    core_count : int
    program : CrossbarProgram
    spikes : mapping, optional
        Spikes of populations by name, taken as spread evenly over their neurons; one of each neuron if not given. What
        is not listed is a relay, and sends what its source does.
    """
    rates: dict[str, float] = {}
    for population in network.populations:
        if spikes is None:
            rates[population.name] = 1.0
        elif population.name in spikes:
            rates[population.name] = spikes[population.name] / population.neuron_count
        else:
            rates[population.name] = max((rates[one.source] for one in network.incoming(population.name)), default=0.0)
    columns = program.columns
    onto_chip = np.flatnonzero(columns.target_core != TO_HOST)
    keys = columns.core[onto_chip].astype(np.int64) * core_count + columns.target_core[onto_chip]
    weights = np.array(list(rates.values()), dtype=np.float64)[columns.population[onto_chip]]
    pairs, places = np.unique(keys, return_inverse=True)
    messages = np.bincount(places.ravel(), weights=weights, minlength=len(pairs)).astype(np.float64)
    return CoreTraffic(core_count, pairs // max(core_count, 1), pairs % max(core_count, 1), messages)
