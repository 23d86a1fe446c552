"""Worst sums and products of a network, for the integer formats of Lava processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, Projection
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


def populations_of_64_bits(
    network: ChipNetwork, currents: Mapping[str, NDArray[np.signedinteger[Any]]], timesteps: int | None
) -> frozenset[str]:
    """Names of the populations whose potentials 32 bits might not hold, proved from weights, thresholds and window.

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
        A current of one step might exceed the 32 bits of Lava's messages, or anything else 64 bits.
    """
    window = (network.timesteps if timesteps is None else timesteps, network.refinement_steps)
    found = []
    for population in network.populations:
        name, current = population.name, currents[population.name]
        low, high = synaptic_range(network, name)
        synaptic = int(np.maximum(high, -low).max())
        if synaptic > INT32_MAX:
            raise BackendError(
                f"{name}: the synaptic input of a step may reach {synaptic:,}, beyond the 32 bits of Lava's messages. "
                "Run it with the simulator."
            )
        potential, product = _largest(population, network.state_max, window)
        arriving = synaptic + max(int(current.max()), -int(current.min()))
        potential += arriving << input_shift(0, *window)
        if max(potential, product) > INT64_MAX:
            raise BackendError(
                f"{name}: a potential, or the product of one and steps, may reach {max(potential, product):,} in a "
                f"window of {window[0]:,} steps, beyond 64 bits. Run fewer time steps."
            )
        if potential > INT32_MAX:
            found.append(name)
    return frozenset(found)


def _largest(population: Population, state_max: int, window: tuple[int, int]) -> tuple[int, int]:
    """Largest magnitude of a potential after a step, and of a product that the neurons compute."""
    memory = population.count_memory
    if population.pool_counts is not None:
        return 0, 0  # they have no potential
    if memory is None:
        return state_max, 0  # spikes of integrate-and-fire neurons lead towards 0
    threshold = int(population.threshold.max())
    return (
        largest_after_firing(memory, threshold, state_max, *window),
        largest_product(memory, threshold, state_max, *window),
    )
