"""Run a network one population after another over whole windows, each as often as its caller wants."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population
from nmdeploy.simulator.engine import Advanced, Engine, SpikeTrain
from nmdeploy.simulator.neurons import neurons_last
from nmdeploy.simulator.simulate import Simulator
from nmdeploy.simulator.span import Span

IntArray = NDArray[np.int64]
# What the spikes of all samples may take while populations wait for them.
SPIKES_BYTES = 2**30
# What one population may work on at a time.
WORKING_BYTES = 256 * 2**20


class LayerByLayer:
    """Spikes of every population that a later one still needs.

    Parameters
    ----------
    network : ChipNetwork
        Without lags: all spikes arrive in the step of the window in which they were sent.
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    simulator : Simulator, optional
        Of the same populations and projections; one that has run before keeps what it has worked out.

    Attributes
    ----------
    samples : float32 array
        As many of them as `SPIKES_BYTES` allows, the first ones, at least one.
    saturations : dict of population name to int
        How often a potential was cut off in the last run of a population, over all samples, neurons and steps.
    """

    def __init__(
        self, network: ChipNetwork, samples: NDArray[np.float32], simulator: Simulator | None = None
    ) -> None:
        self._network = network
        self.samples = samples[: max(1, SPIKES_BYTES // (_neurons_waiting(network) * network.timesteps))]
        self._engine = (simulator or Simulator(network)).engine(len(self.samples) * network.timesteps)
        largest = max(self._engine.working_bytes(population) for population in network.populations)
        self._batch = max(1, WORKING_BYTES // (largest * network.timesteps))
        self._trains: dict[str, list[Any]] = {}
        self._waiting = dict(network.graph.out_degree())
        self.saturations: dict[str, int] = {}

    def run(self, population: Population, first_step: int = 0) -> tuple[IntArray, IntArray]:
        """Run one population over its window, all of whose sources have run.

        Parameters
        ----------
        population : Population
            Of the network; its biases, initial potentials and thresholds may be others.
        first_step : int
            Of the window; what comes before does not count, though the whole window is run.

        Returns
        -------
        counts : int64 array, (samples, neurons)
            Net spikes, those of -1 counted as such, by the weights of their steps (`mapping.step_weights`).
        potentials : int64 array, (samples, neurons)
            What came in up to the last step, of an output; no neurons for others.
        """
        network = self._network
        span = Span(0, network.timesteps, population.lead, network.timesteps, network.refinement_steps)
        incoming = list(self._network.incoming(population.name))

        def run_part(engine: Engine, number: int) -> Advanced:
            engine.begin(self.samples[number * self._batch : (number + 1) * self._batch])
            arriving = {projection.name: self._trains[projection.source][number] for projection in incoming}
            return engine.advance(population, arriving, span)

        parts = range(-(-len(self.samples) // self._batch))
        advanced = list(self._engine.run_all(run_part, parts))
        self._trains[population.name] = [part.spikes for part in advanced]
        self.saturations[population.name] = sum(part.saturations for part in advanced)
        weights = np.array([1 << span.input_shift(step) for step in range(network.timesteps)], dtype=np.int64)
        weights[:first_step] = 0
        net = [np.tensordot(weights, self._engine.as_array(part.spikes), axes=1) for part in advanced]
        counts = np.concatenate([neurons_last(count) for count in net])
        potentials = [part.potentials[:, -1] for part in advanced]
        if first_step:
            before = [part.potentials[:, first_step - 1] for part in advanced]
            potentials = [last - first for last, first in zip(potentials, before, strict=True)]
        return counts, np.concatenate(potentials)

    def trains(self, name: str) -> Iterator[SpikeTrain]:
        """Spikes of the population that ran last, or of one that others wait for, some samples at a time.

        Yields
        ------
        int8 array, (steps, batch, rows, columns, channels)
            In {-1, 0, 1}; firing steps of the window.
        """
        return (self._engine.as_array(train) for train in self._trains[name])

    def release(self, population: Population) -> None:
        """Say that a population will not run again: spikes that nothing else waits for are dropped."""
        if not self._waiting[population.name]:
            self._trains[population.name] = []
        for projection in self._network.incoming(population.name):
            self._waiting[projection.source] -= 1
            if not self._waiting[projection.source]:
                self._trains[projection.source] = []


def _neurons_waiting(network: ChipNetwork) -> int:
    """Most neurons whose spikes are held at one time."""
    waiting, held, peak = dict(network.graph.out_degree()), 0, 1
    for population in network.populations:
        held += math.prod(population.shape)
        peak = max(peak, held)
        for projection in network.incoming(population.name):
            waiting[projection.source] -= 1
            if not waiting[projection.source]:
                held -= math.prod(network.population(projection.source).shape)
    return peak
