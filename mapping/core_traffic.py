"""Messages between the cores of any tiling, by interval arithmetic: what placement and routes are judged by.

A spike is one message to each core on which a projection has a synapse from it, however many synapses that are: so
do chips send them, and so are output axon entries counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, Projection
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
    boxes = _Boxes.of(cores)
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
    boxes = _Boxes.of(cores)
    of_tiles = _spikes_per_neuron(network, boxes, spikes) * boxes.sizes()
    return np.bincount(boxes.core, weights=of_tiles, minlength=len(cores)).astype(np.float64)


@dataclass(frozen=True)
class _Boxes:
    """All tiles as arrays.

    Attributes
    ----------
    tiles : list of Tile
    core : int64 array, (tiles,)
    bounds : int64 array, (tiles, 3, 2)
        Start and stop along channels, rows and columns.
    by_population : dict of population name to int64 array
        Positions of its tiles.
    """

    tiles: list[Tile]
    core: IntArray
    bounds: IntArray
    by_population: dict[str, IntArray]

    @classmethod
    def of(cls, cores: Sequence[Sequence[Tile]]) -> _Boxes:
        tiles = [tile for of_core in cores for tile in of_core]
        positions: defaultdict[str, list[int]] = defaultdict(list)
        for position, tile in enumerate(tiles):
            positions[tile.population].append(position)
        return cls(
            tiles,
            np.repeat(np.arange(len(cores)), [len(of_core) for of_core in cores]),
            np.array([(tile.channels, tile.rows, tile.columns) for tile in tiles], dtype=np.int64).reshape(-1, 3, 2),
            {name: np.array(of_population) for name, of_population in positions.items()},
        )

    def sizes(self) -> IntArray:
        """Neurons of each tile."""
        sizes: IntArray = (self.bounds[:, :, 1] - self.bounds[:, :, 0]).prod(axis=1)
        return sizes


def _spikes_per_neuron(network: ChipNetwork, boxes: _Boxes, spikes: Spikes) -> FloatArray:
    """Spikes of each neuron of each tile."""
    if spikes is None:
        return np.ones(len(boxes.tiles))
    if isinstance(spikes, Mapping):
        rates = {name: spikes[name] / network.population(name).neuron_count for name in boxes.by_population}
        return np.array([rates[tile.population] for tile in boxes.tiles], dtype=np.float64)
    if len(spikes) != len(boxes.tiles):
        raise ValueError(f"{len(spikes)} spike counts for {len(boxes.tiles)} tiles")
    return np.asarray(spikes, dtype=np.float64) / boxes.sizes()


def _projection_counts(projection: Projection, boxes: _Boxes) -> tuple[IntArray, IntArray, IntArray]:
    """Source tile, target core and number of source neurons, of all pairs of one projection."""
    none = np.zeros(0, dtype=np.int64)
    sources = boxes.by_population.get(projection.source, none)
    targets = boxes.by_population.get(projection.target, none)
    _, places, times = np.unique(boxes.core[targets], return_inverse=True, return_counts=True)
    alone = times[places] == 1
    parts = [_counts_of_single_tiles(projection.connectivity, sources, targets[alone], boxes)]
    shared = targets[~alone]
    for core in np.unique(boxes.core[shared]):
        counts = _counts_of_union(projection.connectivity, sources, shared[boxes.core[shared] == core], boxes)
        sending = np.flatnonzero(counts)
        parts.append((sources[sending], np.full(len(sending), core), counts[sending]))
    joined = [np.concatenate([none, *(part[index] for part in parts)]) for index in range(3)]
    return joined[0], joined[1], joined[2]


def _counts_of_single_tiles(
    connectivity: Connectivity, sources: IntArray, targets: IntArray, boxes: _Boxes
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
        read = _counts_within(_reads(connectivity, axis, target_intervals), source_intervals)
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


def _counts_of_union(connectivity: Connectivity, sources: IntArray, targets: IntArray, boxes: _Boxes) -> IntArray:
    """Neurons of each source tile that any of some target tiles reads, each counted once."""
    masks = [_reads(connectivity, axis, boxes.bounds[targets, axis]) for axis in range(3)]
    crop = [np.flatnonzero(mask.any(axis=0)) for mask in masks]
    if not all(len(inside) for inside in crop):
        return np.zeros(len(sources), dtype=np.int64)
    low = [int(inside[0]) for inside in crop]
    high = [int(inside[-1]) + 1 for inside in crop]
    read = np.zeros([stop - start for start, stop in zip(low, high, strict=True)], dtype=np.bool_)
    for channels, rows, columns in zip(*masks, strict=True):
        read |= np.multiply.outer(
            np.multiply.outer(channels[low[0] : high[0]], rows[low[1] : high[1]]), columns[low[2] : high[2]]
        )
    summed = np.zeros([size + 1 for size in read.shape], dtype=np.int64)
    summed[1:, 1:, 1:] = read.cumsum(axis=0).cumsum(axis=1).cumsum(axis=2)
    bounds = np.clip(boxes.bounds[sources], np.array(low)[:, None], np.array(high)[:, None]) - np.array(low)[:, None]
    counts = np.zeros(len(sources), dtype=np.int64)
    for corner in np.ndindex(2, 2, 2):
        sign = (-1) ** (3 - sum(corner))
        counts += sign * summed[tuple(bounds[:, axis, end] for axis, end in enumerate(corner))]
    return counts


def _reads(connectivity: Connectivity, axis: int, intervals: IntArray) -> NDArray[np.bool_]:
    """Which sources along an axis each target interval reads; shape (intervals, sources)."""
    read = np.zeros((len(intervals), connectivity.source_shape[axis]), dtype=np.bool_)
    if axis == 0:
        inputs = connectivity.in_channels // connectivity.groups
        outputs = connectivity.out_channels // connectivity.groups
        first, last = connectivity.target_channels
        for of_interval, (start, stop) in zip(read, intervals.tolist(), strict=True):
            if max(start, first) < min(stop, last):
                groups = (max(start, first) - first) // outputs, (min(stop, last) - 1 - first) // outputs + 1
                channels = (connectivity.source_channels[0] + group * inputs for group in groups)
                of_interval[slice(*channels)] = True
        return read
    table = connectivity.rows if axis == 1 else connectivity.columns
    for of_interval, (start, stop) in zip(read, intervals.tolist(), strict=True):
        taps = table[start:stop]
        of_interval[taps[taps >= 0]] = True
    return read


def _counts_within(read: NDArray[np.bool_], intervals: IntArray) -> IntArray:
    """How many sources of each interval are read; shape (rows of `read`, intervals)."""
    summed = np.zeros((read.shape[0], read.shape[1] + 1), dtype=np.int64)
    np.cumsum(read, axis=1, out=summed[:, 1:])
    return summed[:, intervals[:, 1]] - summed[:, intervals[:, 0]]
