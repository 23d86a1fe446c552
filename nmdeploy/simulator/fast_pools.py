"""A maximum over counts as one compiled loop, equal to `nmdeploy.simulator.pool_neurons` spike for spike.

The counts are kept at the source neurons: all synapses that one projection makes from a neuron have brought the same
spikes. So nothing is read out of the digits of a synaptic input, and any base and any number of synapses will do.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity

CountArray = NDArray[np.signedinteger[Any]]


def advance_maximum(
    connectivity: Connectivity,
    train: NDArray[np.int8],
    brought: CountArray,
    spikes: NDArray[np.int8],
    counts: CountArray,
    shifts: NDArray[np.int64],
) -> None:
    """Spikes of a round of steps, of the target channels of one projection.

    Parameters
    ----------
    connectivity : Connectivity
        One channel to one channel.
    train : int8 array, (steps, batch, source rows, source columns, source channels)
        Spikes that arrive.
    brought : integer array, (batch, source rows, source columns, source channels that take part)
        Net spikes that have arrived so far by the weights of their steps, in a type that holds that of the window;
        changed in place.
    spikes : int8 array, (steps, batch, rows, columns, channels)
        Filled in the target channels.
    counts : integer array, (batch, rows, columns, channels)
        Filled with the number of spikes of both signs, in the target channels.
    shifts : int64 array, (steps,)
        The spikes of a step weigh 2 to this (`mapping.step_weights`).
    """
    start, stop = connectivity.target_channels
    _advance(
        connectivity.rows,
        connectivity.columns,
        np.ascontiguousarray(train[..., slice(*connectivity.source_channels)]),
        brought,
        spikes[..., start:stop],
        counts[..., start:stop],
        shifts,
    )


@numba.njit(inline="always")
def _add(total: CountArray, spikes: NDArray[np.int8], shift: int) -> None:
    number = total.dtype.type
    weight = number(1 << shift)
    for n in range(len(total)):
        total[n] += number(spikes[n]) * weight


@numba.njit(inline="always")
def _raise_to(largest: CountArray, other: CountArray) -> None:
    for n in range(len(largest)):
        largest[n] = max(largest[n], other[n])


@numba.njit(nogil=True, cache=True, error_model="numpy", boundscheck=False)
def _find_largest(seen: CountArray, taps: NDArray[np.int32], columns: NDArray[np.int32], largest: CountArray) -> None:
    """Fill `largest`, (columns, channels), from the source rows of the window, (taps, source columns * channels)."""
    absent, channels = np.iinfo(seen.dtype).min, largest.shape[1]
    highest = np.full(seen.shape[1], absent, dtype=seen.dtype)
    for k in range(len(taps)):
        if taps[k] >= 0:
            _raise_to(highest, seen[k])
    largest[:] = absent
    for x in range(len(columns)):
        for column in columns[x]:
            if column >= 0:
                _raise_to(largest[x], highest[column * channels : (column + 1) * channels])


@numba.njit(nogil=True, cache=True, error_model="numpy", boundscheck=False)
def _send(largest: CountArray, before: CountArray, spikes: NDArray[np.int8], count: CountArray, shift: int) -> None:
    for x in range(len(spikes)):
        for c in range(spikes.shape[1]):
            change = (largest[x, c] - before[x, c]) >> shift
            spikes[x, c] = change
            count[x, c] += abs(change)
            before[x, c] = largest[x, c]


@numba.njit(nogil=True, cache=True, error_model="numpy", boundscheck=False)
def _advance(
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    train: NDArray[np.int8],
    brought: CountArray,
    spikes: NDArray[np.int8],
    counts: CountArray,
    shifts: NDArray[np.int64],
) -> None:
    steps, batch, source_rows, width, channels = train.shape
    arriving = train.reshape(steps, batch, source_rows, width * channels)
    total = brought.reshape(batch, source_rows, width * channels)
    seen = np.empty((rows.shape[1], width * channels), dtype=brought.dtype)
    largest = np.empty((len(columns), channels), dtype=brought.dtype)
    before = np.empty_like(largest)
    for sample in range(batch):
        for y in range(len(rows)):
            for k in range(rows.shape[1]):
                if rows[y, k] >= 0:
                    seen[k] = total[sample, rows[y, k]]
            _find_largest(seen, rows[y], columns, before)
            counts[sample, y] = 0
            for step in range(steps):
                for k in range(rows.shape[1]):
                    if rows[y, k] >= 0:
                        _add(seen[k], arriving[step, sample, rows[y, k]], shifts[step])
                _find_largest(seen, rows[y], columns, largest)
                _send(largest, before, spikes[step, sample, y], counts[sample, y], shifts[step])
        for step in range(steps):
            for row in range(source_rows):
                _add(total[sample, row], arriving[step, sample, row], shifts[step])
