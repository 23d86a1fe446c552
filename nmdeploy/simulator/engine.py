"""One population over the whole window, in NumPy: the plain form of the semantics, for every neuron model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, Projection
from nmdeploy.simulator.input_current import constant_current
from nmdeploy.simulator.neurons import Neurons
from nmdeploy.simulator.products import Product, exact_dtype

SpikeTrain = NDArray[np.int8]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Advanced:
    """What a population did in a window.

    Attributes
    ----------
    spikes : int8 array, (steps, batch, rows, columns, channels)
    counts : int64 array, (batch, neurons)
        Neurons in C order of (channel, row, column).
    potentials : int64 array, (batch, steps, neurons)
        Of an output; no neurons for any other population.
    saturations : int
    """

    spikes: SpikeTrain
    counts: IntArray
    potentials: IntArray
    saturations: int


class Engine:
    """Computes populations of a network in windows of a given length.

    Parameters
    ----------
    network : ChipNetwork
    steps : int
    """

    # Receptive fields gathered at a time, in bytes.
    gather_bytes = 256 * 2**20

    def __init__(self, network: ChipNetwork, steps: int) -> None:
        self.network = network
        self.steps = steps
        self._products: dict[str, Product] = {}

    @property
    def batch(self) -> int:
        """Samples to compute side by side."""
        products = [self._product(projection) for projection in self.network.projections]
        largest = max((product.gathered_bytes_per_sample for product in products), default=1)
        return max(1, self.gather_bytes // (largest * self.steps))

    def advance(
        self, population: Population, samples: NDArray[np.float32], trains: Mapping[str, SpikeTrain]
    ) -> Advanced:
        """Compute one population.

        Parameters
        ----------
        population : Population
        samples : float32 array, (batch, channels, rows, columns)
        trains : mapping of population name to int8 array, (steps, batch, rows, columns, channels)
            Spikes of its sources.
        """
        neurons = Neurons(population, len(samples), self.network.state_max)
        constant = constant_current(self.network, population, samples)
        arriving = [
            (projection, self._synaptic_input(projection, trains[projection.source]))
            for projection in self.network.incoming(population.name)
        ]
        channels, rows, columns = population.shape
        train = np.zeros((self.steps, len(samples), rows, columns, channels), dtype=np.int8)
        traced = population.neuron_count if population.is_output else 0
        trace = np.zeros((len(samples), self.steps, traced), dtype=np.int64)
        current = np.empty(train.shape[1:], dtype=np.int64)
        for step in range(self.steps):
            current[...] = constant
            for projection, sums in arriving:
                start, stop = projection.connectivity.target_channels
                current[..., start:stop] += sums[step].astype(np.int64) << self.network.shift(projection)
            train[step] = neurons.step(current)
            if population.is_output:
                trace[:, step] = neurons_last(neurons.potential)
        counts = neurons_last(np.abs(train).sum(axis=0, dtype=np.int64))
        return Advanced(train, counts, trace, neurons.saturations)

    def _product(self, projection: Projection) -> Product:
        if projection.name not in self._products:
            dtype = exact_dtype(projection.weights, input_max=1)
            self._products[projection.name] = Product(projection.connectivity, projection.weights, dtype)
        return self._products[projection.name]

    def _synaptic_input(self, projection: Projection, train: SpikeTrain) -> NDArray[Any]:
        steps, batch = train.shape[:2]
        sums = self._product(projection)(train.reshape(steps * batch, *train.shape[2:]))
        return sums.reshape(steps, batch, *sums.shape[1:])


def neurons_last(values: NDArray[Any]) -> NDArray[Any]:
    """(batch, rows, columns, channels) to (batch, neurons) in C order of (channels, rows, columns)."""
    return values.transpose(0, 3, 1, 2).reshape(len(values), math.prod(values.shape[1:]))
