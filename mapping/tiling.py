"""Regular tilings of one population: which there are, what their tiles need, and the best that fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.axis_reach import ChannelReach, ProjectionReach, SpatialReach
from mapping.list_words import EntryFormat, WordCounter, Words
from mapping.network import Population, Projection
from mapping.neuron_costs import NeuronCosts
from mapping.tiles import LIMIT_NAMES, Demands, Interval, Tile

Size = tuple[int, int, int]


@dataclass(frozen=True)
class Tiling:
    """A population cut into boxes of one size; boxes at the far ends may be smaller.

    Attributes
    ----------
    population : str
    shape : (int, int, int)
        Channels, rows and columns of the population.
    size : (int, int, int)
        Channels, rows and columns of a box.
    """

    population: str
    shape: Size
    size: Size

    @property
    def grid(self) -> Size:
        """Number of boxes along channels, rows and columns."""
        channels, rows, columns = (-(-whole // part) for whole, part in zip(self.shape, self.size, strict=True))
        return channels, rows, columns

    @property
    def count(self) -> int:
        """Number of boxes."""
        channels, rows, columns = self.grid
        return channels * rows * columns

    def intervals(self, axis: int) -> list[Interval]:
        """Intervals along channels (0), rows (1) or columns (2)."""
        return cut(self.shape[axis], self.size[axis])

    def tiles(self) -> Iterator[Tile]:
        """The boxes; channels vary fastest, then columns, then rows."""
        for rows, columns, channels in product(self.intervals(1), self.intervals(2), self.intervals(0)):
            yield Tile(self.population, channels, rows, columns)


def cut(whole: int, part: int) -> list[Interval]:
    """Intervals of length `part` that cover ``0:whole``; the last may be shorter."""
    return [(start, min(start + part, whole)) for start in range(0, whole, part)]


def tile_sizes(whole: int) -> list[int]:
    """All sizes that cutting `whole` evenly into 1, 2, ... parts gives, without repetition."""
    return sorted({-(-whole // parts) for parts in range(1, whole + 1)})


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


@dataclass(frozen=True)
class AxisCut:
    """One axis cut into intervals of one size.

    Attributes
    ----------
    blocks : tuple of SpatialBlock
        The different ones.
    sources : tuple of int
        For each incoming projection, sum over all intervals of the sources read.
    """

    blocks: tuple[SpatialBlock, ...]
    sources: tuple[int, ...]


@dataclass(frozen=True)
class ChannelCut:
    """The channels cut into intervals of one size; as `AxisCut`."""

    blocks: tuple[ChannelBlock, ...]
    sources: tuple[int, ...]


class IncomingProjection:
    """A projection seen from its target, with all that is remembered about it between tilings."""

    def __init__(self, projection: Projection, profile: HardwareProfile) -> None:
        self.projection = projection
        self.reach = ProjectionReach(projection.connectivity)
        lists = profile.synapse_lists
        self._words = (
            None
            if lists is None
            else WordCounter(EntryFormat.of(lists, projection.weight_bits, projection.delay))
        )
        delay_bits = projection.delay.bit_length()
        self.synapse_format = (
            projection.weight_bits,
            projection.weight_exponent,
            projection.sign_mode,
            delay_bits,
        )

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

    def best(self, axon_weight: int) -> Tiling | None:
        """Find the legal tiling that costs least.

        Parameters
        ----------
        axon_weight : int
            The cost counts the cores of the tiling, and this many times the cores whose output axons its input axons
            would fill if all came from other chips.

        Returns
        -------
        Tiling or None
            Of those of equal cost the one with fewest input axons, then the most compact. None if no tiling is legal.
        """
        shape = self.population.shape
        sizes = product(tile_sizes(shape[0]), tile_sizes(shape[1]), tile_sizes(shape[2]))
        most = self._most_neurons()
        roomy = [Tiling(self.population.name, shape, size) for size in sizes if size[0] * size[1] * size[2] <= most]
        roomy.sort(key=partial(self._preference, axon_weight=axon_weight))
        return next(filter(self._fits, roomy), None)

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
        for row, column, channel in product(row_blocks.blocks, column_blocks.blocks, channel_blocks.blocks):
            yield self._demands(channel, row, column)

    def tile_demands(self, tiling: Tiling) -> list[Demands]:
        """Demands of each tile, in the order of ``tiling.tiles()``."""
        channels = [self._channel_block(*interval) for interval in tiling.intervals(0)]
        rows = [self._spatial_block(1, *interval) for interval in tiling.intervals(1)]
        columns = [self._spatial_block(2, *interval) for interval in tiling.intervals(2)]
        demands = lru_cache(maxsize=None)(self._demands)
        return [demands(channel, row, column) for row, column, channel in product(rows, columns, channels)]

    def _cuts(self, tiling: Tiling) -> tuple[ChannelCut, AxisCut, AxisCut]:
        channels, rows, columns = tiling.size
        return self._channel_cut(channels), self._spatial_cut(1, rows), self._spatial_cut(2, columns)

    def _cut_spatial(self, axis: int, size: int) -> AxisCut:
        blocks = [self._spatial_block(axis, *interval) for interval in cut(self.population.shape[axis], size)]
        return AxisCut(tuple(dict.fromkeys(blocks)), self._total_sources(blocks))

    def _spatial_block(self, axis: int, start: int, stop: int) -> SpatialBlock:
        return SpatialBlock(
            stop - start,
            tuple(
                (source.reach.rows if axis == 1 else source.reach.columns).reach(start, stop)
                for source in self.incoming
            ),
            tuple(target.reached(axis, start, stop) for target in self._outgoing),
        )

    def _cut_channels(self, size: int) -> ChannelCut:
        blocks = [self._channel_block(*interval) for interval in cut(self.population.shape[0], size)]
        return ChannelCut(tuple(dict.fromkeys(blocks)), self._total_sources(blocks))

    def _total_sources(self, blocks: Sequence[SpatialBlock | ChannelBlock]) -> tuple[int, ...]:
        return tuple(sum(block.inputs[index].sources for block in blocks) for index in range(len(self.incoming)))

    def _channel_block(self, start: int, stop: int) -> ChannelBlock:
        return ChannelBlock(
            stop - start,
            tuple(source.reach.channels.reach(start, stop) for source in self.incoming),
            tuple(target.reached(0, start, stop) for target in self._outgoing),
            len(np.unique(self._thresholds[start:stop])),
        )

    def _preference(self, tiling: Tiling, axon_weight: int) -> tuple[int, int, int, int, int]:
        axons = 0
        for index in range(len(self.incoming)):
            of_projection = 1
            for axis in self._cuts(tiling):
                of_projection *= axis.sources[index]
            axons += of_projection
        size = tiling.size
        # without a limit of output axons, the axons of a tiling take none of the cores of others
        entries = self.limits.get("output_axon_entries")
        cost = tiling.count
        if entries is not None:
            cost = cost * entries + axon_weight * axons * self._entries_off_chip
        return cost, axons, size[1] + size[2], -size[0], size[1]

    def _fits(self, tiling: Tiling) -> bool:
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
                most *= max(block.inputs[index].sources for block in blocks.blocks)
            if most > self.limits["input_axons"]:
                return True
        for index in range(len(self._outgoing) if "output_axon_entries" in self.limits else 0):
            most = self._entries_per_target
            for blocks in (channels, rows, columns):
                most *= max(block.outputs[index] for block in blocks.blocks)
            if most > self.limits["output_axon_entries"]:
                return True
        thresholds = max(block.thresholds for block in channels.blocks)
        return thresholds > self.limits.get("threshold_configurations", thresholds)

    def _demands(self, channel: ChannelBlock, row: SpatialBlock, column: SpatialBlock) -> Demands:
        shape = (channel.length, row.length, column.length)
        neurons = shape[0] * shape[1] * shape[2]
        costs = self._costs
        axons = costs.reset_synapses * neurons
        lists = [Words(costs.reset_list_words * costs.reset_synapses * channel.thresholds, costs.reset_list_words)]
        formats: set[tuple[object, ...]] = {("reset",)} if costs.reset_synapses else set()
        row_bytes = longest_row = 0
        for source, channels, rows, columns in zip(
            self.incoming, channel.inputs, row.inputs, column.inputs, strict=True
        ):
            sources = channels.sources * rows.sources * columns.sources
            if sources:
                axons += sources
                formats.add(source.synapse_format)
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
            synapse_formats=len(formats),
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
