"""Cut the synapses into a population where a single neuron has more inputs than a core has input axons.

The first part stays at the population; the sums of the others are computed by populations of their own, which send
what they summed as spikes. A sum that is sent as spikes is rounded to whole spikes, and limited to one a step: the
split is an approximation, of which the first part is exact. So there are as few parts as possible, all of about the
same size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity

Range = tuple[int, int]


@dataclass(frozen=True)
class Piece:
    """A box of the synapses of one projection.

    Attributes
    ----------
    projection : int
        Which one.
    group : int or None
        The group of channels that the box lies in; None for all groups.
    channels : (int, int)
        Source channels, counted within the group or groups.
    row_taps, column_taps : (int, int)
    """

    projection: int
    group: int | None
    channels: Range
    row_taps: Range
    column_taps: Range

    def connectivity(self, table: Connectivity) -> Connectivity:
        """The part of a projection's connectivity that lies in the box."""
        cut = replace(
            table,
            rows=np.ascontiguousarray(table.rows[:, slice(*self.row_taps)]),
            columns=np.ascontiguousarray(table.columns[:, slice(*self.column_taps)]),
        )
        if self.group is None:
            return cut
        inputs, outputs = table.in_channels // table.groups, table.out_channels // table.groups
        first = table.source_channels[0] + self.group * inputs
        start = table.target_channels[0] + self.group * outputs
        return replace(
            cut,
            source_channels=(first + self.channels[0], first + self.channels[1]),
            target_channels=(start, start + outputs),
            groups=1,
        )

    def weights(self, table: Connectivity, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weights in the box, of all those of the projection."""
        outputs = table.out_channels // table.groups
        targets = slice(None) if self.group is None else slice(self.group * outputs, (self.group + 1) * outputs)
        return weights[targets, slice(*self.channels), slice(*self.row_taps), slice(*self.column_taps)]


def largest_fan_in(tables: list[Connectivity]) -> int:
    """Most source neurons that a single neuron reads, through all projections into its population together."""
    if not tables:
        return 0
    most = np.zeros(tables[0].target_shape, dtype=np.int64)
    for table in tables:
        per_group = table.in_channels // table.groups
        rows, columns = distinct_reads(table.rows), distinct_reads(table.columns)
        most[slice(*table.target_channels)] += per_group * np.multiply.outer(rows, columns)
    return int(most.max())


def fan_in_parts(tables: list[Connectivity], room: int, inputs_per_part: int) -> list[list[Piece]] | None:
    """Cut all synapses into as few parts as possible.

    Parameters
    ----------
    tables : list of Connectivity
        Of the projections into a population.
    room : int
        Most inputs of a neuron.
    inputs_per_part : int
        Inputs that each part after the first gives to the population.

    Returns
    -------
    list of list of Piece, or None
        Each synapse is in one piece. No neuron has more than `room` inputs in a part, those from the other parts
        counted in the first. None where not even single synapses are that few.
    """
    total = sum(_inputs(table) for table in tables)
    for count in range(2, total + 1):
        most = room - (count - 1) * inputs_per_part
        if most < 1:
            break
        if most + (count - 1) * room < total:
            continue
        even = -(-total // count)
        first = min(most, even)
        others = max(even, -(-(total - first) // (count - 1)))
        while True:
            parts = _fill(tables, first, others)
            if len(parts) <= count:
                return parts
            if (first, others) == (most, room):
                break
            # pieces are whole channels or taps, which may leave some of each part unused
            first, others = -(-(first + most) // 2), -(-(others + room) // 2)
    return None


def equal_parts(tables: list[Connectivity], room: int) -> list[list[Piece]] | None:
    """Cut all synapses into as few parts as possible, none of which stays at the population.

    Parameters
    ----------
    tables : list of Connectivity
        Of the projections into a population.
    room : int
        Most inputs of a neuron in a part.

    Returns
    -------
    list of list of Piece, or None
        Each synapse is in one piece. None where not even single synapses are that few.
    """
    total = sum(_inputs(table) for table in tables)
    if room < 1:
        return None
    for count in range(-(-total // room), total + 1):
        most = -(-total // count)
        while True:
            parts = _fill(tables, most, most)
            if len(parts) <= count:
                return parts
            if most == room:
                break
            most = -(-(most + room) // 2)
    return None


def _fill(tables: list[Connectivity], first: int, others: int) -> list[list[Piece]]:
    """One part after the other, each as full as so many inputs allow."""
    parts: list[list[Piece]] = []
    free = 0
    for index, table in enumerate(tables):
        for box, unit in _runs(index, table, min(first, others)):
            start, stop = box.channels if unit.axis == 0 else box.row_taps if unit.axis == 1 else box.column_taps
            while start < stop:
                if free < unit.inputs:
                    free = others if parts else first
                    parts.append([])
                taken = min(stop - start, free // unit.inputs)
                parts[-1] += unit.pieces(box, (start, start + taken), table)
                free -= taken * unit.inputs
                start += taken
    return parts


@dataclass(frozen=True)
class _Unit:
    """The smallest that a box is cut into: slices of thickness 1 along an axis, of so many inputs each."""

    axis: int
    inputs: int

    def pieces(self, box: Piece, span: Range, table: Connectivity) -> list[Piece]:
        if self.axis == 1:
            return [replace(box, row_taps=span)]
        if self.axis == 2:
            return [replace(box, column_taps=span)]
        if box.group is None and span != box.channels:
            return [replace(box, group=group, channels=span) for group in range(table.groups)]
        return [replace(box, channels=span)]


def _runs(index: int, table: Connectivity, largest: int) -> Iterator[tuple[Piece, _Unit]]:
    """Boxes of a projection that are cut along one axis, so that a slice has at most `largest` inputs."""
    per_group = table.in_channels // table.groups
    rows, columns = int(distinct_reads(table.rows).max()), int(distinct_reads(table.columns).max())
    taps = table.rows.shape[1], table.columns.shape[1]
    whole = Piece(index, None, (0, per_group), (0, taps[0]), (0, taps[1]))
    if rows * columns <= largest:
        yield whole, _Unit(0, max(rows * columns, 1))
        return
    every = [whole] if per_group == 1 else [replace(whole, group=group) for group in range(table.groups)]
    for channel in range(per_group):
        for box in every:
            of_channel = replace(box, channels=(channel, channel + 1))
            if columns <= largest:
                yield of_channel, _Unit(1, columns)
                continue
            for tap in range(taps[0]):
                yield replace(of_channel, row_taps=(tap, tap + 1)), _Unit(2, 1)


def _inputs(table: Connectivity) -> int:
    """Most inputs of a neuron through one projection."""
    per_group = table.in_channels // table.groups
    return per_group * int(distinct_reads(table.rows).max()) * int(distinct_reads(table.columns).max())


def distinct_reads(table: NDArray[np.int32]) -> NDArray[np.int64]:
    """How many different places each target reads along one axis."""
    ordered = np.sort(table, axis=1)
    new = np.ones(ordered.shape, dtype=bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    reads: NDArray[np.int64] = (new & (ordered >= 0)).sum(axis=1, dtype=np.int64)
    return reads
