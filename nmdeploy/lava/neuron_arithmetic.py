"""One step of integrate-and-fire neurons in int32, in place: what the processes of populations and cores share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import Reset


def integrate(
    potential: NDArray[np.int32], current: NDArray[np.signedinteger[Any]], state_max: int
) -> NDArray[np.int64]:
    """Add a current and saturate.

    Parameters
    ----------
    potential : int32 array, (batch, rows, columns, channels)
        Changed in place.
    current : integer array, broadcastable to `potential`
        All that this step adds.
    state_max : int

    Returns
    -------
    int64 array, (batch,)
        Potentials cut off in each sample.
    """
    potential += current.astype(np.int32, copy=False)
    saturated = np.count_nonzero(np.abs(potential) > state_max, axis=(1, 2, 3))
    np.clip(potential, -state_max, state_max, out=potential)
    return np.asarray(saturated, dtype=np.int64)


def fire(
    potential: NDArray[np.int32],
    reset: Reset,
    threshold: NDArray[np.signedinteger[Any]],
    negative_threshold: NDArray[np.signedinteger[Any]] | None,
) -> NDArray[np.int8]:
    """Spikes in {-1, 0, 1}, after which the potentials are reset.

    Parameters
    ----------
    potential : int32 array, (batch, rows, columns, channels)
        Changed in place.
    reset : {"subtract", "zero", "none"}
    threshold, negative_threshold : integer arrays, (channels,)
    """
    sent = np.zeros(potential.shape, dtype=np.int8)
    if reset == "none":
        return sent
    sent[potential >= threshold] = 1
    change = np.where(sent == 1, -threshold, 0)
    if negative_threshold is not None:
        negative = (potential <= -negative_threshold) & (sent == 0)
        sent[negative] = -1
        change = np.where(negative, negative_threshold, change)
    if reset == "zero":
        potential[sent != 0] = 0
    else:
        potential += change.astype(np.int32, copy=False)
    return sent
