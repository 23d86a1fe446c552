"""A batch of samples through a network: populations one after another, each a round of steps at once.

A round is the whole window where memory allows. It is shorter where memory does not, where samples may leave early, and
where a cycle brings spikes back within the window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population
from nmdeploy.simulator.early_exit import EarlyExit
from nmdeploy.simulator.engine import Engine, IntArray, SpikeTrain
from nmdeploy.simulator.neurons import neurons_last
from nmdeploy.simulator.span import Span

CountArray = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class SimulationResult:
    """What a run of the integer network gave.

    Attributes
    ----------
    potentials : int64 array, (samples, timesteps, outputs)
        Membrane potentials of the output populations after each step, outputs joined in C order. After a sample has
        left they repeat the last ones.
    spike_counts : dict of str to int16 or int32 array, (samples, neurons)
        Spikes of each population in one window, both signs counted, neurons in C order (channel, row, column).
        int16 where the window has no more steps than that holds: counts are most of what a long run keeps.
    spike_trains : dict of str to int8 array, (samples, timesteps, neurons)
        Empty unless asked for; zeros after a sample has left.
    saturations : int
        How often a membrane potential was cut off, over all samples, neurons and steps.
    steps : int64 array, (samples,)
        Steps of the outputs' window that each sample ran.
    """

    potentials: IntArray
    spike_counts: dict[str, CountArray]
    spike_trains: dict[str, SpikeTrain]
    saturations: int
    steps: IntArray


class Window:
    """Runs one batch of samples.

    Parameters
    ----------
    engine : Engine
    samples : float32 array, (batch, channels, rows, columns)
    timesteps : int
        Length of the window.
    record_spike_trains : bool
    """

    def __init__(
        self, engine: Engine, samples: NDArray[np.float32], timesteps: int, *, record_spike_trains: bool
    ) -> None:
        self._engine = engine
        self._network = engine.network
        self._timesteps = timesteps
        populations = self._network.populations
        outputs = sum(population.neuron_count for population in populations if population.is_output)
        count = len(samples)
        self._count = count
        self._running = np.arange(count)
        self._spikes = {population.name: engine.history(population, count) for population in populations}
        self._done = {population.name: 0 for population in populations}
        self._steps = np.full(count, timesteps, dtype=np.int64)
        self._potentials = np.zeros((count, timesteps, outputs), dtype=np.int64)
        self._counts: dict[str, CountArray] = {
            population.name: np.zeros((count, population.neuron_count), dtype=count_type(timesteps))
            for population in populations
        }
        self._trains = {
            population.name: np.zeros((count, timesteps, population.neuron_count), dtype=np.int8)
            for population in populations
            if record_spike_trains
        }
        self._saturations = 0
        engine.begin(samples)

    def run(self, round_steps: int) -> SimulationResult:
        """Run the whole window of every sample, in rounds of at most so many steps."""
        length = min(round_steps, longest_round(self._network, self._timesteps))
        ahead = steps_needed_ahead(self._network)
        for end in [*range(length, self._timesteps, length), self._timesteps]:
            self._round({name: min(end + steps, self._timesteps) for name, steps in ahead.items()})
        return self._result()

    def run_until_decided(self, check_interval: int, early_exit: EarlyExit) -> SimulationResult:
        """Run until every sample is decided, each population being in the step where the chip would have it.

        Parameters
        ----------
        check_interval : int
            Steps of the output's window between two checks, at which decided samples leave.
        early_exit : EarlyExit
            Of this network and this length of the window.
        """
        ahead = steps_ahead(self._network)
        complete = self._timesteps - min(ahead.values())
        if longest_round(self._network, self._timesteps) < self._timesteps:
            ends = list(range(1 - max(ahead.values()), complete + 1))
        else:
            ends = [*range(check_interval, self._timesteps, check_interval), complete]
        for end in ends:
            self._round({name: min(max(end + steps, 0), self._timesteps) for name, steps in ahead.items()})
            if 0 < end < self._timesteps and end % check_interval == 0:
                potentials = self._potentials[self._running, end - 1]
                self._let_go(end, early_exit.decided(potentials, self._constant_of_outputs(), end))
                if not len(self._running):
                    break
        return self._result()

    def _round(self, ends: Mapping[str, int]) -> None:
        """Advance every population to the given step of its window."""
        first_output = 0
        for population in self._network.populations:
            name, start, stop = population.name, self._done[population.name], ends[population.name]
            if stop > start:
                self._advance(population, start, stop, first_output)
            self._done[name] = stop
            for projection in self._network.incoming(name):
                self._spikes[projection.source].forget(self._needed_from(projection.source))
            self._spikes[name].forget(self._needed_from(name))
            first_output += population.neuron_count if population.is_output else 0

    def _advance(self, population: Population, start: int, stop: int, first_output: int) -> None:
        span = Span(start, stop, population.lead, self._timesteps, self._network.refinement_steps)
        trains = {}
        for projection in self._network.incoming(population.name):
            lag = self._network.lag(projection)
            trains[projection.name] = self._spikes[projection.source].steps(
                span.input_start - lag, span.input_stop - lag
            )
        advanced = self._engine.advance(population, trains, span)
        self._saturations += advanced.saturations
        running = self._running if len(self._running) < self._count else slice(None)
        self._counts[population.name][running] += advanced.counts.astype(self._counts[population.name].dtype)
        if population.is_output:
            last_output = first_output + population.neuron_count
            self._potentials[running, start:stop, first_output:last_output] = advanced.potentials
        if self._trains:
            train = self._engine.as_array(advanced.spikes)
            self._trains[population.name][running, start:stop] = np.stack([neurons_last(one) for one in train], axis=1)
        self._spikes[population.name].append(advanced.spikes)

    def _needed_from(self, source: str) -> int:
        """First step of the source that a target has not yet received."""
        needed = [
            max(self._taken_in(projection.target) - self._network.lag(projection), 0)
            for projection in self._network.outgoing(source)
        ]
        return min(needed, default=self._timesteps)

    def _taken_in(self, name: str) -> int:
        """First step of the window whose input a population has not yet taken in."""
        done = self._done[name]
        return Span(0, done, self._network.population(name).lead, self._timesteps).input_stop if done else 0

    def _constant_of_outputs(self) -> IntArray:
        """Bias and input current of the samples that still run, (samples, outputs); the outputs are no maps."""
        constants = [
            np.broadcast_to(self._engine.constant(output)[:, 0, 0], (len(self._running), output.neuron_count))
            for output in self._network.outputs
        ]
        return np.concatenate(constants, axis=1)

    def _let_go(self, step: int, leaving: NDArray[np.bool_]) -> None:
        if not leaving.any():
            return
        gone, staying = self._running[leaving], ~leaving
        self._steps[gone] = step
        self._potentials[gone, step:] = self._potentials[gone, step - 1 : step]
        self._running = self._running[staying]
        self._engine.keep(staying)
        for history in self._spikes.values():
            history.keep(staying)

    def _result(self) -> SimulationResult:
        return SimulationResult(self._potentials, self._counts, self._trains, self._saturations, self._steps)


def longest_round(network: ChipNetwork, timesteps: int) -> int:
    """Steps that can be computed at once: up to the first spike that comes back by a cycle.

    Raises
    ------
    ValueError
        A projection would bring spikes before they are sent, or there are leads as well as cycles.
    """
    position = {population.name: index for index, population in enumerate(network.populations)}
    steps = timesteps
    for projection in network.projections:
        lag, back = network.lag(projection), position[projection.source] >= position[projection.target]
        if lag < back:
            raise ValueError(f"{projection.name}: spikes arrive {1 - lag if back else -lag} steps too early")
        if back:
            steps = min(steps, lag)
    if steps < timesteps and any(population.lead for population in network.populations):
        raise ValueError("a network with a cycle has populations with a lead, which no order of steps serves")
    return max(steps, 1)


def count_type(timesteps: int) -> type[np.int16] | type[np.int32]:
    """The type of spike counts of a window."""
    return np.int16 if timesteps <= np.iinfo(np.int16).max else np.int32


def steps_ahead(network: ChipNetwork) -> dict[str, int]:
    """How many firing steps of its own window each population is ahead of the first output on the global clock."""
    output = network.outputs[0]
    return {
        population.name: output.firing_start_step - population.firing_start_step for population in network.populations
    }


def steps_needed_ahead(network: ChipNetwork) -> dict[str, int]:
    """How many firing steps each population must be ahead of the last ones, because its targets have a lead."""
    ahead = {population.name: 0 for population in network.populations}
    done = set()
    for population in reversed(network.populations):
        done.add(population.name)
        for projection in network.incoming(population.name):
            # what a cycle brings back is older than the round
            if projection.source not in done:
                needed = ahead[population.name] + population.lead - network.lag(projection)
                ahead[projection.source] = max(ahead[projection.source], needed)
    return ahead


def joined(parts: list[SimulationResult]) -> SimulationResult:
    """The results of several batches as those of one; the parts are emptied, so that no two copies need memory."""
    return SimulationResult(
        potentials=np.concatenate([part.potentials for part in parts]),
        spike_counts=_concatenated([part.spike_counts for part in parts]),
        spike_trains=_concatenated([part.spike_trains for part in parts]),
        saturations=sum(part.saturations for part in parts),
        steps=np.concatenate([part.steps for part in parts]),
    )


def _concatenated(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}
