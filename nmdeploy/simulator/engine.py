"""One population over a round of steps, in NumPy: the plain form of the semantics, for every neuron model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import psutil
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, Projection
from mapping.neuron_models import PoolCounts
from mapping.pool_taps import digit_count, existing_taps
from nmdeploy.simulator.history import History
from nmdeploy.simulator.input_current import constant_current
from nmdeploy.simulator.neurons import Neurons, neurons_last
from nmdeploy.simulator.pool_neurons import initial_counts, pooled_spikes
from nmdeploy.simulator.products import Product, exact_dtype
from nmdeploy.simulator.span import Span

Part = TypeVar("Part")
Result = TypeVar("Result")
SpikeTrain = NDArray[np.int8]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Advanced:
    """What a population did in a round.

    Attributes
    ----------
    spikes : (steps, batch, rows, columns, channels)
        In the engine's own kind of array, as its `history` keeps them.
    counts : array, (batch, neurons)
        Spikes of both signs, whole numbers; neurons in C order of (channel, row, column).
    potentials : int64 array, (batch, steps, neurons)
        Of an output; no neurons for any other population.
    saturations : int
    """

    spikes: Any
    counts: NDArray[Any]
    potentials: IntArray
    saturations: int


class Engine:
    """Computes the populations of a network for a batch of samples, some steps at a time.

    Parameters
    ----------
    network : ChipNetwork
    """

    # Receptive fields gathered at a time that the processor's caches and a small machine's memory still like.
    preferred_bytes = 256 * 2**20
    # Parts of the samples that are computed side by side.
    threads = 1
    # What multiplies samples with the weights of input projections.
    input_product = Product

    def __init__(self, network: ChipNetwork) -> None:
        self.network = network
        self._products: dict[str, Product] = {}
        self._samples = np.zeros((0, *network.input_shape), dtype=np.float32)
        self._constants: dict[str, IntArray] = {}
        self._potentials: dict[str, Any] = {}
        self._sent: dict[str, Any] = {}
        # what the synapses of maxima have brought: by population here, by projection where sources are counted
        self._brought: dict[str, Any] = {}

    def working_bytes(self, population: Population) -> int:
        """Memory that advancing the population takes for one sample and step, its own spikes included."""
        products = [self._product(projection) for projection in self.network.incoming(population.name)]
        gathered = max((product.gathered_bytes_per_sample for product in products), default=0)
        sums = len(products) * population.neuron_count * np.dtype(np.float64).itemsize
        return gathered + sums + population.neuron_count

    @property
    def state_bytes(self) -> int:
        """Memory that the neurons' state and constant currents take for one sample."""
        with_input = {projection.target for projection in self.network.input_projections}
        integers = sum(
            population.neuron_count * (_state_values(self.network, population) + (population.name in with_input))
            for population in self.network.populations
        )
        return integers * np.dtype(np.int64).itemsize

    def run_all(
        self, work: Callable[[Engine, Part], Result], parts: Sequence[Part], operations: int | None = None
    ) -> Iterator[Result]:
        """Apply `work` to an engine for this network and each of the parts, and give the results in order.

        Parameters
        ----------
        work : callable
        parts : sequence
        operations : int or None
            Synapses times samples and steps, of all parts together; None for many.
        """
        for part in parts:
            yield work(self, part)

    @property
    def free_memory_bytes(self) -> int:
        """Memory that can be had for what the engine works with."""
        return int(psutil.virtual_memory().available)

    def history(self, population: Population, batch: int) -> History:
        """An empty history of a population's spikes."""
        channels, rows, columns = population.shape
        return History((rows, columns, channels), batch)

    def as_array(self, spikes: Any) -> SpikeTrain:
        """Spikes of the engine's own kind of array as a NumPy array."""
        train: SpikeTrain = spikes
        return train

    def begin(self, samples: NDArray[np.float32]) -> None:
        """Start a window.

        Parameters
        ----------
        samples : float32 array, (batch, channels, rows, columns)
        """
        self._samples = samples
        self._constants = {}
        self._potentials = {}
        self._sent = {}
        self._brought = {}

    def keep(self, staying: NDArray[np.bool_]) -> None:
        """Go on with some of the samples only.

        Parameters
        ----------
        staying : bool array, (batch,)
        """
        places = np.flatnonzero(staying)
        for carried in (self._potentials, self._sent, self._brought):
            carried.update({name: values[places] for name, values in carried.items()})
        self._constants = {
            name: constant[staying] if len(constant) == len(staying) > 1 else constant
            for name, constant in self._constants.items()
        }
        self._samples = self._samples[staying]

    def constant(self, population: Population) -> IntArray:
        """Bias and input current of every step, (batch or 1, rows, columns, channels)."""
        if population.name not in self._constants:
            self._constants[population.name] = constant_current(
                self.network, population, self._samples, self.input_product
            )
        return self._constants[population.name]

    def advance(self, population: Population, trains: Mapping[str, Any], span: Span) -> Advanced:
        """Compute the next firing steps of one population.

        Parameters
        ----------
        population : Population
        trains : mapping of projection name to (input steps, batch, rows, columns, channels)
            Spikes that arrive in these steps, in the source's places, as the engine's histories give them.
        span : Span
        """
        current = self._current(population, trains, span.input_steps)
        if population.pool_counts is not None:
            return self._pool(population, population.pool_counts, current, span)
        potential, sent = self.potential(population).astype(np.int64), self.sent(population)
        sent = None if sent is None else sent.astype(np.int64)
        neurons = Neurons(population, potential, sent, self.network.state_max)
        constant = self.constant(population)
        train = np.zeros((span.steps, *potential.shape), dtype=np.int8)
        traced = population.neuron_count if population.is_output else 0
        trace = np.zeros((len(potential), span.steps, traced), dtype=np.int64)
        for step in range(span.start, span.stop):
            for index in span.taken_in(step):
                neurons.integrate((current[index] + constant) << span.input_shift(index))
            train[step - span.start] = neurons.fire(step, span.timesteps, span.refinement_steps)
            if population.is_output:
                trace[:, step - span.start] = neurons_last(neurons.potential)
        self._potentials[population.name] = neurons.potential
        if neurons.sent is not None:
            self._sent[population.name] = neurons.sent
        counts = neurons_last(np.abs(train).sum(axis=0, dtype=np.int64))
        return Advanced(train, counts, trace, neurons.saturations)

    def _current(self, population: Population, trains: Mapping[str, Any], steps: int) -> IntArray:
        """Synaptic input of each step, (steps, batch, rows, columns, channels)."""
        channels, rows, columns = population.shape
        current = np.zeros((steps, len(self._samples), rows, columns, channels), dtype=np.int64)
        for projection in self.network.incoming(population.name):
            start, stop = projection.connectivity.target_channels
            sums = self._synaptic_input(projection, trains[projection.name])
            current[..., start:stop] += sums.astype(np.int64) << self.network.shift(projection)
        return current

    def _pool(self, population: Population, pool: PoolCounts, current: IntArray, span: Span) -> Advanced:
        counts = self._pool_counts(population)
        train = np.stack(
            [pooled_spikes(pool, arriving, counts, span.input_shift(i)) for i, arriving in enumerate(current)]
        )
        nothing = np.zeros((len(self._samples), len(current), 0), dtype=np.int64)
        return Advanced(train, neurons_last(np.abs(train).sum(axis=0, dtype=np.int64)), nothing, 0)

    def _pool_counts(self, population: Population) -> IntArray:
        """Counts of the synapses, (batch, digits, rows, columns, channels); changed by whoever advances them."""
        if population.name not in self._brought:
            exists = existing_taps(population, self.network.incoming(population.name))
            self._brought[population.name] = initial_counts(exists, len(self._samples))
        counts: IntArray = self._brought[population.name]
        return counts

    def sent(self, population: Population) -> NDArray[Any] | None:
        """Net spikes of neurons with a count memory so far, (batch, rows, columns, channels); None for others."""
        if population.count_memory is None:
            return None
        if population.name not in self._sent:
            channels, rows, columns = population.shape
            return np.broadcast_to(np.int64(0), (len(self._samples), rows, columns, channels))
        sent: NDArray[Any] = self._sent[population.name]
        return sent

    def potential(self, population: Population) -> NDArray[Any]:
        """Potentials before the next step, whole numbers, (batch, rows, columns, channels)."""
        if population.name not in self._potentials:
            channels, rows, columns = population.shape
            shape = (len(self._samples), rows, columns, channels)
            return np.broadcast_to(population.initial_potential, shape)
        potential: NDArray[Any] = self._potentials[population.name]
        return potential

    def _product(self, projection: Projection) -> Product:
        if projection.name not in self._products:
            dtype = exact_dtype(projection.weights, input_max=1)
            self._products[projection.name] = Product(projection.connectivity, projection.weights, dtype)
        return self._products[projection.name]

    def _synaptic_input(self, projection: Projection, train: SpikeTrain) -> NDArray[Any]:
        steps, batch = train.shape[:2]
        sums = self._product(projection)(train.reshape(steps * batch, *train.shape[2:]))
        return sums.reshape(steps, batch, *sums.shape[1:])


def _state_values(network: ChipNetwork, population: Population) -> int:
    """Integers that a neuron keeps from step to step."""
    if population.pool_counts is not None:
        return digit_count(network.incoming(population.name))
    return 1 if population.count_memory is None else 2
