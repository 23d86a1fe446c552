"""How the axons that a population drives are shared between its own columns and relays: the ways there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mapping.crossbar_reads import ProjectionReads
from mapping.crossbar_relays import Box, Part, cut_projection
from mapping.regular_tiling import Size
from mapping.tiles import Interval

IntArray = NDArray[np.int64]

MOST_SUBSETS = 4
"""Most projections of which every choice is tried; beyond, all, each one, and all but each one."""


@dataclass(frozen=True)
class Demand:
    """Axons that the neurons of a population drive in the tiles of a part of a projection.

    Attributes
    ----------
    part : Part
    axons : int64 array, the population's shape
    """

    part: Part
    axons: IntArray


def demands_of(reads: ProjectionReads, size: Size, most: int) -> list[Demand]:
    """What a projection asks of its source, in parts of which each neuron of a relay can drive all axons.

    Parameters
    ----------
    reads : ProjectionReads
    size : (int, int, int)
        Of the tiles of its target.
    most : int
        Columns of a core; no fewer than one input drives axons in a core.

    Returns
    -------
    list of Demand
        A single one where the whole projection asks for no more; parts that drive no axons are left out. Parts end
        where tiles do.
    """
    projection = reads.projection
    whole = Part.whole(projection)
    driven = reads.driven(size)
    if driven.max(initial=0) <= most:
        return [Demand(whole, driven)] if driven.any() else []
    found = []
    for box in _boxes(reads, size, most // reads.axons_per_input):
        axons = np.zeros_like(driven)
        for _, piece in cut_projection(projection, box):
            axons += ProjectionReads(piece).driven(size)
        if axons.any():
            found.append(Demand(Part(projection.name, box), axons))
    return found


def groupings(demands: Sequence[Demand], most: int) -> Iterator[list[list[Demand]]]:
    """Which demands are met by relays, and which of them by one; the others are left to the population itself."""
    names = sorted({demand.part.projection for demand in demands})
    if len(names) <= MOST_SUBSETS:
        subsets = [set(some) for count in range(len(names) + 1) for some in combinations(names, count)]
    else:
        subsets = [set(), set(names), *({name} for name in names), *(set(names) - {name} for name in names)]
    for subset in subsets:
        relayed = [demand for demand in demands if demand.part.projection in subset]
        shared = shared_relays(relayed, most)
        yield shared
        if len(shared) < len(relayed):
            yield [[demand] for demand in relayed]


def shared_relays(demands: Sequence[Demand], most: int) -> list[list[Demand]]:
    """Few relays for these demands: each takes what no neuron of it needs more columns for than a core has."""
    found: list[list[Demand]] = []
    sums: list[IntArray] = []
    for demand in sorted(demands, key=lambda one: -int(one.axons.max(initial=0))):
        for number, total in enumerate(sums):
            if (total + demand.axons).max() <= most:
                found[number].append(demand)
                sums[number] = total + demand.axons
                break
        else:
            found.append([demand])
            sums.append(demand.axons)
    return found


def left_to_population(demands: Sequence[Demand], relayed: Sequence[Sequence[Demand]], shape: Size) -> IntArray:
    """Axons that the neurons still drive themselves, those of the relays not counted."""
    gone = {demand.part for group in relayed for demand in group}
    axons = np.zeros(shape, dtype=np.int64)
    for demand in demands:
        if demand.part not in gone:
            axons += demand.axons
    return axons


def total_of(group: Sequence[Demand]) -> IntArray:
    """Axons of some demands together."""
    total: IntArray = np.sum([demand.axons for demand in group], axis=0)
    return total


def in_relay(group: Sequence[Demand]) -> IntArray:
    """1 for the neurons that a relay for these demands reads: the smallest box of all that drive axons."""
    inside = np.zeros_like(group[0].axons)
    places = np.nonzero(total_of(group))
    inside[tuple(slice(int(place.min()), int(place.max()) + 1) for place in places)] = 1
    return inside


def _boxes(reads: ProjectionReads, size: Size, most: int) -> Iterator[Box]:
    """Boxes of whole tiles in which at most so many read one source: cut along channels, then rows, then columns."""
    shape = reads.projection.connectivity.target_shape
    readers = [int(reads.readers(axis, size[axis]).max(initial=0)) for axis in range(3)]
    room = [max(most // (readers[1] * readers[2]), 1), max(most // readers[2], 1), most]
    spans = [(0, shape[0]), (0, shape[1]), (0, shape[2])]
    by_axis = [_ranges(reads.incidence(axis, size[axis]), room[axis], size[axis], shape[axis]) for axis in range(3)]
    rows = by_axis[1] if readers[1] * readers[2] > most else [spans[1]]
    columns = by_axis[2] if readers[2] > most else [spans[2]]
    for channels in by_axis[0]:
        for of_rows in rows:
            for of_columns in columns:
                yield channels, of_rows, of_columns


def _ranges(incidence: NDArray[np.bool_], most: int, size: int, whole: int) -> list[Interval]:
    """Ranges of targets, ends of blocks, in each of which at most `most` blocks read one source."""
    found, start = [], 0
    reading = np.zeros(incidence.shape[1], dtype=np.int64)
    for block, reads in enumerate(incidence):
        if (reading + reads).max(initial=0) > most:
            found.append((start * size, block * size))
            start, reading = block, np.zeros_like(reading)
        reading = reading + reads
    return [*found, (start * size, whole)]
