"""Neurons of one population that one Lava process computes, step by step through their windows. Needs no Lava."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmdeploy.lava.neuron_rules import NeuronRule
from nmdeploy.lava.recording import Recorder, Recording
from nmdeploy.lava.window_clock import WindowClock
from nmdeploy.simulator.neurons import neurons_last


@dataclass(frozen=True)
class NeuronState:
    """What neurons keep from step to step: arrays of a Lava process, or views of them, changed in place.

    Attributes
    ----------
    potential : int32 or int64 array, (batch, rows, columns, channels)
    spike_counts, net_spikes : int32 arrays, like `potential`
        Spikes since the window began; those of -1 count as 1, and as -1. `net_spikes` has each spike by the weight of
        its step, which is 1 in windows without refinement steps.
    """

    potential: NDArray[np.signedinteger[Any]]
    spike_counts: NDArray[np.int32]
    net_spikes: NDArray[np.int32]


@dataclass(frozen=True)
class Stepped:
    """What a step did.

    Attributes
    ----------
    spikes : int8 array, (batch, rows, columns, channels), or None
        None where the neurons do not fire in this step.
    saturations : int
        Potentials cut off.
    """

    spikes: NDArray[np.int8] | None = None
    saturations: int = 0


@dataclass(frozen=True)
class RecordedPart:
    """Where a part of a population records.

    Attributes
    ----------
    recording : Recording
        Of the population; its files exist.
    part : int
        Number of this part among those of the population.
    neurons : slice or integer array, (neurons of the part,)
        Where its neurons stand in the recording, in the order that `in_order` gives.
    in_order : callable
        From (batch, rows, columns, channels) to (batch, neurons).
    """

    recording: Recording
    part: int = 0
    neurons: slice | NDArray[np.intp] = slice(None)
    in_order: Callable[[NDArray[Any]], NDArray[Any]] = neurons_last


@dataclass(frozen=True)
class NeuronPart:
    """Neurons of one population.

    Attributes
    ----------
    rule : NeuronRule
    clock : WindowClock
    current : integer array, (windows, batch or 1, rows, columns, channels)
        Bias and input current of every step that takes input, of each window; taken in turn.
    recorded : RecordedPart or None
    """

    rule: NeuronRule
    clock: WindowClock
    current: NDArray[np.signedinteger[Any]]
    recorded: RecordedPart | None

    @cached_property
    def _recorder(self) -> Recorder | None:
        to = self.recorded
        return None if to is None else Recorder(to.recording, to.in_order, to.part, to.neurons)

    def step(self, time_step: int, arriving: NDArray[np.int32], state: NeuronState) -> Stepped:
        """Advance by one step of the global clock; outside of its windows a population is idle.

        Parameters
        ----------
        time_step : int
            As Lava counts: the first is 1.
        arriving : int32 array, (batch, rows, columns, channels)
            In membrane units.
        state : NeuronState
        """
        position = self.clock.position(time_step)
        if position is None:
            return Stepped()
        if position.step == 0:
            self._begin(state)
        saturations = 0
        if position.takes_input:
            current = arriving + self.current[position.window % len(self.current)]
            saturated = self.rule.integrate(state.potential, current, self.clock.input_shift(position.step))
            saturations = int(saturated.sum())
            if self._recorder is not None:
                self._recorder.add_saturations(saturated)
        if position.firing_step is None:
            return Stepped(None, saturations)
        firing = self.clock.firing(position.firing_step)
        spikes = self.rule.fire(state.potential, state.net_spikes, firing)
        state.spike_counts[...] += np.abs(spikes)
        state.net_spikes[...] += spikes if firing.weight_shift == 0 else spikes.astype(np.int32) << firing.weight_shift
        if self._recorder is not None:
            self._recorder.write(position.window, position.firing_step, spikes, state.potential)
        return Stepped(spikes, saturations)

    def _begin(self, state: NeuronState) -> None:
        self.rule.begin(len(state.potential))
        state.potential[...] = self.rule.initial_potential
        state.spike_counts[...] = 0
        state.net_spikes[...] = 0
