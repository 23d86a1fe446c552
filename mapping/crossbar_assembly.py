"""Work out every column and every axon of a placed network: what its cores are programmed from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_program import TO_HOST, Axons, Columns, CrossbarProgram
from mapping.crossbar_reads import read_by_host
from mapping.network import ChipNetwork, Projection
from mapping.placement import Placement
from mapping.tile_boxes import TileBoxes, sources_read

IntArray = NDArray[np.int64]

NO_TILE = -1


def crossbar_program(network: ChipNetwork, placement: Placement, profile: CrossbarProfile) -> CrossbarProgram:
    """List the columns and axons of all cores.

    Axons of a core are ordered by projection, source neuron and copy; its columns by tile, neuron and target. A neuron
    that nobody reads has one column, which goes to the host.

    Parameters
    ----------
    network : ChipNetwork
        As placed, with delays.
    placement : Placement
        Every neuron on the chip lies in one tile.
    profile : CrossbarProfile
    """
    boxes = TileBoxes.of([core.tiles for core in placement.cores])
    axons = _axons(network, boxes)
    return CrossbarProgram(_columns(network, boxes, axons, profile), axons)


def _axons(network: ChipNetwork, boxes: TileBoxes) -> Axons:
    parts = [_axons_of_projection(number, projection, boxes) for number, projection in enumerate(network.projections)]
    core, projection, source, copy, axon_type = (
        np.concatenate([np.zeros(0, dtype=np.int32), *(part[field] for part in parts)]) for field in range(5)
    )
    order = np.argsort(core, kind="stable")
    core = core[order]
    return Axons(
        core=core.astype(np.int32),
        axon=_within(core).astype(np.int16),
        axon_type=axon_type[order].astype(np.int8),
        projection=projection[order].astype(np.int16),
        source_neuron=source[order].astype(np.int32),
        copy=copy[order].astype(np.int16),
    )


def _axons_of_projection(number: int, projection: Projection, boxes: TileBoxes) -> list[NDArray[np.int32]]:
    """Core, projection, source neuron, copy and type of all axons of one projection, ordered by the first four."""
    tiles = boxes.by_population.get(projection.target, np.zeros(0, dtype=np.int64))
    core, source = _pairs(projection, tiles, boxes)
    types = np.array(projection.axon_types, dtype=np.int32)
    return [
        np.repeat(core, len(types)).astype(np.int32),
        np.full(len(core) * len(types), number, dtype=np.int32),
        np.repeat(source, len(types)).astype(np.int32),
        np.tile(np.arange(len(types), dtype=np.int32), len(core)),
        np.tile(types, len(core)),
    ]


def _pairs(projection: Projection, tiles: IntArray, boxes: TileBoxes) -> tuple[IntArray, IntArray]:
    """Every core and source neuron that a tile there reads, each pair once, ordered."""
    shape = projection.connectivity.source_shape
    counts = np.ones(len(tiles), dtype=np.int64)
    read = []
    for axis in range(3):
        intervals, places = np.unique(boxes.bounds[tiles, axis], axis=0, return_inverse=True)
        owner, sources = np.nonzero(sources_read(projection.connectivity, axis, intervals))
        per_interval = np.bincount(owner, minlength=len(intervals))
        first = np.cumsum(per_interval) - per_interval
        places = places.ravel()
        read.append((sources, first[places], per_interval[places]))
        counts *= per_interval[places]
    tile = np.repeat(np.arange(len(tiles)), counts)
    position = np.arange(len(tile)) - np.repeat(np.cumsum(counts) - counts, counts)
    neuron = np.zeros(len(tile), dtype=np.int64)
    stride = 1
    for axis in (2, 1, 0):
        sources, first, length = read[axis]
        position, place = np.divmod(position, length[tile])
        neuron += sources[first[tile] + place] * stride
        stride *= shape[axis]
    keys = boxes.core[tiles][tile] * stride + neuron
    return np.divmod(np.unique(keys), stride)


def _columns(network: ChipNetwork, boxes: TileBoxes, axons: Axons, profile: CrossbarProfile) -> Columns:
    """One column for every axon that a neuron on the chip drives, and those that the host reads."""
    populations = network.populations
    first = np.cumsum([0, *(population.neuron_count for population in populations)])
    number_of = {population.name: number for number, population in enumerate(populations)}
    source_of = np.array([number_of[projection.source] for projection in network.projections], dtype=np.int64)
    delay_of = np.array([1 + projection.delay for projection in network.projections], dtype=np.int64)
    tile_of = _tile_of_each_neuron(network, boxes)

    driver = first[source_of[axons.projection]] + axons.source_neuron
    on_chip = np.flatnonzero(tile_of[driver] != NO_TILE)
    driver = driver[on_chip]
    to_host, delay_to_host = _read_by_host(network, profile)
    to_host |= (np.bincount(driver, minlength=len(tile_of)) == 0) & (tile_of != NO_TILE)
    host_driver = np.flatnonzero(to_host)

    sender = np.concatenate([driver, host_driver])
    order = np.argsort(tile_of[sender] * len(tile_of) + sender, kind="stable")
    sender = sender[order]
    population = np.searchsorted(first, sender, side="right") - 1
    core = boxes.core[tile_of[sender]]
    count = len(host_driver)
    return Columns(
        core=core.astype(np.int32),
        column=_within(core).astype(np.int16),
        population=population.astype(np.int16),
        neuron=(sender - first[population]).astype(np.int32),
        target_core=np.append(axons.core[on_chip], np.full(count, TO_HOST, dtype=np.int32))[order],
        target_axon=np.append(axons.axon[on_chip], np.zeros(count, dtype=np.int16))[order],
        delay=np.append(delay_of[axons.projection[on_chip]], delay_to_host[host_driver])[order].astype(np.int16),
    )


def _tile_of_each_neuron(network: ChipNetwork, boxes: TileBoxes) -> IntArray:
    """Position of the tile of every neuron of all populations, one after another; `NO_TILE` on the host."""
    found = []
    for population in network.populations:
        tile_of = np.full(population.shape, NO_TILE, dtype=np.int64)
        for position in boxes.by_population.get(population.name, np.zeros(0, dtype=np.int64)).tolist():
            tile = boxes.tiles[position]
            tile_of[slice(*tile.channels), slice(*tile.rows), slice(*tile.columns)] = position
        found.append(tile_of.ravel())
    return np.concatenate(found)


def _read_by_host(network: ChipNetwork, profile: CrossbarProfile) -> tuple[NDArray[np.bool_], IntArray]:
    """Which neurons of all populations the host reads, and after how many steps; the shortest, if there are several."""
    read, delays = [], []
    for population in network.populations:
        onto_host = [one for one in network.outgoing(population.name) if network.population(one.target).on_host]
        delay = min((1 + one.delay for one in onto_host), default=profile.number_formats.delay_min.value)
        read.append(read_by_host(network, population.name).ravel() & (not population.on_host))
        delays.append(np.full(population.neuron_count, delay))
    return np.concatenate(read), np.concatenate(delays)


def _within(core: IntArray | NDArray[np.int32]) -> IntArray:
    """Position of each entry among those of its core; cores are in order."""
    counts = np.bincount(core)
    return np.arange(len(core)) - np.repeat(np.cumsum(counts) - counts, counts)
