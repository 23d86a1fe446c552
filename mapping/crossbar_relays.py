"""Relays: populations that repeat the spikes of another, so that their columns drive what its own cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, Population, Projection, build_graph
from mapping.tiles import Interval

Box = tuple[Interval, Interval, Interval]


@dataclass(frozen=True)
class Part:
    """The synapses of a projection into a box of its target.

    Attributes
    ----------
    projection : str
    box : ((int, int), (int, int), (int, int))
        Half-open ranges of target channels, rows and columns.
    """

    projection: str
    box: Box

    @classmethod
    def whole(cls, projection: Projection) -> Part:
        """All synapses of a projection."""
        channels, rows, columns = projection.connectivity.target_shape
        return cls(projection.name, ((0, channels), (0, rows), (0, columns)))


@dataclass(frozen=True)
class Relay:
    """A population that repeats what some projections read of a source.

    Attributes
    ----------
    name : str
        Of the new population.
    source : str
    parts : tuple of Part
        What reads the relay in place of the source.
    """

    name: str
    source: str
    parts: tuple[Part, ...]


def with_relays(network: ChipNetwork, relays: Sequence[Relay]) -> ChipNetwork:
    """Put relays into a network.

    Every relay takes one step: `start_step` and `delay` are to be set anew (`mapping.crossbar_schedule`).

    Parameters
    ----------
    network : ChipNetwork
    relays : sequence of Relay
        Their parts do not overlap, and cover all synapses of every projection that they name.

    Returns
    -------
    ChipNetwork
        The neurons of a relay are those in the smallest box that holds all that its parts read; one whose parts hold no
        synapses is left out.
    """
    after: dict[str, list[Population]] = {}
    replaced: dict[str, list[Projection]] = {}
    added: list[Projection] = []
    projections = {projection.name: projection for projection in network.projections}
    for relay in relays:
        pieces = [piece for part in relay.parts for piece in cut_projection(projections[part.projection], part.box)]
        if not pieces:
            continue
        first, last = _box_read([piece.connectivity for _, piece in pieces])
        source = network.population(relay.source)
        population = relay_population(relay.name, source, first, last)
        after.setdefault(relay.source, []).append(population)
        added.append(_into_relay(source, population, first))
        for name, piece in pieces:
            moved = _moved(piece.connectivity, population.shape, first)
            replaced.setdefault(name, []).append(replace(piece, source=relay.name, connectivity=moved))
    populations = [one for before in network.populations for one in (before, *after.get(before.name, []))]
    kept = [
        piece
        for projection in network.projections
        for piece in _named(projection, replaced.get(projection.name, [projection]))
    ]
    return replace(network, graph=build_graph(populations, added + kept))


def relay_population(name: str, source: Population, first: Sequence[int], last: Sequence[int]) -> Population:
    """Neurons that send a spike for each that they get, for a box of those of a source."""
    shape = (last[0] - first[0], last[1] - first[1], last[2] - first[2])
    channels = shape[0]
    zeros = np.zeros((channels, 1, 1), dtype=np.int64)
    types = 1 if source.type_weights is None else source.type_weights.shape[1]
    return Population(
        name=name,
        shape=shape,
        reset="subtract",
        threshold=np.ones(channels, dtype=np.int64),
        negative_threshold=None,
        bias_mantissa=zeros,
        bias_exponent=zeros,
        initial_potential=np.zeros(channels, dtype=np.int64),
        start_step=source.start_step + 1,
        scale=source.scale[first[0] : last[0]],
        type_weights=np.eye(1, types, dtype=np.int64).repeat(channels, axis=0),
    )


def cut_projection(projection: Projection, box: Box) -> list[tuple[str, Projection]]:
    """The part of a projection into a box of its target; several where it takes whole groups and pieces of others."""
    table = projection.connectivity
    first = table.target_channels[0]
    outputs, inputs = table.out_channels // table.groups, table.in_channels // table.groups
    start, stop = max(box[0][0], first) - first, min(box[0][1], table.target_channels[1]) - first
    found = []
    for low, high in _by_groups(start, stop, outputs):
        groups = max((high - low) // outputs, 1)
        source = table.source_channels[0] + low // outputs * inputs
        cut = replace(
            table,
            rows=_inside(table.rows, box[1]),
            columns=_inside(table.columns, box[2]),
            source_channels=(source, source + groups * inputs),
            target_channels=(first + low, first + high),
            groups=groups,
        )
        found.append((projection.name, replace(projection, connectivity=cut, weights=projection.weights[low:high])))
    return found


def _by_groups(start: int, stop: int, outputs: int) -> list[Interval]:
    """A range of channels, cut so that each piece has whole groups only or lies inside one."""
    if start >= stop:
        return []
    inner_start, inner_stop = -(-start // outputs) * outputs, stop // outputs * outputs
    if inner_start > inner_stop:
        return [(start, stop)]
    pieces = [(start, inner_start), (inner_start, inner_stop), (inner_stop, stop)]
    return [(low, high) for low, high in pieces if low < high]


def _inside(table: NDArray[np.int32], span: Interval) -> NDArray[np.int32]:
    """An index table in which only the targets of a range have taps."""
    if span == (0, len(table)):
        return table
    cut = np.full_like(table, -1)
    cut[slice(*span)] = table[slice(*span)]
    return cut


def _box_read(tables: Sequence[Connectivity]) -> tuple[list[int], list[int]]:
    """First and last corner of the smallest box that holds all source neurons read."""
    channels = [one.source_channels for one in tables]
    rows = np.concatenate([one.rows[one.rows >= 0] for one in tables])
    columns = np.concatenate([one.columns[one.columns >= 0] for one in tables])
    first = [min(start for start, _ in channels), int(rows.min(initial=2**31 - 1)), int(columns.min(initial=2**31 - 1))]
    last = [max(stop for _, stop in channels), int(rows.max(initial=-1)) + 1, int(columns.max(initial=-1)) + 1]
    for axis in (1, 2):
        if last[axis] == 0:
            first[axis], last[axis] = 0, 1
    return first, last


def _into_relay(source: Population, relay: Population, first: Sequence[int]) -> Projection:
    channels, rows, columns = relay.shape
    connectivity = Connectivity(
        source_shape=source.shape,
        target_shape=relay.shape,
        rows=np.arange(first[1], first[1] + rows, dtype=np.int32)[:, None],
        columns=np.arange(first[2], first[2] + columns, dtype=np.int32)[:, None],
        source_channels=(first[0], first[0] + channels),
        target_channels=(0, channels),
        groups=channels,
    )
    weights = np.ones(connectivity.weight_shape, dtype=np.int32)
    return Projection(
        f"{source.name}-{relay.name}", source.name, relay.name, connectivity, weights, 0, 2, "excitatory", 0, (0,)
    )


def _moved(table: Connectivity, shape: tuple[int, int, int], first: Sequence[int]) -> Connectivity:
    """The same connectivity, reading a relay of this shape whose first neuron was at `first`."""
    start, stop = table.source_channels
    return replace(
        table,
        source_shape=shape,
        rows=np.where(table.rows >= 0, table.rows - first[1], -1).astype(np.int32),
        columns=np.where(table.columns >= 0, table.columns - first[2], -1).astype(np.int32),
        source_channels=(start - first[0], stop - first[0]),
    )


def _named(projection: Projection, pieces: Sequence[Projection]) -> list[Projection]:
    """Pieces of a projection under names of their own; a single one keeps its name."""
    if len(pieces) == 1:
        return list(pieces)
    return [replace(piece, name=f"{projection.name}.{number}") for number, piece in enumerate(pieces, start=1)]
