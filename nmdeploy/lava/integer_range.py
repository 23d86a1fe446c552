"""Worst sums of a network, for the integer formats of Lava processes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Projection

IntArray = NDArray[np.int64]


def synaptic_range(network: ChipNetwork, name: str) -> tuple[IntArray, IntArray]:
    """Lowest and highest synaptic input that a population can receive in one step.

    Returns
    -------
    low, high : int64 arrays, (channels,)
        In membrane units.
    """
    channels = network.population(name).shape[0]
    low, high = np.zeros(channels, np.int64), np.zeros(channels, np.int64)
    for projection in network.incoming(name):
        projection_low, projection_high = _sum_range(network, projection)
        start, stop = projection.connectivity.target_channels
        low[start:stop] += projection_low << network.shift(projection)
        high[start:stop] += projection_high << network.shift(projection)
    return low, high


def _sum_range(network: ChipNetwork, projection: Projection) -> tuple[IntArray, IntArray]:
    weights = projection.weights.astype(np.int64).reshape(len(projection.weights), -1)
    positive, negative = np.maximum(weights, 0).sum(axis=1), np.minimum(weights, 0).sum(axis=1)
    if not network.population(projection.source).sends_negative:
        return negative, positive
    return negative - positive, positive - negative
