"""One time step of a population as `nmdeploy.simulator.neurons` computes it, with torch on any device."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from mapping.network import Population
from mapping.step_weights import input_shift
from nmdeploy.simulator.neurons import counted_spikes


class TensorNeurons:
    """State of one population for a batch of samples, tensors (batch, rows, columns, channels).

    Parameters
    ----------
    population : Population
        No maximum over counts.
    potential : tensor
        Whole numbers before the first step, in a type that holds every potential; int64 for neurons with a count
        memory.
    sent : int64 tensor, like `potential`, or None
        Net spikes that neurons with a count memory have sent; None for others.
    state_max : int
        Magnitude at which the membrane potential saturates.
    """

    def __init__(self, population: Population, potential: Tensor, sent: Tensor | None, state_max: int) -> None:
        self._population = population
        self._state_max = state_max
        self.potential = potential
        self.sent = sent
        self.saturations = torch.zeros((), dtype=torch.int64, device=potential.device)
        memory = population.count_memory
        self._threshold = self._by_channel(population.threshold)
        self._negative_threshold = self._by_channel(population.negative_threshold)
        self._slope_mantissa = None if memory is None else self._by_channel(memory.slope_mantissa)

    def integrate(self, current: Tensor) -> None:
        """Take in the input of one step.

        Parameters
        ----------
        current : tensor, (batch, rows, columns, channels), of the potential's type
            Synaptic input, bias and input current of this step, in membrane units.
        """
        potential = self.potential + current
        self.saturations += (potential.abs() > self._state_max).sum()
        self.potential = potential.clamp(-self._state_max, self._state_max)

    def fire(self, step: int, timesteps: int, refinement_steps: int) -> Tensor:
        """Compare, spike and reset; see `nmdeploy.simulator.neurons.Neurons.fire`.

        Returns
        -------
        int8 tensor, (batch, rows, columns, channels)
            Spikes in {-1, 0, 1}.
        """
        population, potential = self._population, self.potential
        if population.reset == "none":
            return torch.zeros(potential.shape, dtype=torch.int8, device=potential.device)
        memory = population.count_memory
        if memory is not None and self.sent is not None:
            spikes: Tensor = counted_spikes(
                memory,
                potential,
                self.sent,
                self._threshold,
                step,
                timesteps,
                self._slope_mantissa,
                refinement_steps,
            )
            weighed = spikes << input_shift(step, timesteps, refinement_steps)
            self.potential = potential - weighed * self._threshold
            self.sent = self.sent + weighed
            return spikes.to(torch.int8)
        fires = potential >= self._threshold
        spikes = fires.to(torch.int8)
        change = fires * self._threshold
        if self._negative_threshold is not None:
            negative = (potential <= -self._negative_threshold) & ~fires
            spikes -= negative.to(torch.int8)
            change = change - negative * self._negative_threshold
        self.potential = potential - change if population.reset == "subtract" else potential * (spikes == 0)
        return spikes

    def _by_channel(self, values: NDArray[Any] | None) -> Any:
        if values is None:
            return None
        return torch.tensor(values, dtype=self.potential.dtype, device=self.potential.device)
