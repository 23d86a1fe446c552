"""One time step of a maximum over counts, as `mapping.neuron_models` defines it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.neuron_models import PoolCounts

IntArray = NDArray[np.int64]
# A synapse that does not exist never holds the maximum.
ABSENT = -(2**30)


def initial_counts(exists: NDArray[np.bool_], batch: int) -> IntArray:
    """Counts before a window, (digits, batch, rows, columns, channels).

    Parameters
    ----------
    exists : bool array, (digits, rows, columns, channels)
        From `mapping.pool_taps.existing_taps`.
    batch : int
    """
    counts = np.where(exists, 0, ABSENT).astype(np.int64)[:, None]
    return np.repeat(counts, batch, axis=1)


def pooled_spikes(pool: PoolCounts, arriving: IntArray, counts: IntArray) -> NDArray[np.int8]:
    """Spikes of one step.

    Parameters
    ----------
    pool : PoolCounts
    arriving : int64 array, (batch, rows, columns, channels)
        Synaptic input, whose digits are the spikes of the synapses.
    counts : int64 array, (digits, batch, rows, columns, channels)
        Spikes so far of each synapse; changed in place.

    Returns
    -------
    int8 array, (batch, rows, columns, channels)
        In {-1, 0, 1}.
    """
    before = counts.max(axis=0)
    lowest = -1 if pool.sends_negative else 0
    left = arriving - lowest * sum(pool.base**digit for digit in range(len(counts)))
    for count in counts:
        count += left % pool.base + lowest
        left = left // pool.base
    spikes: NDArray[np.int8] = (counts.max(axis=0) - before).astype(np.int8)
    return spikes
