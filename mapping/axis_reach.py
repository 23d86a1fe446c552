"""Which sources an interval of targets reads, and in which patterns, one axis at a time.

Connectivity is separable, so that all a tile needs follows from products of these summaries. They hold
nothing absolute: tiles that look alike have equal summaries, and a layer has few different ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.tiles import Interval

Levels = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class SpatialReach:
    """What an interval of target rows (or columns) reads of a projection's source.

    Attributes
    ----------
    sources : int
        Distinct source rows read.
    patterns : tuple of (Levels, int)
        How many different patterns have these levels. The pattern of a source row is its (target row, tap)
        pairs, the rows counted from the first; level n of a pattern holds the rows that read the source by
        more than n taps.
    taps, most_taps : int
        (target row, tap) pairs of all source rows, and of the one that has most.
    """

    sources: int
    patterns: tuple[tuple[Levels, int], ...]
    taps: int
    most_taps: int


@dataclass(frozen=True)
class ChannelReach:
    """What an interval of target channels reads of a projection's source.

    Attributes
    ----------
    sources : int
        Distinct source channels read.
    classes : tuple of (int, bool, int)
        Number of target channels reached, whether these are the whole interval, number of such source
        channels.
    """

    sources: int
    classes: tuple[tuple[int, bool, int], ...]

    @property
    def pairs(self) -> int:
        """Pairs of a source channel and a target channel that it reaches."""
        return sum(reached * count for reached, _, count in self.classes)

    @property
    def most_reached(self) -> int:
        """Target channels that one source channel reaches, where these are most."""
        return max((reached for reached, _, _ in self.classes), default=0)


class SpatialAxis:
    """One index table of a connectivity, seen from targets and from sources.

    Parameters
    ----------
    table : int32 array, (targets, taps)
    source_size : int
    """

    def __init__(self, table: NDArray[np.int32], source_size: int) -> None:
        self._table = table
        self._taps: list[list[int]] = table.tolist()
        self._source_size = source_size
        self._reached: dict[Interval, SpatialReach] = {}
        self._interned: dict[SpatialReach, SpatialReach] = {}

    def reach(self, start: int, stop: int) -> SpatialReach:
        """What the targets ``start:stop`` read; equal results are the same object."""
        if (start, stop) not in self._reached:
            reach = self._analyse(start, stop)
            self._reached[start, stop] = self._interned.setdefault(reach, reach)
        return self._reached[start, stop]

    def _analyse(self, start: int, stop: int) -> SpatialReach:
        readers: dict[int, list[tuple[int, int]]] = {}
        for target in range(start, stop):
            for tap, source in enumerate(self._taps[target]):
                if source >= 0:
                    readers.setdefault(source, []).append((target, tap))
        patterns = {tuple((target - pairs[0][0], tap) for target, tap in pairs) for pairs in readers.values()}
        by_levels = Counter(_levels(pattern) for pattern in patterns)
        taps = [len(pairs) for pairs in readers.values()]
        return SpatialReach(len(readers), tuple(sorted(by_levels.items())), sum(taps), max(taps, default=0))

    def incidence(self, size: int) -> NDArray[np.bool_]:
        """Which sources each block of `size` targets reads; shape (blocks, sources)."""
        targets, taps = np.nonzero(self._table >= 0)
        reads = np.zeros((-(-self._table.shape[0] // size), self._source_size), dtype=np.bool_)
        reads[targets // size, self._table[targets, taps]] = True
        return reads


def _levels(pattern: tuple[tuple[int, int], ...]) -> Levels:
    taps = Counter(target for target, _ in pattern)
    return tuple(
        tuple(target for target in sorted(taps) if taps[target] > level) for level in range(max(taps.values()))
    )


class ChannelAxis:
    """The channel ranges and groups of a connectivity, seen from targets and from sources."""

    def __init__(self, connectivity: Connectivity) -> None:
        self._source_size = connectivity.source_shape[0]
        self._target_size = connectivity.target_shape[0]
        self._first_source = connectivity.source_channels[0]
        self._first_target, self._last_target = connectivity.target_channels
        self._groups = connectivity.groups
        self._group_inputs = connectivity.in_channels // connectivity.groups
        self._group_outputs = connectivity.out_channels // connectivity.groups
        self._reached: dict[Interval, ChannelReach] = {}

    def reach(self, start: int, stop: int) -> ChannelReach:
        """What the target channels ``start:stop`` read."""
        if (start, stop) not in self._reached:
            self._reached[start, stop] = self._analyse(start, stop)
        return self._reached[start, stop]

    def _analyse(self, start: int, stop: int) -> ChannelReach:
        first = max(start, self._first_target) - self._first_target
        last = min(stop, self._last_target) - self._first_target
        if last <= first:
            return ChannelReach(0, ())
        groups = range(first // self._group_outputs, (last - 1) // self._group_outputs + 1)
        classes: Counter[tuple[int, bool]] = Counter()
        for group in groups:
            group_start = group * self._group_outputs
            reached = min(last, group_start + self._group_outputs) - max(first, group_start)
            classes[reached, reached == stop - start] += self._group_inputs
        ordered = tuple((reached, whole, count) for (reached, whole), count in sorted(classes.items()))
        return ChannelReach(len(groups) * self._group_inputs, ordered)

    def incidence(self, size: int) -> NDArray[np.bool_]:
        """Which source channels each block of `size` target channels reads; (blocks, source channels)."""
        reads = np.zeros((-(-self._target_size // size), self._source_size), dtype=np.bool_)
        for group in range(self._groups):
            source = self._first_source + group * self._group_inputs
            target = self._first_target + group * self._group_outputs
            blocks = slice(target // size, (target + self._group_outputs - 1) // size + 1)
            reads[blocks, source : source + self._group_inputs] = True
        return reads


class ProjectionReach:
    """The three axes of one connectivity."""

    def __init__(self, connectivity: Connectivity) -> None:
        self.channels = ChannelAxis(connectivity)
        self.rows = SpatialAxis(connectivity.rows, connectivity.source_shape[1])
        self.columns = SpatialAxis(connectivity.columns, connectivity.source_shape[2])
