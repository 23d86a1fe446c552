"""One population over the whole window with compiled kernels, where they are proved to give the same integers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, Projection
from nmdeploy.simulator.engine import Advanced, Engine, SpikeTrain, neurons_last
from nmdeploy.simulator.fast_neurons import SaturatedError, Shortcut, fire, fits_float32
from nmdeploy.simulator.fast_products import FastProduct, is_channelwise
from nmdeploy.simulator.input_current import constant_current


class TorchEngine(Engine):
    """As `Engine`; populations with signed spikes, wide sums or saturating potentials are left to it.

    Parameters
    ----------
    network : ChipNetwork
    steps : int
    """

    # Currents of the largest population at a time, in bytes: more would leave the processor's caches.
    current_bytes = 16 * 2**20

    def __init__(self, network: ChipNetwork, steps: int) -> None:
        super().__init__(network, steps)
        self._signed = {population.name for population in network.populations if population.model != "if"}
        self._fast = {
            projection.name: FastProduct(
                projection.connectivity,
                projection.weights,
                network.shift(projection),
                binary=projection.source not in self._signed,
            )
            for projection in network.projections
        }

    @property
    def batch(self) -> int:
        """Samples to compute side by side."""
        largest = max((population.neuron_count for population in self.network.populations), default=1)
        return max(1, self.current_bytes // (largest * self.steps * np.dtype(np.float32).itemsize))

    def advance(
        self, population: Population, samples: NDArray[np.float32], trains: Mapping[str, SpikeTrain]
    ) -> Advanced:
        """Compute one population; see `Engine.advance`."""
        constant = constant_current(self.network, population, samples)
        spikes_at_output = population.is_output and population.reset != "none"
        if population.model != "if" or spikes_at_output or not fits_float32(self.network, population, constant):
            return super().advance(population, samples, trains)
        projections = list(self.network.incoming(population.name))
        shortcut = None
        if population.reset != "none":
            through = next((one for one in projections if self._is_shortcut(one)), None)
            if through is not None:
                projections.remove(through)
                shortcut = self._shortcut(population, through, trains[through.source])
        arriving = self._arriving(population, projections, trains, len(samples))
        if population.reset == "none":
            return self._accumulate(population, samples, trains, constant, arriving)
        try:
            spikes, counts = fire(population, arriving, shortcut, constant, self.network.state_max)
        except SaturatedError:
            return super().advance(population, samples, trains)
        nothing = np.zeros((len(samples), self.steps, 0), dtype=np.int64)
        return Advanced(spikes, neurons_last(counts), nothing, 0)

    def _is_shortcut(self, projection: Projection) -> bool:
        return is_channelwise(projection.connectivity) and projection.source not in self._signed

    def _shortcut(self, population: Population, projection: Projection, train: SpikeTrain) -> Shortcut:
        """The source's spikes at the places of the target neurons, zeros where there is no synapse."""
        table = projection.connectivity
        rows, columns = table.rows[:, 0], table.columns[:, 0]
        spikes = train[..., table.source_channels[0] : table.source_channels[1]]
        if not np.array_equal(rows, np.arange(table.source_shape[1])):
            spikes = spikes.take(rows, axis=2)
        if not np.array_equal(columns, np.arange(table.source_shape[2])):
            spikes = spikes.take(columns, axis=3)
        weights = np.zeros(population.shape[0], dtype=np.float32)
        start, stop = table.target_channels
        weights[start:stop] = projection.weights[:, 0, 0, 0].astype(np.int64) << self.network.shift(projection)
        inside = (rows >= 0).all() and (columns >= 0).all()
        if inside and spikes.shape[-1] == population.shape[0]:
            return Shortcut(np.ascontiguousarray(spikes).view(np.uint8), weights)
        placed = np.zeros((*spikes.shape[:4], population.shape[0]), dtype=np.uint8)
        placed[..., start:stop] = spikes.view(np.uint8)
        placed[:, :, rows < 0] = 0
        placed[:, :, :, columns < 0] = 0
        return Shortcut(placed, weights)

    def _arriving(
        self, population: Population, projections: list[Projection], trains: Mapping[str, SpikeTrain], batch: int
    ) -> NDArray[np.float32]:
        """Synaptic input in membrane units, (steps, batch, rows, columns, channels)."""
        channels, rows, columns = population.shape
        total: NDArray[np.float32] | None = None
        for projection in projections:
            train = trains[projection.source]
            sums = self._fast[projection.name](train.reshape(self.steps * batch, *train.shape[2:]))
            sums = sums.reshape(self.steps, batch, rows, columns, -1)
            start, stop = projection.connectivity.target_channels
            if total is None and (start, stop) == (0, channels):
                total = sums
                continue
            if total is None:
                total = np.zeros((self.steps, batch, rows, columns, channels), dtype=np.float32)
            total[..., start:stop] += sums
        if total is None:
            return np.zeros((self.steps, batch, rows, columns, channels), dtype=np.float32)
        return total

    def _accumulate(
        self,
        population: Population,
        samples: NDArray[np.float32],
        trains: Mapping[str, SpikeTrain],
        constant: NDArray[np.int64],
        arriving: NDArray[np.float32],
    ) -> Advanced:
        """An accumulator: running sums, unless one saturates."""
        increments = arriving.astype(np.int64) + constant
        potentials = population.initial_potential + increments.cumsum(axis=0)
        if np.abs(potentials).max(initial=0) > self.network.state_max:
            return super().advance(population, samples, trains)
        traced = np.stack([neurons_last(step) for step in potentials], axis=1)
        counts = np.zeros((len(samples), population.neuron_count), dtype=np.int64)
        return Advanced(
            np.zeros(arriving.shape, dtype=np.int8), counts, traced if population.is_output else traced[:, :, :0], 0
        )
