"""One step of integrate-and-fire neurons in the integers of their potential, in place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import Reset

IntegerArray = NDArray[np.signedinteger[Any]]


def integrate(potential: IntegerArray, current: IntegerArray, state_max: int) -> NDArray[np.int64]:
    """Add a current and saturate.

    Parameters
    ----------
    potential : integer array, (batch, rows, columns, channels)
        Changed in place.
    current : integer array, broadcastable to `potential`
        All that this step adds; the sum fits the integers of `potential`.
    state_max : int

    Returns
    -------
    int64 array, (batch,)
        Potentials cut off in each sample.
    """
    potential += current.astype(potential.dtype, copy=False)
    if -state_max <= potential.min(initial=0) and potential.max(initial=0) <= state_max:
        return np.zeros(len(potential), dtype=np.int64)
    saturated = np.count_nonzero(np.abs(potential) > state_max, axis=(1, 2, 3))
    np.clip(potential, -state_max, state_max, out=potential)
    return np.asarray(saturated, dtype=np.int64)


def spread(of_channels: IntegerArray, potential: IntegerArray) -> IntegerArray:
    """Values of channels, (channels,), for each neuron of a sample, in the integers of a potential.

    NumPy is several times faster along whole samples than along their few channels.
    """
    return np.ascontiguousarray(np.broadcast_to(of_channels.astype(potential.dtype), potential.shape[1:]))


def fire(
    potential: IntegerArray,
    reset: Reset,
    threshold: IntegerArray,
    negative_threshold: IntegerArray | None,
) -> NDArray[np.int8]:
    """Spikes in {-1, 0, 1}, after which the potentials are reset.

    Parameters
    ----------
    potential : integer array, (batch, rows, columns, channels)
        Changed in place.
    reset : {"subtract", "zero", "none"}
    threshold, negative_threshold : integer arrays, (channels,)
    """
    if reset == "none":
        return np.zeros(potential.shape, dtype=np.int8)
    thresholds = spread(threshold, potential)
    sent = (potential >= thresholds).view(np.int8)
    negative_thresholds = None if negative_threshold is None else spread(negative_threshold, potential)
    if negative_thresholds is not None:
        negative = potential <= -negative_thresholds
        negative &= sent == 0
    if reset == "zero":
        potential *= sent == 0
    else:
        potential -= sent * thresholds
    if negative_thresholds is not None:
        sent -= negative.view(np.int8)
        if reset == "zero":
            potential *= ~negative
        else:
            potential += negative * negative_thresholds
    return sent
