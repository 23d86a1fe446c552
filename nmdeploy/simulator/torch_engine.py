"""One population over a round of steps with compiled kernels, where they are proved to give the same integers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, Projection
from nmdeploy.simulator.engine import Advanced, Engine, SpikeTrain
from nmdeploy.simulator.fast_neurons import SaturatedError, Shortcut, fire, fits_float32
from nmdeploy.simulator.fast_products import FastProduct, is_channelwise
from nmdeploy.simulator.neurons import neurons_last


class TorchEngine(Engine):
    """As `Engine`; populations with signed spikes, wide sums or saturating potentials are left to it.

    Parameters
    ----------
    network : ChipNetwork
    """

    # What a population works on at a time: more would leave the processor's caches.
    preferred_bytes = 32 * 2**20

    def __init__(self, network: ChipNetwork) -> None:
        super().__init__(network)
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

    def working_bytes(self, population: Population) -> int:
        """Memory that advancing the population takes for one sample and step, its own spikes included."""
        return population.neuron_count * (2 * np.dtype(np.float32).itemsize + 1)

    def advance(self, population: Population, trains: Mapping[str, SpikeTrain], steps: int) -> Advanced:
        """Compute the next steps of one population; see `Engine.advance`."""
        constant = self.constant(population)
        spikes_at_output = population.is_output and population.reset != "none"
        if population.model != "if" or spikes_at_output or not fits_float32(self.network, population, constant):
            return super().advance(population, trains, steps)
        projections = list(self.network.incoming(population.name))
        shortcut = None
        if population.reset != "none":
            through = next((one for one in projections if self._is_shortcut(one)), None)
            if through is not None:
                projections.remove(through)
                shortcut = self._shortcut(population, through, trains[through.name])
        potential = self.potential(population)
        arriving = self._arriving(population, projections, trains, (steps, len(potential)))
        if population.reset == "none":
            return self._accumulate(population, trains, constant, arriving)
        try:
            spikes, counts, after = fire(
                population, arriving, shortcut, constant, potential, self.network.state_max
            )
        except SaturatedError:
            return super().advance(population, trains, steps)
        self._potentials[population.name] = after
        nothing = np.zeros((len(potential), steps, 0), dtype=np.int64)
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
        self,
        population: Population,
        projections: list[Projection],
        trains: Mapping[str, SpikeTrain],
        extent: tuple[int, int],
    ) -> NDArray[np.float32]:
        """Synaptic input in membrane units, (steps, batch, rows, columns, channels)."""
        (steps, batch), (channels, rows, columns) = extent, population.shape
        total: NDArray[np.float32] | None = None
        for projection in projections:
            train = trains[projection.name]
            sums = self._fast[projection.name](train.reshape(steps * batch, *train.shape[2:]))
            sums = sums.reshape(steps, batch, *sums.shape[1:])
            start, stop = projection.connectivity.target_channels
            if total is None and (start, stop) == (0, channels):
                total = sums
                continue
            if total is None:
                total = np.zeros((steps, batch, rows, columns, channels), dtype=np.float32)
            total[..., start:stop] += sums
        if total is None:
            return np.zeros((steps, batch, rows, columns, channels), dtype=np.float32)
        return total

    def _accumulate(
        self,
        population: Population,
        trains: Mapping[str, SpikeTrain],
        constant: NDArray[np.int64],
        arriving: NDArray[np.float32],
    ) -> Advanced:
        """An accumulator: running sums, unless one saturates."""
        increments = arriving.astype(np.int64) + constant
        potentials = self.potential(population).astype(np.int64) + increments.cumsum(axis=0)
        if np.abs(potentials).max(initial=0) > self.network.state_max:
            return super().advance(population, trains, len(arriving))
        self._potentials[population.name] = potentials[-1]
        traced = np.stack([neurons_last(step) for step in potentials], axis=1)
        counts = np.zeros((len(traced), population.neuron_count), dtype=np.int64)
        return Advanced(
            np.zeros(arriving.shape, dtype=np.int8), counts, traced if population.is_output else traced[:, :, :0], 0
        )
