"""What each core of a placement holds: its slices of neurons and synapses, and nothing of the other cores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, Projection
from mapping.placement import Placement
from mapping.tiles import Interval, Tile
from nmdeploy.errors import BackendError

Box = tuple[slice, slice, slice]
"""Rows, columns and channels of an array (batch, rows, columns, channels)."""


@dataclass(frozen=True)
class PlacedTile:
    """A tile on its core.

    Attributes
    ----------
    tile : Tile
    start : int
        Index of its first neuron in the vectors of the core; the others follow in the order of `Tile`.
    """

    tile: Tile
    start: int

    def view(self, vectors: NDArray[Any]) -> NDArray[Any]:
        """The tile's part of a core's vectors (batch, neurons), as (batch, rows, columns, channels)."""
        channels, rows, columns = self.tile.shape
        part = vectors[:, self.start : self.start + self.tile.neuron_count]
        return part.reshape(len(vectors), rows, columns, channels)


@dataclass(frozen=True)
class Delivery:
    """Spikes that one core sends to the synapses of another.

    Attributes
    ----------
    core : int
        The sender.
    tile : PlacedTile
        Of the sender.
    taken : Box
        The neurons that are read, within that tile.
    place : Box
        Where these stand in the box of source neurons of the synapses.
    """

    core: int
    tile: PlacedTile
    taken: Box
    place: Box


@dataclass(frozen=True)
class SynapseSlice:
    """The synapses of one projection into one tile, or into the channels of one tile that share whole groups.

    Attributes
    ----------
    connectivity : Connectivity
        From the smallest box of source neurons that holds all that is read, to the tile.
    weights : int32 array, `connectivity.weight_shape`
    shift : int
        Left shift from a sum of weights to membrane units.
    delay : int
        Extra steps.
    target : PlacedTile
    deliveries : tuple of Delivery
    """

    connectivity: Connectivity
    weights: NDArray[np.int32]
    shift: int
    delay: int
    target: PlacedTile
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True)
class CoreContent:
    """All that one core holds.

    Attributes
    ----------
    tiles : tuple of PlacedTile
    synapses : tuple of SynapseSlice
    """

    tiles: tuple[PlacedTile, ...]
    synapses: tuple[SynapseSlice, ...]

    @property
    def neuron_count(self) -> int:
        """Number of neurons."""
        return sum(placed.tile.neuron_count for placed in self.tiles)

    @property
    def senders(self) -> list[int]:
        """Numbers of the cores whose spikes it receives, itself among them if it sends to itself; sorted."""
        return sorted({delivery.core for synapses in self.synapses for delivery in synapses.deliveries})


def core_contents(network: ChipNetwork, placement: Placement) -> list[CoreContent]:
    """Cut the network along a placement.

    Returns
    -------
    list of CoreContent
        In the order of ``placement.cores``; a core's number is its index here.

    Raises
    ------
    BackendError
        The placement does not hold every neuron of the network exactly once.
    """
    _require_every_neuron_once(network, placement)
    tiles = [_placed(core.tiles) for core in placement.cores]
    by_population: dict[str, list[tuple[int, PlacedTile]]] = {}
    for core, of_core in enumerate(tiles):
        for placed in of_core:
            by_population.setdefault(placed.tile.population, []).append((core, placed))
    return [
        CoreContent(
            of_core,
            tuple(
                synapses
                for placed in of_core
                for projection in network.incoming(placed.tile.population)
                for synapses in _slices(
                    projection, network.shift(projection), placed, by_population[projection.source]
                )
            ),
        )
        for of_core in tiles
    ]


def _require_every_neuron_once(network: ChipNetwork, placement: Placement) -> None:
    held = {population.name: np.zeros(population.shape, dtype=np.int64) for population in network.populations}
    for tile in (tile for core in placement.cores for tile in core.tiles):
        inside = tile.population in held and all(
            0 <= start < stop <= size
            for (start, stop), size in zip(
                (tile.channels, tile.rows, tile.columns), held[tile.population].shape, strict=True
            )
        )
        if not inside:
            raise BackendError(f"the placement's tile {tile} is not in the network; see nmdeploy check")
        held[tile.population][slice(*tile.channels), slice(*tile.rows), slice(*tile.columns)] += 1
    for name, times in held.items():
        if np.any(times != 1):
            wrong = int(np.count_nonzero(times != 1))
            raise BackendError(
                f"{name}: the placement holds {wrong:,} neurons on no core, or on several; see nmdeploy check"
            )


def _placed(tiles: tuple[Tile, ...]) -> tuple[PlacedTile, ...]:
    placed, start = [], 0
    for tile in tiles:
        placed.append(PlacedTile(tile, start))
        start += tile.neuron_count
    return tuple(placed)


def _slices(
    projection: Projection, shift: int, target: PlacedTile, sources: list[tuple[int, PlacedTile]]
) -> Iterator[SynapseSlice]:
    """The synapses of a projection into a tile; none if nothing in the tile is reached."""
    table, tile = projection.connectivity, target.tile
    first = table.target_channels[0]
    start, stop = (max(tile.channels[0], first), min(tile.channels[1], table.target_channels[1]))
    row_taps, column_taps = table.rows[slice(*tile.rows)], table.columns[slice(*tile.columns)]
    row_used, column_used = ((taps >= 0).any(axis=0) for taps in (row_taps, column_taps))
    if start >= stop or not row_used.any() or not column_used.any():
        return
    row_taps, column_taps = row_taps[:, row_used], column_taps[:, column_used]
    rows, columns = _span(row_taps), _span(column_taps)
    for outputs in _whole_groups(start - first, stop - first, table.out_channels // table.groups):
        channels, groups = _inputs(table, outputs)
        weights = projection.weights[slice(*outputs)][:, :, row_used][:, :, :, column_used]
        yield SynapseSlice(
            Connectivity(
                source_shape=(channels[1] - channels[0], rows[1] - rows[0], columns[1] - columns[0]),
                target_shape=tile.shape,
                rows=_from(row_taps, rows[0]),
                columns=_from(column_taps, columns[0]),
                source_channels=(0, channels[1] - channels[0]),
                target_channels=(first + outputs[0] - tile.channels[0], first + outputs[1] - tile.channels[0]),
                groups=groups,
            ),
            np.ascontiguousarray(weights),
            shift,
            projection.delay,
            target,
            tuple(_deliveries(Tile(projection.source, channels, rows, columns), row_taps, column_taps, sources)),
        )


def _whole_groups(start: int, stop: int, per_group: int) -> Iterator[Interval]:
    """Cut a range of output channels so that each part is whole groups or lies in one group."""
    first_whole, end_whole = -(-start // per_group) * per_group, stop // per_group * per_group
    cuts = sorted({start, stop} | {cut for cut in (first_whole, end_whole) if start < cut < stop})
    yield from pairwise(cuts)


def _inputs(table: Connectivity, outputs: Interval) -> tuple[Interval, int]:
    """Source channels that these output channels read, and the number of groups that they are."""
    out_per_group, in_per_group = table.out_channels // table.groups, table.in_channels // table.groups
    first, end = outputs[0] // out_per_group, -(-outputs[1] // out_per_group)
    start = table.source_channels[0]
    return (start + first * in_per_group, start + end * in_per_group), end - first


def _span(taps: NDArray[np.int32]) -> Interval:
    """From the first index that is read to the one after the last."""
    return int(taps[taps >= 0].min()), int(taps.max()) + 1


def _from(taps: NDArray[np.int32], start: int) -> NDArray[np.int32]:
    """The same indices counted from `start`."""
    return np.where(taps < 0, -1, taps - start).astype(np.int32)


def _deliveries(
    box: Tile,
    row_taps: NDArray[np.int32],
    column_taps: NDArray[np.int32],
    sources: list[tuple[int, PlacedTile]],
) -> Iterator[Delivery]:
    """The parts of a box that lie on each core, left out where no synapse reads them."""
    rows_read, columns_read = np.unique(row_taps), np.unique(column_taps)
    for core, placed in sources:
        channels = _common(box.channels, placed.tile.channels)
        rows = _common(box.rows, placed.tile.rows)
        columns = _common(box.columns, placed.tile.columns)
        read = channels[0] < channels[1] and _any_within(rows_read, rows) and _any_within(columns_read, columns)
        if read:
            shared = Tile(box.population, channels, rows, columns)
            yield Delivery(core, placed, _within(shared, placed.tile), _within(shared, box))


def _common(first: Interval, second: Interval) -> Interval:
    return max(first[0], second[0]), min(first[1], second[1])


def _any_within(indices: NDArray[np.int32], interval: Interval) -> bool:
    return bool(np.any((indices >= interval[0]) & (indices < interval[1])))


def _within(part: Tile, whole: Tile) -> Box:
    """The slices of an array of `whole` that hold `part`."""
    rows, columns, channels = (
        slice(inner[0] - outer[0], inner[1] - outer[0])
        for inner, outer in (
            (part.rows, whole.rows),
            (part.columns, whole.columns),
            (part.channels, whole.channels),
        )
    )
    return rows, columns, channels


def route_count(contents: list[CoreContent]) -> int:
    """Pairs of sending and receiving core."""
    return sum(len(content.senders) for content in contents)

