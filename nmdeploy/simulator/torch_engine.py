"""One population over a round of steps with compiled kernels, where they are proved to give the same integers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from queue import SimpleQueue
from threading import Event
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, Projection
from mapping.step_weights import window_weight
from nmdeploy.simulator.engine import Advanced, Engine, Part, Result, SpikeTrain
from nmdeploy.simulator.fast_counting import CountingNeurons
from nmdeploy.simulator.fast_neurons import FastNeurons, SaturatedError, Shortcut, State, largest_arriving
from nmdeploy.simulator.fast_pools import CountArray, advance_maximum
from nmdeploy.simulator.fast_products import FastProduct, is_channelwise
from nmdeploy.simulator.full_precision import full_precision
from nmdeploy.simulator.neurons import IntArray, neurons_last
from nmdeploy.simulator.products import FLOAT32_EXACT
from nmdeploy.simulator.span import Span
from nmdeploy.simulator.torch_product import TorchProduct

ONE_THREAD_OPERATIONS = 200_000_000
"""Fewer take a millisecond or two, which two threads shorten a little on an idle machine, and lengthen tenfold on a
busy one (`benchmarks/one_thread.py`)."""


class TorchEngine(Engine):
    """As `Engine`; populations with a negative threshold, wide sums or saturating potentials are left to it.

    Parameters
    ----------
    network : ChipNetwork
    threads : int
        Batches computed side by side, each by one thread.
    kernels_of : TorchEngine, optional
        Another one for the same network, whose kernels are shared.
    """

    # What a population works on at a time: more would leave the processor's caches.
    preferred_bytes = 20 * 2**20
    input_product = TorchProduct

    def __init__(self, network: ChipNetwork, threads: int = 1, kernels_of: TorchEngine | None = None) -> None:
        super().__init__(network)
        self.threads = threads
        self._signed = {population.name for population in network.populations if population.sends_negative}
        self._fast: dict[str, FastProduct]
        self._neurons: dict[str, FastNeurons | CountingNeurons]
        if kernels_of is not None:
            self._fast, self._neurons = kernels_of._fast, kernels_of._neurons
            return
        self._fast = {
            projection.name: FastProduct(
                projection.connectivity,
                projection.weights,
                network.shift(projection),
                binary=projection.source not in self._signed,
            )
            for projection in network.projections
            if network.population(projection.target).pool_counts is None
        }
        self._neurons = {
            population.name: _compiled_neurons(network, population)
            for population in network.populations
            if _has_compiled_neurons(population)
        }

    def working_bytes(self, population: Population) -> int:
        """Memory that advancing the population takes for one sample and step, its own spikes included."""
        return population.neuron_count * (2 * np.dtype(np.float32).itemsize + 1)

    def run_all(
        self, work: Callable[[Engine, Part], Result], parts: Sequence[Part], operations: int | None = None
    ) -> Iterator[Result]:
        """As `Engine.run_all`; each thread takes parts of its own, which scales better than sharing every kernel.

        Few operations are left to one thread: to wait for others at each kernel may take far longer.
        """
        few = operations is not None and operations < ONE_THREAD_OPERATIONS
        with full_precision():
            alone = self.threads > 1 and (few or len(parts) >= self.threads)
            yield from self._run_side_by_side(work, parts) if alone else super().run_all(work, parts, operations)

    def _run_side_by_side(self, work: Callable[[Engine, Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
        engines: SimpleQueue[TorchEngine] = SimpleQueue()
        for _ in range(min(self.threads, len(parts))):
            engines.put(TorchEngine(self.network, 1, kernels_of=self))

        def run(part: Part) -> Result:
            engine = engines.get()
            try:
                return work(engine, part)
            finally:
                engines.put(engine)

        usual = torch.get_num_threads()
        try:
            yield from _single_threads(self.threads).map(run, parts)
        finally:
            # not each time, as it takes a millisecond
            if _threads_were_started.is_set():
                _threads_were_started.clear()
                torch.set_num_threads(usual)

    def advance(self, population: Population, trains: Mapping[str, Any], span: Span) -> Advanced:
        """Compute the next steps of one population; see `Engine.advance`."""
        if population.pool_counts is not None:
            return self._maximum(population, trains, span)
        constant = self.constant(population)
        neurons = self._neurons_of(population)
        if neurons is None or not neurons.are_exact(constant, span):
            return super().advance(population, trains, span)
        projections = list(self.network.incoming(population.name))
        if population.reset == "none":
            arriving = self._arriving(population, projections, trains, span.steps)
            return self._accumulate(population, trains, constant, arriving, span)
        through = next((one for one in projections if is_channelwise(one.connectivity)), None)
        shortcut = None
        if through is not None:
            projections.remove(through)
            shortcut = self._shortcut(population, through, trains[through.name])
        steps = span.input_steps if projections else 0
        arriving = self._arriving(population, projections, trains, steps)
        before = State(self.potential(population), self.sent(population))
        try:
            fired = neurons.fire(arriving, shortcut, constant, before, span)
        except SaturatedError:
            return super().advance(population, trains, span)
        self._potentials[population.name] = fired.after.potential
        if fired.after.sent is not None:
            self._sent[population.name] = fired.after.sent
        nothing = np.zeros((len(self._samples), span.steps, 0), dtype=np.int64)
        return Advanced(fired.spikes, neurons_last(fired.counts), nothing, 0)

    def _neurons_of(self, population: Population) -> FastNeurons | CountingNeurons | None:
        """Those compiled for the network, unless its population is given with other thresholds."""
        neurons = self._neurons.get(population.name)
        if neurons is None or np.array_equal(population.threshold, self.network.population(population.name).threshold):
            return neurons
        return _compiled_neurons(self.network, population)

    def _current(self, population: Population, trains: Mapping[str, Any], steps: int) -> IntArray:
        if largest_arriving(self.network, population) >= FLOAT32_EXACT:
            return super()._current(population, trains, steps)
        projections = list(self.network.incoming(population.name))
        return self._arriving(population, projections, trains, steps).astype(np.int64)

    def _maximum(self, population: Population, trains: Mapping[str, SpikeTrain], span: Span) -> Advanced:
        batch, (channels, rows, columns) = len(self._samples), population.shape
        most = window_weight(span.timesteps, span.refinement_steps)
        number = np.int16 if most <= np.iinfo(np.int16).max else np.int32
        spikes = np.zeros((span.steps, batch, rows, columns, channels), dtype=np.int8)
        counts: CountArray = np.zeros((batch, rows, columns, channels), dtype=number)
        for projection in self.network.incoming(population.name):
            table = projection.connectivity
            if projection.name not in self._brought:
                shape = (batch, *table.source_shape[1:], table.in_channels)
                self._brought[projection.name] = np.zeros(shape, dtype=number)
            brought = self._brought[projection.name]
            advance_maximum(table, trains[projection.name], brought, spikes, counts, span.input_shifts)
        nothing = np.zeros((batch, span.steps, 0), dtype=np.int64)
        return Advanced(spikes, neurons_last(counts), nothing, 0)

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
            return Shortcut(np.ascontiguousarray(spikes), weights)
        placed = np.zeros((*spikes.shape[:4], population.shape[0]), dtype=np.int8)
        placed[..., start:stop] = spikes
        placed[:, :, rows < 0] = 0
        placed[:, :, :, columns < 0] = 0
        return Shortcut(placed, weights)

    def _arriving(
        self,
        population: Population,
        projections: list[Projection],
        trains: Mapping[str, SpikeTrain],
        steps: int,
    ) -> NDArray[np.float32]:
        """Synaptic input in membrane units, (steps, batch, rows, columns, channels)."""
        batch, (channels, rows, columns) = len(self._samples), population.shape
        total: NDArray[np.float32] | None = None
        # after the window's last step there are steps that take in nothing
        for projection in projections if steps else ():
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
        span: Span,
    ) -> Advanced:
        """An accumulator: running sums, unless one saturates."""
        increments = (arriving.astype(np.int64) + constant) << span.input_shifts[:, None, None, None, None]
        potentials = self.potential(population).astype(np.int64) + increments.cumsum(axis=0)
        if np.abs(potentials).max(initial=0) > self.network.state_max:
            return super().advance(population, trains, span)
        self._potentials[population.name] = potentials[-1]
        steps, batch = potentials.shape[:2]
        traced = potentials.transpose(1, 0, 4, 2, 3).reshape(batch, steps, population.neuron_count)
        counts = np.zeros((len(traced), population.neuron_count), dtype=np.int64)
        return Advanced(
            np.zeros(arriving.shape, dtype=np.int8), counts, traced if population.is_output else traced[:, :, :0], 0
        )


def _has_compiled_neurons(population: Population) -> bool:
    if population.is_output and population.reset != "none":
        return False  # its potentials are wanted after every step
    return population.model == "if" or population.count_memory is not None


def _compiled_neurons(network: ChipNetwork, population: Population) -> FastNeurons | CountingNeurons:
    if population.count_memory is None:
        return FastNeurons(network, population)
    return CountingNeurons(network, population, population.count_memory)


_threads_were_started = Event()


@cache
def _single_threads(count: int) -> ThreadPoolExecutor:
    """Threads that each compute alone."""
    return ThreadPoolExecutor(count, "nmdeploy", initializer=_compute_alone)


def _compute_alone() -> None:
    """Let this thread's kernels start no other threads, whatever is set in others later."""
    torch.set_num_threads(1)  # also what threads get that ask for the first time
    torch.get_num_threads()  # asks
    _threads_were_started.set()


if hasattr(os, "register_at_fork"):
    # threads do not live on in a forked process, which would wait for them: it gets new ones
    os.register_at_fork(after_in_child=_single_threads.cache_clear)
