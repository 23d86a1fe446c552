"""Walk the integer network and the float network it stands for together, population by population.

The samples are taken in batches, each of them through all populations, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population
from mapping.step_weights import window_weight
from nmdeploy.simulator import Simulator
from nmdeploy.simulator.layer_by_layer import LayerByLayer
from nmdeploy.simulator.neurons import neurons_last
from nmdeploy.spiking.evaluate import Values, activation_input, activations
from nmdeploy.spiking.network import INPUT, FloatPopulation, SpikingNetwork

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# What the arrays of one population may take, of which there are about a dozen of 64 bits.
WORKING_BYTES = 256 * 2**20
ARRAYS = 12


@dataclass(frozen=True)
class Observed:
    """What one population did for one batch of samples, and what it should have done.

    Attributes
    ----------
    population : Population
    timesteps : int
        T, the window.
    levels : int
        L, the largest count: T, or more with refinement steps.
    net_counts : int64 array, (samples, neurons)
        N: spikes of +1 less those of -1, by the weights of their steps (`mapping.step_weights`); neurons in C order of
        (channel, row, column).
    spike_counts : int64 array, (samples, neurons)
        Spikes of both signs.
    saturations : int
        How often a potential was cut off, over all samples, neurons and steps.
    first_train : int8 array, (firing steps, neurons)
        Spikes of the first sample of the batch.
    represented : float64 array, (samples, channels, positions)
        What the result stands for: ``scale * N / L``, of an accumulator ``scale * v / L``.
    activations : float64 array like `represented`, or None
        Of the float network; None where it has no such population.
    own_activations : float64 array like `represented`, or None
        What this layer of the float network makes of what its sources represent, whatever these should have been.
    """

    population: Population
    timesteps: int
    levels: int
    net_counts: IntArray
    spike_counts: IntArray
    saturations: int
    first_train: NDArray[np.int8]
    represented: FloatArray
    activations: FloatArray | None
    own_activations: FloatArray | None


def observe(
    network: ChipNetwork,
    float_network: SpikingNetwork,
    samples: NDArray[np.float32],
    timesteps: int,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Observed]:
    """Run the samples.

    Parameters
    ----------
    network : ChipNetwork
        Without cycles.
    float_network : SpikingNetwork
        The one that `network` was quantised from. Populations of one name and shape are compared.
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    timesteps : int
        Length of the window.
    progress : callable, optional
        Called with the number of samples just finished.

    Yields
    ------
    Observed
        All populations in the order of `network` for the first samples, then for the next ones.
    """
    network = replace(network, timesteps=timesteps)
    simulator = Simulator(network)
    simulator.engine(len(samples) * timesteps)
    largest = max(population.neuron_count for population in network.populations)
    batch = max(1, WORKING_BYTES // (ARRAYS * largest * np.dtype(np.float64).itemsize))
    while len(samples):
        layers = LayerByLayer(network, samples[:batch], simulator)
        yield from _one_batch(network, float_network, layers)
        if progress is not None:
            progress(len(layers.samples))
        samples = samples[len(layers.samples) :]


def _one_batch(network: ChipNetwork, float_network: SpikingNetwork, layers: LayerByLayer) -> Iterator[Observed]:
    wanted = activations(float_network, layers.samples)
    names = {population.name for population in float_network.populations}
    sources = _Represented(float_network, layers.samples)
    levels = window_weight(network.timesteps, network.refinement_steps)
    for population in network.populations:
        net, potentials = layers.run(population)
        train = next(layers.trains(population.name))[:, 0]
        are_net = not population.sends_negative and not network.refinement_steps
        counts = net if are_net else _spike_counts(layers, population.name)
        represented = _represented(population, net, potentials, levels)
        compared = _upto(wanted, population) if population.name in names else None
        expected = own = None
        if compared is not None:
            float_population, values = compared
            expected = _by_channel(float_population.activate(values))
            own_values = sources.input_of(float_population)
            own = None if own_values is None else _by_channel(float_population.activate(own_values))
            sources.hold(population.name, represented)
        layers.release(population)
        yield Observed(
            population,
            network.timesteps,
            levels,
            net,
            counts,
            layers.saturations[population.name],
            neurons_last(train),
            _by_channel(represented),
            expected,
            own,
        )


class _Represented:
    """What the spikes of the float network's populations stand for, kept as long as a later one reads it."""

    def __init__(self, float_network: SpikingNetwork, samples: NDArray[np.float32]) -> None:
        self._network = float_network
        self._samples = len(samples)
        self._held: dict[str, Values] = {INPUT: np.ascontiguousarray(samples.transpose(0, 2, 3, 1))}
        self._waiting = dict(float_network.graph.out_degree())

    def input_of(self, population: FloatPopulation) -> Values | None:
        """Input of the activation function; None where a source has not been observed."""
        sources = [projection.source for projection in self._network.incoming(population.name)]
        known = all(source in self._held for source in sources)
        values = activation_input(self._network, population, self._held, self._samples) if known else None
        for source in sources:
            self._waiting[source] -= 1
            if not self._waiting[source]:
                self._held.pop(source, None)
        return values

    def hold(self, name: str, represented: Values) -> None:
        """Keep what a population represents, (samples, rows, columns, channels)."""
        if self._waiting[name]:
            self._held[name] = represented


def _upto(
    wanted: Iterator[tuple[FloatPopulation, Values]], population: Population
) -> tuple[FloatPopulation, Values] | None:
    """The float population of this name, from an iterator that has not yet passed it; None if it has another shape."""
    found = next((pair for pair in wanted if pair[0].name == population.name), None)
    return found if found is not None and found[0].shape == population.shape else None


def _represented(population: Population, net: IntArray, potentials: IntArray, levels: int) -> Values:
    """In the precision and the arrangement of the float network's activations."""
    channels, rows, columns = population.shape
    result = potentials if population.is_output else net
    arranged = result.reshape(-1, channels, rows, columns).transpose(0, 2, 3, 1)
    represented: Values = (arranged * (population.scale / levels)).astype(np.float32)
    return represented


def _spike_counts(layers: LayerByLayer, name: str) -> IntArray:
    """Spikes of both signs, each one counted as one, (samples, neurons)."""
    return np.concatenate([neurons_last(np.abs(train).sum(axis=0, dtype=np.int64)) for train in layers.trains(name)])


def _by_channel(values: Values) -> FloatArray:
    """(samples, rows, columns, channels) to (samples, channels, positions)."""
    return values.transpose(0, 3, 1, 2).reshape(len(values), values.shape[3], -1).astype(np.float64)
