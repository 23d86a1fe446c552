"""One time step of a maximum over counts, as `mapping.neuron_models` defines it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.neuron_models import PoolCounts

IntArray = NDArray[np.int64]
# A synapse that does not exist never holds the maximum.
ABSENT = -(2**30)


def initial_counts(exists: NDArray[np.bool_], batch: int) -> IntArray:
    """Counts before a window, (batch, digits, rows, columns, channels).

    Parameters
    ----------
    exists : bool array, (digits, rows, columns, channels)
        From `mapping.pool_taps.existing_taps`.
    batch : int
    """
    counts = np.where(exists, 0, ABSENT).astype(np.int64)
    return np.repeat(counts[None], batch, axis=0)


def pooled_spikes(pool: PoolCounts, arriving: IntArray, counts: IntArray, shift: int = 0) -> NDArray[np.int8]:
    """Spikes of one step.

    Parameters
    ----------
    pool : PoolCounts
    arriving : int64 array, (batch, rows, columns, channels)
        Synaptic input, whose digits are the spikes of the synapses.
    counts : int64 array, (batch, digits, rows, columns, channels)
        Spikes so far of each synapse, each by the weight of its step; changed in place.
    shift : int
        The spikes of this step weigh ``2**shift``.

    Returns
    -------
    int8 array, (batch, rows, columns, channels)
        In {-1, 0, 1}.
    """
    before, digits = counts.max(axis=1), counts.shape[1]
    lowest = -1 if pool.sends_negative else 0
    left = arriving - lowest * sum(pool.base**digit for digit in range(digits))
    for digit in range(digits):
        counts[:, digit] += (left % pool.base + lowest) << shift
        left = left // pool.base
    spikes: NDArray[np.int8] = ((counts.max(axis=1) - before) >> shift).astype(np.int8)
    return spikes
