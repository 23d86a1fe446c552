"""Run samples through the integer network, population by population over the whole window.

Because `mapping.network` balances every path, the spikes of a source's step j meet the target's step j. A feed-forward
network can therefore be computed one population after the other, all steps of the window at once: one exact matrix
product over time x samples, then the threshold recurrence over time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, Projection
from nmdeploy.simulator.input_current import constant_current
from nmdeploy.simulator.neurons import Neurons
from nmdeploy.simulator.products import Product, exact_dtype

SpikeTrain = NDArray[np.int8]
GATHER_BYTES = 256 * 2**20


@dataclass(frozen=True)
class SimulationResult:
    """What a run of the integer network gave.

    Attributes
    ----------
    potentials : int64 array, (samples, timesteps, outputs)
        Membrane potentials of the output populations after each step, outputs joined in C order.
    spike_counts : dict of str to int64 array, (samples, neurons)
        Spikes of each population in one window, both signs counted, neurons in C order (channel, row, column).
    spike_trains : dict of str to int8 array, (samples, timesteps, neurons)
        Empty unless asked for.
    saturations : int
        How often a membrane potential was cut off, over all samples, neurons and steps.
    """

    potentials: NDArray[np.int64]
    spike_counts: dict[str, NDArray[np.int64]]
    spike_trains: dict[str, SpikeTrain]
    saturations: int


def simulate(
    network: ChipNetwork,
    samples: NDArray[np.float32],
    *,
    timesteps: int | None = None,
    record_spike_trains: bool = False,
    progress: Callable[[int], None] | None = None,
) -> SimulationResult:
    """Simulate a batch of samples.

    Parameters
    ----------
    network : ChipNetwork
        Feed-forward, with balanced delays.
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    timesteps : int, optional
        Length of the window instead of the network's own.
    record_spike_trains : bool
        Keep every spike; needs memory for samples x timesteps x neurons bytes.
    progress : callable, optional
        Called with the number of samples just finished.

    Raises
    ------
    DataFileError
        An input current does not fit the chip's bias field.
    """
    steps = network.timesteps if timesteps is None else timesteps
    run = _Run(network, steps)
    parts = []
    for start in range(0, len(samples), run.batch):
        parts.append(run.window(samples[start : start + run.batch], record_spike_trains))
        if progress is not None:
            progress(min(run.batch, len(samples) - start))
    if not parts:
        parts.append(run.window(samples, record_spike_trains))
    return SimulationResult(
        potentials=np.concatenate([part.potentials for part in parts]),
        spike_counts=_joined([part.spike_counts for part in parts]),
        spike_trains=_joined([part.spike_trains for part in parts]),
        saturations=sum(part.saturations for part in parts),
    )


def _joined(parts: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class _Run:
    """A network prepared for windows of a given length."""

    def __init__(self, network: ChipNetwork, steps: int) -> None:
        self._network = network
        self._steps = steps
        self._products = {
            projection.name: Product(
                projection.connectivity, projection.weights, exact_dtype(projection.weights, input_max=1)
            )
            for projection in network.projections
        }
        largest = max((product.gathered_bytes_per_sample for product in self._products.values()), default=1)
        self.batch = max(1, GATHER_BYTES // (largest * steps))

    def window(self, samples: NDArray[np.float32], record: bool) -> SimulationResult:
        trains: dict[str, SpikeTrain] = {}
        recorded: dict[str, SpikeTrain] = {}
        counts: dict[str, NDArray[np.int64]] = {}
        potentials: list[NDArray[np.int64]] = []
        saturations = 0
        waiting = dict(self._network.graph.out_degree())
        for population in self._network.populations:
            neurons = Neurons(population, len(samples), self._network.state_max)
            train, trace = self._advance(population, neurons, samples, trains)
            saturations += neurons.saturations
            trains[population.name] = train
            counts[population.name] = _neurons_last(np.abs(train).sum(axis=0, dtype=np.int64))
            if population.is_output:
                potentials.append(trace)
            if record:
                recorded[population.name] = np.stack([_neurons_last(step) for step in train], axis=1)
            for projection in self._network.incoming(population.name):
                waiting[projection.source] -= 1
                if waiting[projection.source] == 0:
                    del trains[projection.source]
        nothing = np.zeros((len(samples), self._steps, 0), dtype=np.int64)
        return SimulationResult(np.concatenate([nothing, *potentials], axis=2), counts, recorded, saturations)

    def _advance(
        self,
        population: Population,
        neurons: Neurons,
        samples: NDArray[np.float32],
        trains: dict[str, SpikeTrain],
    ) -> tuple[SpikeTrain, NDArray[np.int64]]:
        """One population over the window.

        Returns
        -------
        int8 array, (steps, batch, rows, columns, channels)
            Spikes.
        int64 array, (batch, steps, neurons)
            Potentials of an output; no neurons for any other population.
        """
        constant = constant_current(self._network, population, samples)
        arriving = [
            (projection, self._synaptic_input(projection, trains[projection.source]))
            for projection in self._network.incoming(population.name)
        ]
        channels, rows, columns = population.shape
        train = np.zeros((self._steps, len(samples), rows, columns, channels), dtype=np.int8)
        traced = population.neuron_count if population.is_output else 0
        trace = np.zeros((len(samples), self._steps, traced), dtype=np.int64)
        current = np.empty(train.shape[1:], dtype=np.int64)
        for step in range(self._steps):
            current[...] = constant
            for projection, sums in arriving:
                start, stop = projection.connectivity.target_channels
                current[..., start:stop] += sums[step].astype(np.int64) << self._network.shift(projection)
            train[step] = neurons.step(current)
            if population.is_output:
                trace[:, step] = _neurons_last(neurons.potential)
        return train, trace

    def _synaptic_input(self, projection: Projection, train: SpikeTrain) -> NDArray[Any]:
        steps, batch = train.shape[:2]
        sums = self._products[projection.name](train.reshape(steps * batch, *train.shape[2:]))
        return sums.reshape(steps, batch, *sums.shape[1:])


def _neurons_last(values: NDArray[Any]) -> NDArray[Any]:
    """(batch, rows, columns, channels) to (batch, neurons) in C order of (channels, rows, columns)."""
    return values.transpose(0, 3, 1, 2).reshape(len(values), math.prod(values.shape[1:]))
