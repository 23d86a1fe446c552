"""Messages between the cores of regular tilings, one axis at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from mapping.axis_reach import ProjectionReach
from mapping.network import Projection
from mapping.tiling import Tiling, cut


@dataclass(frozen=True)
class Messages:
    """Messages between cores if each neuron spikes once, as parallel arrays; pairs may repeat."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    count: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: list[Messages]) -> Messages:
        """All messages of several projections."""
        none = np.zeros(0, dtype=np.int64)
        return cls(
            np.concatenate([none, *(part.source for part in parts)]),
            np.concatenate([none, *(part.target for part in parts)]),
            np.concatenate([none, *(part.count for part in parts)]),
        )


class TiledProjection:
    """A projection between two tiled populations.

    Parameters
    ----------
    reach : ProjectionReach
    source, target : Tiling
    """

    def __init__(self, reach: ProjectionReach, source: Tiling, target: Tiling) -> None:
        self._source, self._target = source, target
        # Cores are numbered with rows slowest and channels fastest: axes in this order.
        channels, rows, columns = target.size
        self._axes = (1, 2, 0)
        self._per_block = [
            _sources_per_block(reads, source, axis)
            for axis, reads in zip(
                self._axes,
                (reach.rows.incidence(rows), reach.columns.incidence(columns), reach.channels.incidence(channels)),
                strict=True,
            )
        ]

    @property
    def pair_count(self) -> int:
        """Number of pairs of source and target core."""
        return prod(int(np.count_nonzero(blocks)) for blocks in self._per_block)

    def messages(self, first_source: int, first_target: int) -> Messages:
        """List the messages, given the numbers of the first core of source and target."""
        sources = targets = np.zeros(1, dtype=np.int64)
        counts = np.ones(1, dtype=np.int64)
        for axis, blocks in zip(self._axes, self._per_block, strict=True):
            target_blocks, source_blocks = np.nonzero(blocks)
            sources = np.add.outer(sources * self._source.grid[axis], source_blocks).ravel()
            targets = np.add.outer(targets * self._target.grid[axis], target_blocks).ravel()
            counts = np.multiply.outer(counts, blocks[target_blocks, source_blocks]).ravel()
        return Messages(sources + first_source, targets + first_target, counts)


def _sources_per_block(reads: NDArray[np.bool_], source: Tiling, axis: int) -> NDArray[np.int64]:
    """Sources that each target interval reads of each source interval; shape (target, source intervals)."""
    starts = [start for start, _ in cut(source.shape[axis], source.size[axis])]
    sums: NDArray[np.int64] = np.add.reduceat(reads.astype(np.int64), starts, axis=1)
    return sums


def projection_messages(
    projections: list[Projection], reaches: Mapping[str, ProjectionReach], tilings: list[Tiling], most_pairs: int
) -> Messages | int:
    """Messages between all cores, numbered in order of `tilings`.

    Returns
    -------
    Messages or int
        The number of pairs if these are more than `most_pairs`.
    """
    first_core: dict[str, int] = {}
    total = 0
    for tiling in tilings:
        first_core[tiling.population] = total
        total += tiling.count
    by_name = {tiling.population: tiling for tiling in tilings}
    tiled = [TiledProjection(reaches[item.name], by_name[item.source], by_name[item.target]) for item in projections]
    pairs = sum(item.pair_count for item in tiled)
    if pairs > most_pairs:
        return pairs
    ends = [(first_core[item.source], first_core[item.target]) for item in projections]
    return Messages.joined([item.messages(*of_item) for item, of_item in zip(tiled, ends, strict=True)])
