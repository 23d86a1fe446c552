"""Count what one core needs from its tiles alone, by listing compartments and taps one core at a time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.network import Population, Projection
from mapping.tiles import Demands, Interval, Tile

Signature = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class PlacedTile:
    """A tile with its population, on the core record of this position in the placement."""

    core: int
    tile: Tile
    population: Population


@dataclass(frozen=True)
class ListSizes:
    """Words of all synapse lists together, and of the longest."""

    total: int
    longest: int


@dataclass(frozen=True)
class RowSizes:
    """Bytes of all synapse rows together, and synapses of the longest."""

    total: int
    longest: int


class CoreRecount:
    """Counts the demands of cores of one network.

    Parameters
    ----------
    projections : list of Projection
        Sound ones.
    profile : HardwareProfile
    """

    def __init__(self, projections: list[Projection], profile: HardwareProfile) -> None:
        self._profile = profile
        self._into: defaultdict[str, list[Projection]] = defaultdict(list)
        for projection in projections:
            self._into[projection.target].append(projection)
        self._masks = {id(projection): ReachMasks(projection) for projection in projections}
        self._list_words: dict[tuple[Signature, Signature, int, int, int, int, int], int] = {}

    def demands(self, on_core: list[PlacedTile], output_entries: int) -> Demands:
        """What a core with these tiles needs; its output axon entries depend on other cores and are given."""
        costs = self._profile.core_costs
        reset_synapses = costs.reset_synapses_per_subtractive_neuron.value
        compartments = axons = words = longest = row_bytes = longest_row = 0
        formats: set[tuple[int | str, ...]] = set()
        configurations: set[tuple[str, int]] = set()
        for placed in on_core:
            tile, population = placed.tile, placed.population
            thresholds = self._thresholds(placed)
            configurations |= {(population.reset, threshold) for threshold in thresholds}
            if population.reset == "subtract":
                compartments += tile.neuron_count * costs.compartments_per_neuron_subtractive_reset.value
                axons += tile.neuron_count * reset_synapses
                if reset_synapses:
                    formats.add(("reset synapse",))
                    size = self._words_of([1], self._profile.number_formats.weight_mantissa_bits.value)
                    words += size * len(thresholds) * reset_synapses
                    longest = max(longest, size)
            else:
                compartments += tile.neuron_count * costs.compartments_per_neuron_zero_reset.value
            for projection in self._into[tile.population]:
                sources = count_sources(self._masks[id(projection)], tile)
                if sources:
                    axons += sources
                    delay_bits = projection.delay.bit_length()
                    formats.add((projection.weight_bits, projection.weight_exponent, projection.sign_mode, delay_bits))
                    sizes = self._lists(projection, tile)
                    words += sizes.total
                    longest = max(longest, sizes.longest)
                    rows = self._rows(projection, tile, sources)
                    row_bytes += rows.total
                    longest_row = max(longest_row, rows.longest)
        return Demands(
            compartments=compartments,
            input_axons=axons,
            output_axon_entries=output_entries,
            synapse_memory_words=words,
            words_per_axon_list=longest,
            synapse_formats=len(formats),
            compartment_configurations=len(configurations),
            threshold_configurations=len({threshold for _, threshold in configurations}),
            memory_bytes=self._memory_bytes(on_core, axons, words),
            synapse_row_bytes=row_bytes,
            synapses_per_row=longest_row,
        )

    def _memory_bytes(self, on_core: list[PlacedTile], axons: int, words: int) -> int:
        """Bytes of the memory beside the core: what is fixed, neurons, input axons and words of synapse memory."""
        memory = self._profile.memory_costs
        if memory is None:
            return 0
        total = memory.fixed_bytes.value + words * memory.bytes_per_synapse_word.value
        total += axons * memory.bytes_per_input_axon.value
        for placed in on_core:
            values = kept_values(placed.population, self._into[placed.tile.population])
            per_neuron = memory.bytes_per_neuron.value + len(values) * memory.bytes_per_value.value
            total += placed.tile.neuron_count * per_neuron
        return total

    def _rows(self, projection: Projection, tile: Tile, sources: int) -> RowSizes:
        """Sizes of the rows of one projection into one tile, from so many source neurons; none on chips without."""
        rows = self._profile.synapse_rows
        if rows is None:
            return RowSizes(0, 0)
        connectivity = projection.connectivity
        synapses = longest = 1
        for table, interval in ((connectivity.rows, tile.rows), (connectivity.columns, tile.columns)):
            read = table[slice(*interval)]
            times = np.bincount(read[read >= 0].ravel())
            synapses *= int(times.sum())
            longest *= int(times.max())
        groups = [len(channels) for channels in channels_by_group(projection, tile)]
        synapses *= sum(groups) * (connectivity.in_channels // connectivity.groups)
        total = sources * rows.header_bytes.value + synapses * rows.bytes_per_synapse.value
        return RowSizes(total, longest * max(groups))

    def _thresholds(self, placed: PlacedTile) -> set[int]:
        if placed.population.reset == "none":
            formats = self._profile.number_formats
            return {formats.threshold_mantissa_max.value * 2**formats.threshold_exponent.value}
        start, stop = placed.tile.channels
        return set(placed.population.threshold[start:stop].tolist())

    def _lists(self, projection: Projection, tile: Tile) -> ListSizes:
        """Sizes of the different synapse lists of one projection into one tile; none on a chip without lists."""
        if self._profile.synapse_lists is None:
            return ListSizes(0, 0)
        connectivity = projection.connectivity
        row_signatures = signatures(connectivity.rows, *tile.rows)
        column_signatures = signatures(connectivity.columns, *tile.columns)
        sources_per_group = connectivity.in_channels // connectivity.groups
        synapse_bits = projection.weight_bits + projection.delay.bit_length()
        total = longest = 0
        for reached in channels_by_group(projection, tile):
            for rows, columns in product(row_signatures, column_signatures):
                key = (rows, columns, reached[0], reached[-1], tile.shape[0], tile.shape[2], synapse_bits)
                if key not in self._list_words:
                    runs = run_lengths(rows, columns, reached, tile.shape[0], tile.shape[2])
                    self._list_words[key] = self._words_of(runs, synapse_bits)
                total += self._list_words[key] * sources_per_group
                longest = max(longest, self._list_words[key])
        return ListSizes(total, longest)

    def _words_of(self, runs: list[int], synapse_bits: int) -> int:
        """Words of one list: the larger of the packed list with its spare bits, and of entries rounded up.

        0 on a chip without synapse lists.
        """
        lists = self._profile.synapse_lists
        if lists is None:
            return 0
        word_bits = lists.word_bits.value
        largest = lists.synapses_per_entry.value
        entries = [min(largest, run - start) for run in runs for start in range(0, run, largest)]
        bits = [lists.entry_prefix_bits.value + count * synapse_bits for count in entries]
        packed, used = divmod(sum(bits), word_bits)
        spare_needed = lists.list_spare_bits.value
        if used:
            packed += 1
        if used == 0 or word_bits - used < spare_needed:
            packed += 1 if spare_needed else 0
        return max(packed, sum((count + word_bits - 1) // word_bits for count in bits))


def kept_values(population: Population, incoming: list[Projection]) -> list[str]:
    """Values that each neuron of a population keeps from step to step, or needs in every step."""
    if population.pool_counts is not None:
        shapes = [projection.weights.shape for projection in incoming]
        taps = max((inputs * rows * columns for _, inputs, rows, columns in shapes), default=0)
        return [f"count of tap {tap}" for tap in range(taps)]
    values = ["potential", "initial potential", "threshold", "bias"]
    if population.negative_threshold is not None:
        values.append("negative threshold")
    if population.count_memory is not None:
        values.append("count of spikes")
        if population.count_memory.slope_mantissa is not None:
            values.append("mantissa of the slope")
    return values


class ReachMasks:
    """Sources of one projection with a synapse into a tile, along each axis; remembers what it found.

    Parameters
    ----------
    projection : Projection
    """

    def __init__(self, projection: Projection) -> None:
        self._connectivity = projection.connectivity
        self._found: dict[tuple[int, Interval], NDArray[np.bool_]] = {}

    def of(self, tile: Tile) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Source channels, rows and columns with a synapse into a tile; a source neuron needs all three."""
        return self._along(0, tile.channels), self._along(1, tile.rows), self._along(2, tile.columns)

    def _along(self, axis: int, interval: Interval) -> NDArray[np.bool_]:
        if (axis, interval) not in self._found:
            self._found[axis, interval] = self._channels(interval) if axis == 0 else self._spatial(axis, interval)
        return self._found[axis, interval]

    def _channels(self, interval: Interval) -> NDArray[np.bool_]:
        connectivity = self._connectivity
        mask = np.zeros(connectivity.source_shape[0], dtype=np.bool_)
        inputs = connectivity.in_channels // connectivity.groups
        outputs = connectivity.out_channels // connectivity.groups
        for channel in range(*interval):
            if connectivity.target_channels[0] <= channel < connectivity.target_channels[1]:
                group = (channel - connectivity.target_channels[0]) // outputs
                first = connectivity.source_channels[0] + group * inputs
                mask[first : first + inputs] = True
        return mask

    def _spatial(self, axis: int, interval: Interval) -> NDArray[np.bool_]:
        table = self._connectivity.rows if axis == 1 else self._connectivity.columns
        mask = np.zeros(self._connectivity.source_shape[axis], dtype=np.bool_)
        mask[[index for taps in table[slice(*interval)] for index in taps if index >= 0]] = True
        return mask


def count_sources(masks: ReachMasks, tile: Tile) -> int:
    """Number of source neurons with a synapse into a tile."""
    channels, rows, columns = masks.of(tile)
    return int(channels.sum()) * int(rows.sum()) * int(columns.sum())


def signatures(table: NDArray[np.int32], start: int, stop: int) -> set[Signature]:
    """Different patterns of (target from the first, tap) in which targets ``start:stop`` read a source."""
    part = table[start:stop]
    found = set()
    for source in np.unique(part[part >= 0]):
        targets, taps = np.nonzero(part == source)
        found.add(tuple(zip((targets - targets[0]).tolist(), taps.tolist(), strict=True)))
    return found


def channels_by_group(projection: Projection, tile: Tile) -> list[list[int]]:
    """Channels of a tile, counted within it, that each group of the projection reaches; ascending."""
    connectivity = projection.connectivity
    outputs = connectivity.out_channels // connectivity.groups
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for channel in range(*tile.channels):
        if connectivity.target_channels[0] <= channel < connectivity.target_channels[1]:
            group = (channel - connectivity.target_channels[0]) // outputs
            groups[group].append(channel - tile.channels[0])
    return list(groups.values())


def run_lengths(
    rows: Signature, columns: Signature, channels: list[int], tile_channels: int, tile_columns: int
) -> list[int]:
    """Lengths of the runs of consecutive compartments that one synapse list visits."""
    visits: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    row_visits, column_visits = number_visits(rows), number_visits(columns)
    for (row, row_visit), (column, column_visit) in product(row_visits, column_visits):
        position = (row * tile_columns + column) * tile_channels
        visits[row_visit, column_visit] += [position + channel for channel in channels]
    lengths: list[int] = []
    for compartments in visits.values():
        ordered = np.sort(np.array(compartments))
        breaks = np.flatnonzero(np.diff(ordered) != 1) + 1
        lengths += [len(run) for run in np.split(ordered, breaks)]
    return lengths


def number_visits(signature: Signature) -> list[tuple[int, int]]:
    """Targets of a signature, each with how many of its earlier taps read the same source."""
    seen: defaultdict[int, int] = defaultdict(int)
    numbered = []
    for target, _ in signature:
        numbered.append((target, seen[target]))
        seen[target] += 1
    return numbered
