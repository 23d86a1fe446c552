"""The fewest sources along an axis that any so many targets read together, and straight lines below that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.crossbar_reads import ProjectionReads

IntArray = NDArray[np.int64]


def fewest_sources(reads: ProjectionReads, axis: int, targets: IntArray) -> IntArray:
    """Fewest sources that 1, 2, ... of some targets read together, whichever they are, or a lower bound of it.

    It is exact for channels, and for rows and columns where each target reads a range and both ends of these never fall
    from one target to the next: all convolutions and poolings without dilation.

    Parameters
    ----------
    reads : ProjectionReads
    axis : int
        0 for channels, 1 for rows, 2 for columns.
    targets : int64 array
        Ascending.

    Returns
    -------
    int64 array, (targets,)
    """
    if axis == 0:
        return _fewest_channels(reads.projection.connectivity, targets)
    incidence = reads.incidence(axis, 1)[targets]
    counts = incidence.sum(axis=1, dtype=np.int64)
    if not counts.all():
        return _any_sets(incidence)
    first = incidence.argmax(axis=1)
    last = incidence.shape[1] - incidence[:, ::-1].argmax(axis=1)
    ranges = (last - first == counts).all() and (np.diff(first) >= 0).all() and (np.diff(last) >= 0).all()
    return _ranges(first, last) if ranges else _any_sets(incidence)


def lower_lines(fewest: IntArray) -> list[tuple[float, float]]:
    """Slopes and offsets, neither negative, of lines that are nowhere above ``fewest[m - 1]`` at m = 1, 2, ..."""
    counts = np.arange(1, len(fewest) + 1)
    lines = [(0.0, float(fewest.min())), (float((fewest / counts).min()), 0.0)]
    place = 0
    while place + 1 < len(fewest):
        slopes = (fewest[place + 1 :] - fewest[place]) / np.arange(1, len(fewest) - place)
        slope = float(slopes.min())
        offset = float(fewest[place]) - slope * (place + 1)
        if offset >= 0 and slope >= 0:
            lines.append((slope, offset))
        place += 1 + int(np.flatnonzero(slopes == slopes.min())[-1])
    return lines


def _fewest_channels(table: Connectivity, targets: IntArray) -> IntArray:
    """Targets outside the projection's range are taken first, then groups from the fullest on."""
    start, stop = table.target_channels
    inputs, outputs = table.in_channels // table.groups, table.out_channels // table.groups
    inside = targets[(targets >= start) & (targets < stop)] - start
    sizes = np.sort(np.bincount(inside // outputs))[::-1]
    groups = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    return np.concatenate([np.zeros(len(targets) - len(inside), dtype=np.int64), groups * inputs])


def _any_sets(incidence: NDArray[np.bool_]) -> IntArray:
    """No source is read by more targets than one that most read, nor by more than there are."""
    counts = np.sort(incidence.sum(axis=1, dtype=np.int64))
    sharing = np.minimum(np.arange(1, len(counts) + 1), max(int(incidence.sum(axis=0).max()), 1))
    fewest: IntArray = np.maximum.accumulate(np.maximum(-(-counts.cumsum() // sharing), counts[0]))
    return fewest


def _ranges(first: IntArray, last: IntArray) -> IntArray:
    """Fewest numbers in the union of any 1, 2, ... of some ranges, by the last range that is taken."""
    lengths = last - first
    added = last[None, :] - np.maximum(first[None, :], last[:, None])
    added = np.where(np.triu(np.ones(added.shape, dtype=np.bool_), 1), added, np.iinfo(np.int64).max // 4)
    ending = lengths
    fewest = [int(ending.min())]
    for _ in range(1, len(lengths)):
        ending = np.minimum((ending[:, None] + added).min(axis=0), np.iinfo(np.int64).max // 4)
        fewest.append(int(ending.min()))
    return np.array(fewest, dtype=np.int64)
