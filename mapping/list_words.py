"""Synapse memory of one tile and projection, from the run lengths of its synapse lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from hw_profiles.profile import SynapseLists
from mapping.axis_reach import ChannelReach, Levels, SpatialReach


@dataclass(frozen=True)
class Words:
    """Synapse memory of the lists of one tile and projection.

    Attributes
    ----------
    total : int
        Words of all lists.
    longest : int
        Words of the longest list.
    """

    total: int
    longest: int


@dataclass(frozen=True)
class EntryFormat:
    """How the synapses of one projection are packed.

    Attributes
    ----------
    synapse_bits : int
        Weight and delay of one synapse.
    prefix_bits, synapses_per_entry : int
        Of a dense entry.
    word_bits, spare_bits : int
        Of a word of the synapse memory; bits that must stay free in the last word of a list.
    """

    synapse_bits: int
    prefix_bits: int
    synapses_per_entry: int
    word_bits: int
    spare_bits: int

    @classmethod
    def of(cls, lists: SynapseLists, weight_bits: int, delay: int) -> EntryFormat:
        """Format of a projection with these weights and this delay."""
        return cls(
            synapse_bits=weight_bits + delay.bit_length(),
            prefix_bits=lists.entry_prefix_bits.value,
            synapses_per_entry=lists.synapses_per_entry.value,
            word_bits=lists.word_bits.value,
            spare_bits=lists.list_spare_bits.value,
        )

    def list_words(self, runs: list[tuple[int, int]]) -> int:
        """Words of one list, given as (length, how many runs of that length)."""
        bits = rounded = 0
        for length, count in runs:
            full, rest = divmod(length, self.synapses_per_entry)
            for entries, synapses in ((full, self.synapses_per_entry), (1 if rest else 0, rest)):
                entry_bits = self.prefix_bits + synapses * self.synapse_bits
                bits += count * entries * entry_bits
                rounded += count * entries * -(-entry_bits // self.word_bits)
        packed = -(-bits // self.word_bits)
        if -bits % self.word_bits < self.spare_bits:
            packed += 1
        return max(packed, rounded)


@dataclass(frozen=True)
class WordCounter:
    """Counts the words of tiles of one projection; remembers what it counted.

    Attributes
    ----------
    entry_format : EntryFormat
    """

    entry_format: EntryFormat
    _lists: dict[tuple[Levels, Levels, int, bool, int, int], int] = field(default_factory=dict)
    _tiles: dict[tuple[SpatialReach, SpatialReach, ChannelReach, int, int], Words] = field(default_factory=dict)

    def tile_words(
        self, rows: SpatialReach, columns: SpatialReach, channels: ChannelReach, shape: tuple[int, int, int]
    ) -> Words:
        """Words of the lists of a tile of `shape` that reads its source in this way."""
        key = (rows, columns, channels, shape[0], shape[2])
        if key not in self._tiles:
            total = longest = 0
            for row_levels, row_count in rows.patterns:
                for column_levels, column_count in columns.patterns:
                    for reached, whole, channel_count in channels.classes:
                        words = self._list_words(row_levels, column_levels, reached, whole, shape[0], shape[2])
                        total += words * row_count * column_count * channel_count
                        longest = max(longest, words)
            self._tiles[key] = Words(total, longest)
        return self._tiles[key]

    def _list_words(
        self, rows: Levels, columns: Levels, reached: int, whole: bool, tile_channels: int, tile_columns: int
    ) -> int:
        key = (rows, columns, reached, whole, tile_channels, tile_columns)
        if key not in self._lists:
            runs: list[tuple[int, int]] = []
            for row_level in rows:
                for column_level in columns:
                    if whole:
                        lengths = _position_runs(row_level, column_level, tile_columns)
                        runs += [(length * tile_channels, 1) for length in lengths]
                    else:
                        runs.append((reached, len(row_level) * len(column_level)))
            self._lists[key] = self.entry_format.list_words(runs)
        return self._lists[key]


def _position_runs(rows: tuple[int, ...], columns: tuple[int, ...], tile_columns: int) -> list[int]:
    """Lengths of the runs of consecutive ``row * tile_columns + column``; a run may go on in the next row."""
    lengths: list[int] = []
    following = None
    for row in rows:
        for column in columns:
            position = row * tile_columns + column
            if position == following:
                lengths[-1] += 1
            else:
                lengths.append(1)
            following = position + 1
    return lengths
