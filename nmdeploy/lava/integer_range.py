"""Worst sums and products of a network, for the integer formats of Lava processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Projection
from mapping.step_weights import input_shift
from nmdeploy.errors import BackendError
from nmdeploy.lava.count_arithmetic import largest_after_firing, largest_product

IntArray = NDArray[np.int64]
INT32_MAX = 2**31 - 1
INT64_MAX = 2**63 - 1


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


def require_integer_range(
    network: ChipNetwork, currents: Mapping[str, NDArray[np.signedinteger[Any]]], timesteps: int | None
) -> None:
    """Refuse a network whose sums could exceed the 32 bits of Lava's messages and states, or its products 64 bits.

    Parameters
    ----------
    network : ChipNetwork
    currents : mapping of str to integer array, (windows, batch or 1, rows, columns, channels)
        Bias and input current of each population.
    timesteps : int or None
        Length of a window instead of the network's own.

    Raises
    ------
    BackendError
    """
    steps = network.timesteps if timesteps is None else timesteps
    window = (steps, network.refinement_steps)
    for population in network.populations:
        current = currents[population.name]
        low, high = synaptic_range(network, population.name)
        arriving = int(np.maximum(high, -low).max()) + max(int(current.max()), -int(current.min()))
        memory, threshold = population.count_memory, int(population.threshold.max())
        resting, product = network.state_max, 0  # spikes of integrate-and-fire neurons lead towards 0
        if memory is not None:
            resting = largest_after_firing(memory, threshold, network.state_max, *window)
            product = largest_product(memory, threshold, network.state_max, *window)
        largest = resting + (arriving << input_shift(0, *window))
        if largest > INT32_MAX:
            raise BackendError(
                f"{population.name}: a potential may reach {largest:,} before it saturates, beyond the 32 bits "
                "of Lava's messages. Run it with the simulator."
            )
        if product > INT64_MAX:
            raise BackendError(
                f"{population.name}: a product of potential and steps may reach {product:,} in a window of "
                f"{steps:,} steps, beyond 64 bits. Run fewer time steps."
            )
