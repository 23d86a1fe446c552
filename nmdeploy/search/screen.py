"""Methods ordered by the error of rounding and clipping alone, for which no spike has to be simulated.

What a population loses whatever the order of its spikes is that its rate has as many levels as the window's counts,
and none above one spike a step. Evaluating the float network with activations clipped and rounded so costs as much as
evaluating it as it is: less than a simulation by the number of steps.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from nmdeploy.convert.convert import Converted, agreement, apply_method
from nmdeploy.spiking.evaluate import evaluate
from nmdeploy.spiking.network import FloatPopulation, SpikingNetwork, build_spiking_network


@dataclass(frozen=True)
class RoundedPopulation(FloatPopulation):
    """Units whose activations are those that spike counts can stand for.

    Attributes
    ----------
    levels : int
        Largest count.
    """

    levels: int = 1

    def activate(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Apply the activation function to values (..., channels), then clip and round to the nearest count."""
        activated = super().activate(values)
        if self.activation in ("none", "maximum"):
            return activated
        level = (self.scale / self.levels).astype(np.float32)
        rounded: NDArray[np.float32] = np.clip(np.rint(activated / level), -self.levels, self.levels) * level
        return rounded


def rounded(network: SpikingNetwork, levels: int) -> SpikingNetwork:
    """The network with activations that are clipped and rounded to so many levels of its scales."""
    populations = [
        RoundedPopulation(**{one.name: getattr(population, one.name) for one in fields(population)}, levels=levels)
        for population in network.populations
    ]
    return build_spiking_network(network.input_shape, [*populations], network.projections)


def screened(
    converted: Converted,
    methods: tuple[str, ...],
    levels: int,
    samples: NDArray[np.float32],
    reference: NDArray[np.float32],
) -> list[str]:
    """The methods, that of the least error of rounding and clipping first.

    Parameters
    ----------
    converted : Converted
    methods : tuple of str
        Names of `nmdeploy.convert.methods.METHODS`.
    levels : int
        Largest spike count of a window.
    samples : float32 array, (samples, channels, rows, columns)
    reference : float32 array, (samples, outputs)
        Of the float network on them.
    """

    def error(method: str) -> float:
        scaled, _ = apply_method(converted, method, levels)
        return agreement(evaluate(rounded(scaled, levels), samples).astype(np.float64), reference)[1]

    return sorted(methods, key=error)
