"""One time step of a population: integrate, saturate, compare, reset."""

from __future__ import annotations

import math
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from mapping.network import Population
from mapping.neuron_models import CountMemory
from mapping.step_weights import input_shift

IntArray = NDArray[np.int64]
Array = TypeVar("Array")


class Neurons:
    """State of one population for a batch of samples, arrays (batch, rows, columns, channels).

    Implements steps 2 to 4 of the semantics in `mapping.network`, and neurons with a count memory.

    Parameters
    ----------
    population : Population
        No maximum over counts.
    potential : int64 array, (batch, rows, columns, channels)
        Before the first step; changed in place.
    sent : int64 array, like `potential`, or None
        Net spikes that neurons with a count memory have sent; changed in place. None for others.
    state_max : int
        Magnitude at which the membrane potential saturates.
    """

    def __init__(self, population: Population, potential: IntArray, sent: IntArray | None, state_max: int) -> None:
        self._population = population
        self._state_max = state_max
        self.potential = potential
        self.sent = sent
        self.saturations = 0

    def integrate(self, current: IntArray) -> None:
        """Take in the input of one step.

        Parameters
        ----------
        current : int64 array, broadcastable to (batch, rows, columns, channels)
            Synaptic input, bias and input current of this step, in membrane units.
        """
        potential = self.potential
        potential += current
        self.saturations += int(np.count_nonzero(np.abs(potential) > self._state_max))
        np.clip(potential, -self._state_max, self._state_max, out=potential)

    def fire(self, step: int, timesteps: int, refinement_steps: int = 0) -> NDArray[np.int8]:
        """Compare, spike and reset.

        Parameters
        ----------
        step : int
            Firing step of the window; counts for neurons with a count memory only, as `timesteps` does.
        timesteps : int
            T, length of the window.
        refinement_steps : int
            Of the window.

        Returns
        -------
        int8 array, (batch, rows, columns, channels)
            Spikes in {-1, 0, 1}.
        """
        population, potential = self._population, self.potential
        spikes = np.zeros(potential.shape, dtype=np.int8)
        if population.reset == "none":
            return spikes
        if population.count_memory is not None and self.sent is not None:
            spikes[...] = counted_spikes(
                population.count_memory,
                potential,
                self.sent,
                population.threshold,
                step,
                timesteps,
                refinement_steps=refinement_steps,
            )
            weighed = spikes.astype(np.int64) << input_shift(step, timesteps, refinement_steps)
            potential -= weighed * population.threshold
            self.sent += weighed
            return spikes
        positive = potential >= population.threshold
        spikes[positive] = 1
        self._reset(positive, -population.threshold)
        if population.negative_threshold is not None:
            negative = (potential <= -population.negative_threshold) & ~positive
            spikes[negative] = -1
            self._reset(negative, population.negative_threshold)
        return spikes

    def _reset(self, spiking: NDArray[np.bool_], change: IntArray) -> None:
        if self._population.reset == "zero":
            self.potential[spiking] = 0
        else:
            self.potential += spiking * change


def counted_spikes(
    memory: CountMemory,
    potential: Array,
    sent: Array,
    threshold: Array,
    step: int,
    timesteps: int,
    slope_mantissa: Array | None = None,
    refinement_steps: int = 0,
) -> Array:
    """Spikes in {-1, 0, 1} of neurons with a count memory, by the rule of `mapping.neuron_models`.

    Parameters
    ----------
    memory : CountMemory
    potential, sent : int64 arrays of NumPy or torch, (batch, rows, columns, channels)
    threshold : int64 array of the same kind, (channels,)
    step : int
        Firing step, from 0.
    timesteps : int
    slope_mantissa : int64 array of the same kind, (channels,), optional
        That of `memory`, which is NumPy's.
    refinement_steps : int
        Of the window; `sent` counts spikes by the weights of their steps.

    Returns
    -------
    int64 array of the same kind, (batch, rows, columns, channels)
    """
    v, count, theta = cast("tuple[Any, Any, Any]", (potential, sent, threshold))
    slope: Any = memory.slope_mantissa if slope_mantissa is None else slope_mantissa
    ordinary = timesteps - refinement_steps
    weight = 1 << input_shift(step, timesteps, refinement_steps)
    refines = step >= ordinary
    elapsed = 1 if refines else step + 1
    expected = min(elapsed + memory.lead, ordinary) if memory.paced and not refines else elapsed
    if memory.shift_only:
        shift, ahead = elapsed.bit_length() - 1, expected - elapsed
        rises = 2 * v >= theta + (((2 * count + 1) * ahead * theta) >> shift)
        falls = {
            "half": lambda: 2 * v < -theta + (((2 * count - 1) * ahead * theta) >> shift),
            "threshold": lambda: v < -theta + (((count - 1) * ahead * theta) >> shift),
        }
    else:
        total = v + count * theta
        if slope is not None:
            total = total + (total < 0) * (((total * slope) >> memory.slope_bits) - total)
        owed, unit = total * elapsed, theta * expected
        rises = 2 * owed >= (2 * count + weight) * unit
        falls = {
            "half": lambda: 2 * owed < (2 * count - weight) * unit,
            "threshold": lambda: owed < (count - weight) * unit,
        }
    spikes: Array = 1 * rises
    if memory.release != "never":
        negative = falls["half" if refines else memory.release]()
        if slope is None:
            negative = negative & (count > 0)
        spikes = spikes - 1 * negative
    return spikes


def neurons_last(values: NDArray[Any]) -> NDArray[Any]:
    """(batch, rows, columns, channels) to (batch, neurons) in C order of (channels, rows, columns)."""
    return values.transpose(0, 3, 1, 2).reshape(len(values), math.prod(values.shape[1:]))
