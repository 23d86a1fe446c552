"""One time step of a population: integrate, saturate, compare, reset."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import Population

IntArray = NDArray[np.int64]


class Neurons:
    """State of one population for a batch of samples, arrays (batch, rows, columns, channels).

    Implements steps 2 to 4 of the semantics in `mapping.network`.

    Parameters
    ----------
    population : Population
    potential : int64 array, (batch, rows, columns, channels)
        Before the first step; changed in place.
    state_max : int
        Magnitude at which the membrane potential saturates.
    """

    def __init__(self, population: Population, potential: IntArray, state_max: int) -> None:
        self._population = population
        self._state_max = state_max
        self.potential = potential
        self.saturations = 0

    def step(self, current: IntArray) -> NDArray[np.int8]:
        """Advance by one step.

        Parameters
        ----------
        current : int64 array, broadcastable to (batch, rows, columns, channels)
            Synaptic input, bias and input current of this step, in membrane units.

        Returns
        -------
        int8 array, (batch, rows, columns, channels)
            Spikes in {-1, 0, 1}.
        """
        population, potential = self._population, self.potential
        potential += current
        self.saturations += int(np.count_nonzero(np.abs(potential) > self._state_max))
        np.clip(potential, -self._state_max, self._state_max, out=potential)
        spikes = np.zeros(potential.shape, dtype=np.int8)
        if population.reset == "none":
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


def neurons_last(values: NDArray[Any]) -> NDArray[Any]:
    """(batch, rows, columns, channels) to (batch, neurons) in C order of (channels, rows, columns)."""
    return values.transpose(0, 3, 1, 2).reshape(len(values), math.prod(values.shape[1:]))
