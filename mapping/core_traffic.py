"""Messages between the cores of any tiling, by interval arithmetic: what placement and routes are judged by.

A spike is one message to each core on which a projection has a synapse from it, however many synapses that are: so
do chips send them, and so are output axon entries counted. On crossbars it is one message to each axon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, Projection
from mapping.tile_boxes import TileBoxes, amounts_of_union, sources_read
from mapping.tiles import Tile

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Spikes = Mapping[str, float] | Sequence[float] | FloatArray | None
"""Spikes of each population by name, or of each tile in the order of cores and of their tiles; None for one spike of
each neuron."""


@dataclass(frozen=True)
class CoreTraffic:
    """Messages between cores, sorted by source and target; no pair stands there twice.

    Attributes
    ----------
    cores : int
        Number of cores.
    source, target : int64 arrays, (pairs,)
        Positions of cores; both the same where a core sends to itself.
    messages : float64 array, (pairs,)
        Spikes of source neurons, each counted once for a projection and target core.
    """

    cores: int
    source: IntArray
    target: IntArray
    messages: FloatArray


def core_traffic(network: ChipNetwork, cores: Sequence[Sequence[Tile]], spikes: Spikes = None) -> CoreTraffic:
    """Count the messages between cores.

    Parameters
    ----------
    network : ChipNetwork
        Sound: `mapping.verify` finds no NMD4xx violation.
    cores : sequence of sequence of Tile
        Tiles of each core, inside their populations.
    spikes : mapping, sequence or None
        Spikes of each population or of each tile, see `Spikes`. They are taken as spread evenly over the neurons of
        the population or tile.

    Returns
    -------
    CoreTraffic

    Raises
    ------
    ValueError
        There are not as many spike counts as tiles.
    """
    boxes = TileBoxes.of(cores)
    rates = _spikes_per_neuron(network, boxes, spikes)
    parts = [_projection_counts(projection, boxes) for projection in network.projections]
    source = np.concatenate([np.zeros(0, dtype=np.int64), *(part[0] for part in parts)])
    target = np.concatenate([np.zeros(0, dtype=np.int64), *(part[1] for part in parts)])
    count = np.concatenate([np.zeros(0, dtype=np.int64), *(part[2] for part in parts)])
    pairs, places = np.unique(boxes.core[source] * max(len(cores), 1) + target, return_inverse=True)
    messages: FloatArray = np.bincount(places, weights=count * rates[source], minlength=len(pairs)).astype(np.float64)
    return CoreTraffic(len(cores), pairs // max(len(cores), 1), pairs % max(len(cores), 1), messages)


def core_spikes(network: ChipNetwork, cores: Sequence[Sequence[Tile]], spikes: Spikes = None) -> FloatArray:
    """Spikes of all neurons of each core; parameters and errors are those of `core_traffic`."""
    boxes = TileBoxes.of(cores)
    of_tiles = _spikes_per_neuron(network, boxes, spikes) * boxes.sizes()
    return np.bincount(boxes.core, weights=of_tiles, minlength=len(cores)).astype(np.float64)


def _spikes_per_neuron(network: ChipNetwork, boxes: TileBoxes, spikes: Spikes) -> FloatArray:
    """Spikes of each neuron of each tile."""
    if spikes is None:
        return np.ones(len(boxes.tiles))
    if isinstance(spikes, Mapping):
        rates = {name: spikes[name] / network.population(name).neuron_count for name in boxes.by_population}
        return np.array([rates[tile.population] for tile in boxes.tiles], dtype=np.float64)
    if len(spikes) != len(boxes.tiles):
        raise ValueError(f"{len(spikes)} spike counts for {len(boxes.tiles)} tiles")
    return np.asarray(spikes, dtype=np.float64) / boxes.sizes()


def _projection_counts(projection: Projection, boxes: TileBoxes) -> tuple[IntArray, IntArray, IntArray]:
    """Source tile, target core and messages if each source neuron spikes once, of all pairs of one projection."""
    none = np.zeros(0, dtype=np.int64)
    sources = boxes.by_population.get(projection.source, none)
    targets = boxes.by_population.get(projection.target, none)
    _, places, times = np.unique(boxes.core[targets], return_inverse=True, return_counts=True)
    alone = times[places] == 1
    parts = [_counts_of_single_tiles(projection.connectivity, sources, targets[alone], boxes)]
    shared = targets[~alone]
    for core in np.unique(boxes.core[shared]):
        counts = amounts_of_union(projection.connectivity, sources, shared[boxes.core[shared] == core], boxes)
        sending = np.flatnonzero(counts)
        parts.append((sources[sending], np.full(len(sending), core), counts[sending]))
    joined = [np.concatenate([none, *(part[index] for part in parts)]) for index in range(3)]
    return joined[0], joined[1], joined[2] * max(len(projection.axon_types), 1)


def _counts_of_single_tiles(
    connectivity: Connectivity, sources: IntArray, targets: IntArray, boxes: TileBoxes
) -> tuple[IntArray, IntArray, IntArray]:
    """The same for target cores with one tile of the target population each.

    A source neuron is read if its channel, row and column are, so that counts are products of counts along the axes.
    Tiles have few different intervals along an axis; pairs of these are listed, then joined.
    """
    source_keys = np.zeros(len(sources), dtype=np.int64)
    target_keys = np.zeros(len(targets), dtype=np.int64)
    pair_sources = pair_targets = np.zeros(1, dtype=np.int64)
    counts = np.ones(1, dtype=np.int64)
    for axis in range(3):
        source_intervals, source_places = np.unique(boxes.bounds[sources, axis], axis=0, return_inverse=True)
        target_intervals, target_places = np.unique(boxes.bounds[targets, axis], axis=0, return_inverse=True)
        source_keys = source_keys * len(source_intervals) + source_places.ravel()
        target_keys = target_keys * len(target_intervals) + target_places.ravel()
        read = _counts_within(sources_read(connectivity, axis, target_intervals), source_intervals)
        reading, sending = np.nonzero(read)
        pair_sources = np.add.outer(pair_sources * len(source_intervals), sending).ravel()
        pair_targets = np.add.outer(pair_targets * len(target_intervals), reading).ravel()
        counts = np.multiply.outer(counts, read[reading, sending]).ravel()
    picked, at_target = _join(pair_targets, target_keys)
    again, at_source = _join(pair_sources[picked], source_keys)
    return sources[at_source], boxes.core[targets[at_target[again]]], counts[picked[again]]


def _join(wanted: IntArray, keys: IntArray) -> tuple[IntArray, IntArray]:
    """All pairs of positions at which `wanted` and `keys` are equal."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.searchsorted(ordered, wanted, side="left")
    times = np.searchsorted(ordered, wanted, side="right") - first
    picked = np.repeat(np.arange(len(wanted)), times)
    within = np.arange(len(picked)) - np.repeat(np.cumsum(times) - times, times)
    return picked, order[first[picked] + within]


def _counts_within(read: NDArray[np.bool_], intervals: IntArray) -> IntArray:
    """How many sources of each interval are read; shape (rows of `read`, intervals)."""
    summed = np.zeros((read.shape[0], read.shape[1] + 1), dtype=np.int64)
    np.cumsum(read, axis=1, out=summed[:, 1:])
    return summed[:, intervals[:, 1]] - summed[:, intervals[:, 0]]
