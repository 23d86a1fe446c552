"""Evaluate the converted network as the float network that it stands for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from nmdeploy.simulator.products import Product
from nmdeploy.spiking.maximum import maximum
from nmdeploy.spiking.network import INPUT, FloatPopulation, SpikingNetwork

GATHER_BYTES = 256 * 2**20
Values = NDArray[np.float32]


def activations(
    network: SpikingNetwork, samples: NDArray[np.float32]
) -> Iterator[tuple[FloatPopulation, Values]]:
    """Input of every population's activation function, one population after the other.

    Activations are kept only as long as a later population reads them.

    Parameters
    ----------
    network : SpikingNetwork
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.

    Yields
    ------
    population : FloatPopulation
    values : float32 array, (samples, rows, columns, channels)
        Before the activation function; of a maximum, the largest.
    """
    held: dict[str, Values] = {INPUT: np.ascontiguousarray(samples.transpose(0, 2, 3, 1))}
    waiting = {name: network.graph.out_degree(name) for name in network.graph.nodes}
    for population in network.populations:
        values = activation_input(network, population, held, len(samples))
        _release(network, population, held, waiting)
        yield population, values
        if waiting[population.name]:
            held[population.name] = population.activate(values)


def activation_input(
    network: SpikingNetwork, population: FloatPopulation, held: Mapping[str, Values], samples: int
) -> Values:
    """Input of one population's activation function; of a maximum, the largest of its sources.

    Parameters
    ----------
    network : SpikingNetwork
    population : FloatPopulation
    held : mapping of source name to float32 array, (samples, rows, columns, channels)
        Activations of its sources.
    samples : int

    Returns
    -------
    float32 array, (samples, rows, columns, channels)
    """
    if population.activation == "maximum":
        return maximum(population, network.incoming(population.name), held)
    channels, rows, columns = population.shape
    bias = np.broadcast_to(population.bias, population.shape).transpose(1, 2, 0)
    values = np.broadcast_to(bias, (samples, rows, columns, channels)).astype(np.float32)
    for projection in network.incoming(population.name):
        product = Product(projection.connectivity, projection.weights, np.float32)
        start, stop = projection.connectivity.target_channels
        source = held[projection.source]
        chunk = max(1, GATHER_BYTES // product.gathered_bytes_per_sample)
        for first in range(0, samples, chunk):
            values[first : first + chunk, ..., start:stop] += product(source[first : first + chunk])
    return values


def _release(
    network: SpikingNetwork, population: FloatPopulation, held: dict[str, Values], waiting: dict[str, int]
) -> None:
    """Drop what no later population reads."""
    for projection in network.incoming(population.name):
        waiting[projection.source] -= 1
        if waiting[projection.source] == 0:
            del held[projection.source]


def evaluate(
    network: SpikingNetwork, samples: NDArray[np.float32], progress: Callable[[int], None] | None = None
) -> NDArray[np.float32]:
    """Outputs of the float network.

    Returns
    -------
    float32 array, (samples, outputs)
        Output populations joined, each in C order of (channel, row, column).
    """
    chunk = 256
    parts = []
    for first in range(0, max(len(samples), 1), chunk):
        batch = samples[first : first + chunk]
        outputs = [
            values.transpose(0, 3, 1, 2).reshape(len(batch), math.prod(population.shape))
            for population, values in activations(network, batch)
            if population.is_output
        ]
        parts.append(np.concatenate(outputs, axis=1))
        if progress is not None:
            progress(len(batch))
    return np.concatenate(parts)
