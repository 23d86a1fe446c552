"""What the tiles of the regular tilings of one population need, and the best tiling that fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.axis_reach import ChannelReach, ProjectionReach, SpatialReach
from mapping.list_words import EntryFormat, WordCounter, Words
from mapping.network import Population, Projection
from mapping.neuron_costs import NeuronCosts
from mapping.regular_tiling import Size, Tiling, cut, tile_sizes
from mapping.tile_loads import ADDED, SynapseFormat, TileLoad
from mapping.tiles import LIMIT_NAMES, Demands


def _outer(axes: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Products of all combinations of three vectors."""
    combined: NDArray[np.int64] = np.multiply.outer(np.multiply.outer(axes[0], axes[1]), axes[2])
    return combined


@dataclass(frozen=True)
class TilingObjective:
    """What the tiling of a population shall keep small.

    Attributes
    ----------
    axon_weight : int
        Cores whose output axons the input axons of the tiling would fill if all came from other chips count so many
        times as much as cores of the population itself.
    by_fill : bool
        Of the first `CANDIDATES` legal tilings the one is taken whose tiles fill the smallest part of their cores, each
        by the resource that it takes most of: packing puts other tiles into the rest.
    """

    axon_weight: int
    by_fill: bool


CANDIDATES = 8
"""Legal tilings of a population that are compared by what they fill."""


@dataclass(frozen=True)
class SpatialBlock:
    """What matters of an interval of rows or columns.

    Attributes
    ----------
    length : int
    inputs : tuple of SpatialReach
        For each incoming projection.
    outputs : tuple of int
        For each outgoing projection, sum over the interval of the target intervals reached.
    """

    length: int
    inputs: tuple[SpatialReach, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class ChannelBlock:
    """What matters of an interval of channels; as `SpatialBlock`, and the number of distinct thresholds."""

    length: int
    inputs: tuple[ChannelReach, ...]
    outputs: tuple[int, ...]
    thresholds: int


class IncomingProjection:
    """A projection seen from its target, with all that is remembered about it between tilings."""

    def __init__(self, projection: Projection, profile: HardwareProfile) -> None:
        self.projection = projection
        self.reach = ProjectionReach(projection.connectivity)
        self._sources: dict[int, NDArray[np.int64]] = {}
        lists = profile.synapse_lists
        self._words = (
            None
            if lists is None
            else WordCounter(EntryFormat.of(lists, projection.weight_bits, projection.delay))
        )
        delay_bits = projection.delay.bit_length()
        self.synapse_format: SynapseFormat = (
            projection.weight_bits,
            projection.weight_exponent,
            projection.sign_mode,
            delay_bits,
        )

    def sources_of_cuts(self, axis: int, whole: int) -> NDArray[np.int64]:
        """Sums over the intervals of the sources that each reads, for each of `tile_sizes` of an axis."""
        if axis not in self._sources:
            reach = (self.reach.channels, self.reach.rows, self.reach.columns)[axis].reach
            self._sources[axis] = np.array(
                [sum(reach(*interval).sources for interval in cut(whole, size)) for size in tile_sizes(whole)],
                dtype=np.int64,
            )
        return self._sources[axis]

    def tile_words(self, rows: SpatialReach, columns: SpatialReach, channels: ChannelReach, shape: Size) -> Words:
        """Words of the synapse lists into a tile of `shape`; none on a chip without synapse lists."""
        return Words(0, 0) if self._words is None else self._words.tile_words(rows, columns, channels, shape)


class OutgoingProjection:
    """A projection seen from its source, given how its target is tiled."""

    def __init__(self, reach: ProjectionReach, target: Tiling) -> None:
        channels, rows, columns = target.size
        reads = (
            reach.channels.incidence(channels),
            reach.rows.incidence(rows),
            reach.columns.incidence(columns),
        )
        counts = (per_interval.sum(axis=0) for per_interval in reads)
        self._cumulative = [np.concatenate(([0], np.cumsum(count))).tolist() for count in counts]

    def reached(self, axis: int, start: int, stop: int) -> int:
        """Sum over the sources ``start:stop`` of an axis of the target intervals that read them."""
        cumulative = self._cumulative[axis]
        return int(cumulative[stop] - cumulative[start])


class PopulationTiler:
    """Finds the best tiling of one population for given tilings of its targets.

    Parameters
    ----------
    population : Population
    incoming : list of IncomingProjection
    outgoing : list of OutgoingProjection
    entries_per_target : int
        Output axon entries for each pair of source neuron and target core; 0 on a chip without.
    profile : HardwareProfile
    """

    def __init__(
        self,
        population: Population,
        incoming: list[IncomingProjection],
        outgoing: list[OutgoingProjection],
        entries_per_target: int,
        profile: HardwareProfile,
    ) -> None:
        self.population = population
        self.incoming = incoming
        self._outgoing = outgoing
        self._entries_per_target = entries_per_target
        self._thresholds = programmed_thresholds(population, profile)
        self._costs = NeuronCosts.of(population, [source.projection for source in incoming], profile)
        self._rows, self._memory = profile.synapse_rows, profile.memory_costs
        axons = profile.output_axons
        self._entries_off_chip = (
            0 if axons is None else axons.entries_per_target_core.value + axons.entries_extra_off_chip.value
        )
        limits = ((name, getattr(profile.core_limits, name)) for name in LIMIT_NAMES)
        self.limits = {name: int(limit.value) for name, limit in limits if limit is not None}
        self._spatial_cut = lru_cache(maxsize=None)(self._cut_spatial)
        self._channel_cut = lru_cache(maxsize=None)(self._cut_channels)
        self._configurations = lru_cache(maxsize=None)(self._find_configurations)

    def best(self, objective: TilingObjective) -> Tiling | None:
        """Find the legal tiling that costs least.

        Returns
        -------
        Tiling or None
            Of those of equal cost the one with fewest input axons, then the most compact. None if no tiling is legal.
        """
        legal = filter(self.fits, self._in_order(objective.axon_weight))
        if not objective.by_fill:
            return next(legal, None)
        return min(islice(legal, CANDIDATES), key=self._filled, default=None)

    def _filled(self, tiling: Tiling) -> float:
        """Sum over the tiles of the largest part of a limit that each takes."""
        channels, rows, columns = (
            Counter(self._channel_block(*interval) for interval in tiling.intervals(0)),
            Counter(self._spatial_block(1, *interval) for interval in tiling.intervals(1)),
            Counter(self._spatial_block(2, *interval) for interval in tiling.intervals(2)),
        )
        added = [(name, self.limits[name]) for name in ADDED if name in self.limits]
        filled = 0.0
        for (row, row_times), (column, column_times), (channel, times) in product(
            rows.items(), columns.items(), channels.items()
        ):
            demands = self._demands(channel, row, column)
            largest = max(getattr(demands, name) / limit for name, limit in added)
            filled += times * row_times * column_times * largest
        return filled

    def fewest_axons(self) -> int | None:
        """Input axons that all cores together take in the legal tiling that takes fewest; None if none is legal."""
        axons = self._input_axons()
        best = next(filter(self.fits, self._ordered(axons)), None)
        if best is None:
            return None
        sizes = zip(self.population.shape, best.size, strict=True)
        place = tuple(tile_sizes(whole).index(size) for whole, size in sizes)
        return int(axons[place]) + self._costs.reset_synapses * self.population.neuron_count

    def by_count(self) -> Iterator[Tiling]:
        """Tilings whose neurons alone are not too many for a core, by number of tiles, input axons and compactness."""
        return self._in_order(0)

    def _in_order(self, axon_weight: int) -> Iterator[Tiling]:
        """Tilings whose neurons alone are not too many for a core, by cost, input axons and compactness."""
        shape = self.population.shape
        count = _outer([-(-whole // np.array(tile_sizes(whole), dtype=np.int64)) for whole in shape])
        # without a limit of output axons, the axons of a tiling take none of the cores of others
        entries = self.limits.get("output_axon_entries")
        axons = self._input_axons()
        cost = count if entries is None else count * entries + axon_weight * axons * self._entries_off_chip
        return self._ordered(cost)

    def _input_axons(self) -> NDArray[np.int64]:
        """Input axons of all tilings for other neurons, by the indices of their sizes in `tile_sizes`."""
        shape = self.population.shape
        axons = np.zeros([len(tile_sizes(size)) for size in shape], dtype=np.int64)
        for source in self.incoming:
            axons += _outer([source.sources_of_cuts(axis, shape[axis]) for axis in range(3)])
        return axons

    def _ordered(self, cost: NDArray[np.int64]) -> Iterator[Tiling]:
        """Tilings whose neurons alone are not too many for a core, by a cost, then input axons and compactness."""
        shape = self.population.shape
        sizes = [np.array(tile_sizes(size), dtype=np.int64) for size in shape]
        channels, rows, columns = np.meshgrid(*sizes, indexing="ij")
        roomy = np.flatnonzero(_outer(sizes).ravel() <= self._most_neurons())
        keys = (rows, -channels, rows + columns, self._input_axons(), cost)
        for index in roomy[np.lexsort(tuple(key.ravel()[roomy] for key in keys))].tolist():
            size = (int(channels.flat[index]), int(rows.flat[index]), int(columns.flat[index]))
            yield Tiling(self.population.name, shape, size)

    def _most_neurons(self) -> int:
        """Most neurons of a tile, by what they take whatever their synapses."""
        most = self.population.neuron_count
        if "compartments" in self.limits:
            most = min(most, self.limits["compartments"] // self._costs.compartments)
        if "memory_bytes" in self.limits and self._memory is not None and self._costs.memory_bytes:
            free = self.limits["memory_bytes"] - self._memory.fixed_bytes.value
            most = min(most, free // self._costs.memory_bytes)
        return most

    def smallest(self) -> Tiling:
        """The tiling into single neurons."""
        return Tiling(self.population.name, self.population.shape, (1, 1, 1))

    def tile_kinds(self, tiling: Tiling) -> Iterator[Demands]:
        """Demands of each kind of tile; tiles that look alike are one kind."""
        channel_blocks, row_blocks, column_blocks = self._cuts(tiling)
        for row, column, channel in product(row_blocks, column_blocks, channel_blocks):
            yield self._demands(channel, row, column)

    def tile_loads(self, tiling: Tiling) -> list[TileLoad]:
        """What each tile adds to a core, in the order of ``tiling.tiles()``; equal loads are the same object."""
        channels = [
            (self._channel_block(*interval), self._configurations(*interval)) for interval in tiling.intervals(0)
        ]
        rows = [self._spatial_block(1, *interval) for interval in tiling.intervals(1)]
        columns = [self._spatial_block(2, *interval) for interval in tiling.intervals(2)]
        load = lru_cache(maxsize=None)(self._load)
        return [load(*channel, row, column) for row, column, channel in product(rows, columns, channels)]

    def _find_configurations(self, start: int, stop: int) -> frozenset[tuple[str, int]]:
        return frozenset((self.population.reset, threshold) for threshold in set(self._thresholds[start:stop].tolist()))

    def _load(
        self,
        channel: ChannelBlock,
        configurations: frozenset[tuple[str, int]],
        row: SpatialBlock,
        column: SpatialBlock,
    ) -> TileLoad:
        formats = self._formats(channel, row, column)
        return TileLoad(self._demands(channel, row, column), formats, configurations)

    def _formats(self, channel: ChannelBlock, row: SpatialBlock, column: SpatialBlock) -> frozenset[SynapseFormat]:
        formats: set[SynapseFormat] = {("reset",)} if self._costs.reset_synapses else set()
        for source, channels, rows, columns in zip(
            self.incoming, channel.inputs, row.inputs, column.inputs, strict=True
        ):
            if channels.sources and rows.sources and columns.sources:
                formats.add(source.synapse_format)
        return frozenset(formats)

    def _cuts(
        self, tiling: Tiling
    ) -> tuple[tuple[ChannelBlock, ...], tuple[SpatialBlock, ...], tuple[SpatialBlock, ...]]:
        """The different blocks along channels, rows and columns."""
        channels, rows, columns = tiling.size
        return self._channel_cut(channels), self._spatial_cut(1, rows), self._spatial_cut(2, columns)

    def _cut_spatial(self, axis: int, size: int) -> tuple[SpatialBlock, ...]:
        intervals = cut(self.population.shape[axis], size)
        return tuple(dict.fromkeys(self._spatial_block(axis, *interval) for interval in intervals))

    def _spatial_block(self, axis: int, start: int, stop: int) -> SpatialBlock:
        return SpatialBlock(
            stop - start,
            tuple(
                (source.reach.rows if axis == 1 else source.reach.columns).reach(start, stop)
                for source in self.incoming
            ),
            tuple(target.reached(axis, start, stop) for target in self._outgoing),
        )

    def _cut_channels(self, size: int) -> tuple[ChannelBlock, ...]:
        intervals = cut(self.population.shape[0], size)
        return tuple(dict.fromkeys(self._channel_block(*interval) for interval in intervals))

    def _channel_block(self, start: int, stop: int) -> ChannelBlock:
        return ChannelBlock(
            stop - start,
            tuple(source.reach.channels.reach(start, stop) for source in self.incoming),
            tuple(target.reached(0, start, stop) for target in self._outgoing),
            len(self._configurations(start, stop)),
        )

    def fits(self, tiling: Tiling) -> bool:
        """Whether each tile of a tiling fits a core alone."""
        if self._surely_too_large(tiling):
            return False
        return all(
            getattr(demands, name) <= limit
            for demands in self.tile_kinds(tiling)
            for name, limit in self.limits.items()
        )

    def _surely_too_large(self, tiling: Tiling) -> bool:
        """Whether one projection alone asks too many axons of some tile; looks at no synapse list."""
        channels, rows, columns = self._cuts(tiling)
        for index in range(len(self.incoming) if "input_axons" in self.limits else 0):
            most = 1
            for blocks in (channels, rows, columns):
                most *= max(block.inputs[index].sources for block in blocks)
            if most > self.limits["input_axons"]:
                return True
        for index in range(len(self._outgoing) if "output_axon_entries" in self.limits else 0):
            most = self._entries_per_target
            for blocks in (channels, rows, columns):
                most *= max(block.outputs[index] for block in blocks)
            if most > self.limits["output_axon_entries"]:
                return True
        thresholds = max(block.thresholds for block in channels)
        return thresholds > self.limits.get("threshold_configurations", thresholds)

    def _demands(self, channel: ChannelBlock, row: SpatialBlock, column: SpatialBlock) -> Demands:
        shape = (channel.length, row.length, column.length)
        neurons = shape[0] * shape[1] * shape[2]
        costs = self._costs
        axons = costs.reset_synapses * neurons
        lists = [Words(costs.reset_list_words * costs.reset_synapses * channel.thresholds, costs.reset_list_words)]
        row_bytes = longest_row = 0
        for source, channels, rows, columns in zip(
            self.incoming, channel.inputs, row.inputs, column.inputs, strict=True
        ):
            sources = channels.sources * rows.sources * columns.sources
            if sources:
                axons += sources
                lists.append(source.tile_words(rows, columns, channels, shape))
                if self._rows is not None:
                    synapses = channels.pairs * rows.taps * columns.taps
                    row_bytes += sources * self._rows.header_bytes.value
                    row_bytes += synapses * self._rows.bytes_per_synapse.value
                    longest_row = max(longest_row, channels.most_reached * rows.most_taps * columns.most_taps)
        reached = sum(
            channels_reached * rows_reached * columns_reached
            for channels_reached, rows_reached, columns_reached in zip(
                channel.outputs, row.outputs, column.outputs, strict=True
            )
        )
        total_words = sum(words.total for words in lists)
        memory_bytes = neurons * costs.memory_bytes
        if self._memory is not None:
            memory_bytes += self._memory.fixed_bytes.value + axons * self._memory.bytes_per_input_axon.value
            memory_bytes += total_words * self._memory.bytes_per_synapse_word.value
        return Demands(
            compartments=neurons * costs.compartments,
            input_axons=axons,
            output_axon_entries=reached * self._entries_per_target + neurons * costs.reset_entries,
            synapse_memory_words=total_words,
            words_per_axon_list=max(words.longest for words in lists),
            synapse_formats=len(self._formats(channel, row, column)),
            compartment_configurations=channel.thresholds,
            threshold_configurations=channel.thresholds,
            memory_bytes=memory_bytes,
            synapse_row_bytes=row_bytes,
            synapses_per_row=longest_row,
        )


def programmed_thresholds(population: Population, profile: HardwareProfile) -> NDArray[np.int64]:
    """Threshold that the chip holds for each channel; an accumulator, not to spike, has the largest."""
    if population.reset == "none":
        formats = profile.number_formats
        largest = formats.threshold_mantissa_max.value << formats.threshold_exponent.value
        return np.full(population.shape[0], largest, dtype=np.int64)
    return population.threshold
