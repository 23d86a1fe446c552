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
    if -state_max <= potential.min(initial=0) and potential.max(initial=0) <= state_max:
        return np.zeros(len(potential), dtype=np.int64)
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
    if reset == "none":
        return np.zeros(potential.shape, dtype=np.int8)
    thresholds = threshold.astype(np.int32, copy=False)
    sent = (potential >= thresholds).view(np.int8)
    if negative_threshold is not None:
        negative = potential <= -negative_threshold.astype(np.int32, copy=False)
        negative &= sent == 0
    if reset == "zero":
        potential *= sent == 0
    else:
        potential -= sent * thresholds
    if negative_threshold is not None:
        sent -= negative.view(np.int8)
        if reset == "zero":
            potential *= ~negative
        else:
            potential += negative * negative_threshold.astype(np.int32, copy=False)
    return sent
