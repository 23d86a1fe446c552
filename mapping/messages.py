"""Messages between the cores of tiled populations, one axis at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from mapping.axis_reach import ProjectionReach
from mapping.network import Projection
from mapping.regular_tiling import Tiling, cut

IntegerArray = NDArray[np.int64]
BlockPatterns = tuple[bytes, tuple[int, int], tuple[int, ...]]
"""How the sources of one interval are read by several target intervals: different columns of a bool array (target
intervals, columns) with its shape, and how many sources have each."""


@dataclass(frozen=True)
class Messages:
    """Messages if each neuron spikes once, as parallel arrays.

    Attributes
    ----------
    source, target : int64 arrays
        Numbers of tiles or cores.
    count : int64 array
        Source neurons, each for each projection. Pairs of source and target may repeat for different projections.
    """

    source: IntegerArray
    target: IntegerArray
    count: IntegerArray

    @classmethod
    def joined(cls, parts: Sequence[Messages]) -> Messages:
        """All messages of several projections."""
        none = np.zeros(0, dtype=np.int64)
        return cls(
            np.concatenate([none, *(part.source for part in parts)]),
            np.concatenate([none, *(part.target for part in parts)]),
            np.concatenate([none, *(part.count for part in parts)]),
        )

    def summed(self) -> Messages:
        """One entry for each pair, in order of sources and then targets."""
        if not len(self.source):
            return self
        width = int(self.target.max()) + 1
        pairs, index = np.unique(self.source * width + self.target, return_inverse=True)
        sums = np.zeros(len(pairs), dtype=np.int64)
        np.add.at(sums, index.ravel(), self.count)
        return Messages(pairs // width, pairs % width, sums)


class TiledProjection:
    """A projection between two tiled populations.

    Parameters
    ----------
    reach : ProjectionReach
    source, target : Tiling
    first_source, first_target : int
        Numbers of their first tiles.
    """

    def __init__(
        self, reach: ProjectionReach, source: Tiling, target: Tiling, first_source: int, first_target: int
    ) -> None:
        self._source, self._target = source, target
        self._first_source, self._first_target = first_source, first_target
        # Tiles are numbered with rows slowest and channels fastest: axes in this order.
        channels, rows, columns = target.size
        self._axes = (1, 2, 0)
        self._reads = (
            reach.rows.incidence(rows),
            reach.columns.incidence(columns),
            reach.channels.incidence(channels),
        )
        self._per_block = [
            _sources_per_block(reads, source, axis) for axis, reads in zip(self._axes, self._reads, strict=True)
        ]
        self._patterns = lru_cache(maxsize=None)(self._find_patterns)

    @property
    def pair_count(self) -> int:
        """Number of pairs of source and target tile."""
        return prod(int(np.count_nonzero(blocks)) for blocks in self._per_block)

    def messages(self) -> Messages:
        """List the messages between tiles."""
        sources = targets = np.zeros(1, dtype=np.int64)
        counts = np.ones(1, dtype=np.int64)
        for axis, blocks in zip(self._axes, self._per_block, strict=True):
            target_blocks, source_blocks = np.nonzero(blocks)
            sources = np.add.outer(sources * self._source.grid[axis], source_blocks).ravel()
            targets = np.add.outer(targets * self._target.grid[axis], target_blocks).ravel()
            counts = np.multiply.outer(counts, blocks[target_blocks, source_blocks]).ravel()
        return Messages(sources + self._first_source, targets + self._first_target, counts)

    def core_messages(self, core_of_tile: IntegerArray) -> Messages:
        """List the messages between cores; a source neuron sends one to a core, however many tiles there read it."""
        of_tiles = self.messages()
        target_cores = core_of_tile[self._first_target : self._first_target + self._target.count]
        if not len(of_tiles.source) or len(np.unique(target_cores)) == len(target_cores):
            return Messages(core_of_tile[of_tiles.source], core_of_tile[of_tiles.target], of_tiles.count)
        cores = core_of_tile[of_tiles.target]
        order = np.lexsort((of_tiles.target, cores, of_tiles.source))
        source, target, core = of_tiles.source[order], of_tiles.target[order], cores[order]
        count = of_tiles.count[order]
        begins = np.flatnonzero(np.append(True, (np.diff(source) != 0) | (np.diff(core) != 0)))
        lengths = np.diff(np.append(begins, len(source)))
        distinct = count[begins]
        for group in np.flatnonzero(lengths > 1).tolist():
            first = begins[group]
            tiles = target[first : first + lengths[group]]
            distinct[group] = self._count_distinct(int(source[first]), tuple(tiles.tolist()))
        return Messages(core_of_tile[source[begins]], core[begins], distinct)

    def _count_distinct(self, source: int, targets: tuple[int, ...]) -> int:
        """Neurons of a source tile that any of these target tiles reads."""
        source_blocks = np.unravel_index(source - self._first_source, [self._source.grid[axis] for axis in self._axes])
        numbers = np.array(targets) - self._first_target
        target_blocks = np.unravel_index(numbers, [self._target.grid[axis] for axis in self._axes])
        return _union_size(
            *(
                self._patterns(position, int(source_blocks[position]), tuple(target_blocks[position].tolist()))
                for position in range(3)
            )
        )

    def _find_patterns(self, position: int, source_block: int, target_blocks: tuple[int, ...]) -> BlockPatterns:
        axis = self._axes[position]
        part = self._source.size[axis]
        reads = self._reads[position][list(target_blocks), source_block * part : (source_block + 1) * part]
        columns, counts = np.unique(reads, axis=1, return_counts=True)
        return columns.tobytes(), columns.shape, tuple(counts.tolist())


@lru_cache(maxsize=100_000)
def _union_size(rows: BlockPatterns, columns: BlockPatterns, channels: BlockPatterns) -> int:
    """Sources read by any of several boxes, each given by what it reads along three axes."""
    axes = (rows, columns, channels)
    masks = [np.frombuffer(data, dtype=np.bool_).reshape(shape).astype(np.int64) for data, shape, _ in axes]
    reached = np.einsum("ta,tb,tc->abc", *masks) > 0
    return int(np.einsum("abc,a,b,c->", reached.astype(np.int64), rows[2], columns[2], channels[2]))


def _sources_per_block(reads: NDArray[np.bool_], source: Tiling, axis: int) -> IntegerArray:
    """Sources that each target interval reads of each source interval; shape (target, source intervals)."""
    starts = [start for start, _ in cut(source.shape[axis], source.size[axis])]
    sums: IntegerArray = np.add.reduceat(reads.astype(np.int64), starts, axis=1)
    return sums


def tiled_projections(
    projections: list[Projection], reaches: Mapping[str, ProjectionReach], tilings: list[Tiling]
) -> list[TiledProjection]:
    """All projections between tiles that are numbered in order of `tilings`."""
    first_tile: dict[str, int] = {}
    total = 0
    for tiling in tilings:
        first_tile[tiling.population] = total
        total += tiling.count
    by_name = {tiling.population: tiling for tiling in tilings}
    return [
        TiledProjection(
            reaches[item.name], by_name[item.source], by_name[item.target],
            first_tile[item.source], first_tile[item.target],
        )
        for item in projections
    ]  # fmt: skip
