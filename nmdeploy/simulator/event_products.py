"""Synaptic input event by event: each spike adds its weights to its targets, so that the time goes with the spikes.

Any connectivity is taken. The targets of a source neuron are found by its row and its column; along the columns of an
ordinary convolution they lie side by side in memory, and so do the weights, which is what makes it fast.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity

WORD_BYTES = 8
IndexArray = NDArray[np.int64]


class EventProduct:
    """The linear map of one projection in membrane units: ``product(spikes) << shift``.

    Parameters
    ----------
    connectivity : Connectivity
    delivered : int64 array, `connectivity.weight_shape`
        Weights in membrane units; their sums are exact in `dtype`.
    dtype : float32 or float64
    """

    def __init__(
        self, connectivity: Connectivity, delivered: NDArray[np.int64], dtype: type[np.float32] | type[np.float64]
    ) -> None:
        self._connectivity = connectivity
        out, inner, k_rows, k_columns = delivered.shape
        groups = connectivity.groups
        # (in channel, tap row, tap column, out channel of the group), taps from last to first
        by_group = delivered.reshape(groups, out // groups, inner, k_rows, k_columns)[..., ::-1, ::-1]
        self._weights = np.ascontiguousarray(
            by_group.transpose(0, 2, 3, 4, 1).reshape(connectivity.in_channels, k_rows, -1), dtype=dtype
        )
        self._rows = _readers(connectivity.rows, connectivity.source_shape[1], side_by_side=False)
        self._columns = _readers(connectivity.columns, connectivity.source_shape[2], side_by_side=groups == 1)

    def __call__(self, spikes: NDArray[np.int8]) -> NDArray[Any]:
        """Apply to a batch.

        Parameters
        ----------
        spikes : int8 array, (samples, source rows, source columns, source channels)
            -1, 0 or 1.

        Returns
        -------
        float array, (samples, target rows, target columns, out channels)
        """
        table = self._connectivity
        first, last = table.source_channels
        samples, (_, rows, columns) = len(spikes), table.target_shape
        read = np.ascontiguousarray(spikes[..., first:last]).reshape(samples, -1)
        words = read.view(np.uint64) if read.shape[1] % WORD_BYTES == 0 else np.empty((samples, 0), dtype=np.uint64)
        sums = np.empty((samples, rows * columns * table.out_channels), dtype=self._weights.dtype)
        sizes = (table.source_shape[2], table.in_channels, columns, table.out_channels, table.groups)
        _scatter(read, words, sizes, *self._rows[:3], *self._columns, self._weights, sums)
        return sums.reshape(samples, rows, columns, table.out_channels)


def _readers(
    table: NDArray[np.int32], source_size: int, *, side_by_side: bool
) -> tuple[IndexArray, IndexArray, IndexArray, IndexArray]:
    """Who reads each source index of an index table, as runs.

    Returns
    -------
    starts : int64 array, (source_size + 1,)
        Runs of source index i are ``starts[i]:starts[i + 1]`` of the others.
    targets, taps, lengths : int64 arrays, (runs,)
        First target of a run and the tap with which it reads, taps counted from last to first, so that the next
        target of the run has the next tap. All lengths are 1 unless `side_by_side`.
    """
    targets_read, taps_read = np.nonzero(table >= 0)
    taps_from_last = table.shape[1] - 1 - taps_read
    sources = table[targets_read, taps_read]
    order = np.lexsort((taps_from_last, targets_read, sources))
    starts = [0] * (source_size + 1)
    targets: list[int] = []
    taps: list[int] = []
    lengths: list[int] = []
    previous = (-1, -1, -1)
    for source, target, tap in zip(sources[order], targets_read[order], taps_from_last[order], strict=True):
        if side_by_side and previous == (source, target - 1, tap - 1):
            lengths[-1] += 1
        else:
            targets.append(target)
            taps.append(tap)
            lengths.append(1)
            starts[source + 1] += 1
        previous = (source, target, tap)
    return (
        np.cumsum(starts, dtype=np.int64),
        np.array(targets, dtype=np.int64),
        np.array(taps, dtype=np.int64),
        np.array(lengths, dtype=np.int64),
    )


@numba.njit(nogil=True, cache=True, error_model="numpy", boundscheck=False)
def _find(spikes: NDArray[np.int8], words: NDArray[np.uint64], found: IndexArray) -> int:
    """Write the neurons that spike to `found`, and give their number; `words` are the spikes by eights, or nothing."""
    count = 0
    for word in range(len(words)):
        if words[word] != 0:
            for neuron in range(word * WORD_BYTES, (word + 1) * WORD_BYTES):
                found[count] = neuron
                count += spikes[neuron] != 0
    for neuron in range(len(words) * WORD_BYTES, len(spikes)):
        found[count] = neuron
        count += spikes[neuron] != 0
    return count


@numba.njit(inline="always")
def _add(total: NDArray[Any], weights: NDArray[Any], spike: int) -> None:
    if spike == 1:
        for n in range(len(total)):
            total[n] += weights[n]
    else:
        for n in range(len(total)):
            total[n] -= weights[n]


@numba.njit(nogil=True, cache=True, error_model="numpy", boundscheck=False)
def _scatter(
    spikes: NDArray[np.int8],
    words: NDArray[np.uint64],
    sizes: tuple[int, int, int, int, int],
    row_starts: IndexArray,
    row_targets: IndexArray,
    row_taps: IndexArray,
    column_starts: IndexArray,
    column_targets: IndexArray,
    column_taps: IndexArray,
    column_lengths: IndexArray,
    weights: NDArray[Any],
    sums: NDArray[Any],
) -> None:
    """Fill `sums`, (samples, target neurons), from `spikes`, (samples, source neurons)."""
    columns, channels, target_columns, out_channels, groups = sizes
    block, in_block = out_channels // groups, channels // groups
    found = np.empty(spikes.shape[1], dtype=np.int64)
    for sample in range(len(spikes)):
        total = sums[sample]
        total[:] = 0
        for index in range(_find(spikes[sample], words[sample], found)):
            neuron = found[index]
            spike = spikes[sample, neuron]
            place = neuron // channels
            channel = neuron - place * channels
            row = place // columns
            column = place - row * columns
            for along in range(row_starts[row], row_starts[row + 1]):
                of_tap = weights[channel, row_taps[along]]
                first = row_targets[along] * target_columns * out_channels + channel // in_block * block
                for across in range(column_starts[column], column_starts[column + 1]):
                    start = first + column_targets[across] * out_channels
                    tap = column_taps[across] * block
                    length = column_lengths[across] * block
                    # slices tell the compiler that no index is negative
                    _add(total[start : start + length], of_tap[tap : tap + length], spike)
