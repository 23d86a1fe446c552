"""Tiles as arrays, and which neurons of a source they read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.tiles import Tile

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class TileBoxes:
    """The tiles of all cores as arrays.

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
    def of(cls, cores: Sequence[Sequence[Tile]]) -> TileBoxes:
        """Number the tiles in the order of cores and of their tiles."""
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


def amounts_of_union(
    connectivity: Connectivity, sources: IntArray, targets: IntArray, boxes: TileBoxes, amounts: IntArray | None = None
) -> IntArray:
    """Sum over the neurons of each source tile that any of some target tiles reads, each taken once.

    Parameters
    ----------
    connectivity : Connectivity
    sources, targets : int64 arrays
        Positions of tiles of the source and of the target population.
    boxes : TileBoxes
    amounts : int64 array, `connectivity.source_shape`, optional
        What is summed; 1 for each neuron if not given.

    Returns
    -------
    int64 array, like `sources`
    """
    masks = [sources_read(connectivity, axis, boxes.bounds[targets, axis]) for axis in range(3)]
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
    inside_crop = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    taken = read.astype(np.int64) if amounts is None else read * amounts[inside_crop]
    summed = np.zeros([size + 1 for size in read.shape], dtype=np.int64)
    summed[1:, 1:, 1:] = taken.cumsum(axis=0).cumsum(axis=1).cumsum(axis=2)
    bounds = np.clip(boxes.bounds[sources], np.array(low)[:, None], np.array(high)[:, None]) - np.array(low)[:, None]
    counts = np.zeros(len(sources), dtype=np.int64)
    for corner in np.ndindex(2, 2, 2):
        sign = (-1) ** (3 - sum(corner))
        counts += sign * summed[tuple(bounds[:, axis, end] for axis, end in enumerate(corner))]
    return counts


def sources_read(connectivity: Connectivity, axis: int, intervals: IntArray) -> NDArray[np.bool_]:
    """Which sources along an axis each target interval reads; bool array, (intervals, sources)."""
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
