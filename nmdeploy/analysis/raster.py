"""Spikes of some neurons over time (Spiking-YOLO's fifth figure), on the one clock that all populations share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from nmdeploy.analysis.observe import Observed

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class NeuronSpikes:
    """Spikes of one neuron.

    Attributes
    ----------
    population : str
    channel, row, column : int
    first_step : int
        Global step in which it can spike first: the first firing step of its population.
    steps : tuple of int
        Global steps in which it spikes.
    signs : tuple of int
        1 or -1 for each of them.
    """

    population: str
    channel: int
    row: int
    column: int
    first_step: int
    steps: tuple[int, ...]
    signs: tuple[int, ...]


@dataclass(frozen=True)
class Raster:
    """Spikes of sampled neurons for the first sample of the data.

    Attributes
    ----------
    seed : int
        Of the choice of neurons.
    timesteps : int
        T: each neuron can spike in so many steps from its first one on.
    neurons : tuple of NeuronSpikes
        In the order of the network, then of the neurons in C order.
    """

    seed: int
    timesteps: int
    neurons: tuple[NeuronSpikes, ...]


class RasterTally:
    """Takes the sampled neurons' spikes from the first observation of each population.

    Parameters
    ----------
    network : ChipNetwork
    count : int
        Neurons, or all if there are fewer. Populations that spike have equally many, or one more the first of them,
        as far as they have so many: drawn from all alike, most would be of the first few, large populations.
    seed : int
    """

    def __init__(self, network: ChipNetwork, count: int, seed: int) -> None:
        self._seed = seed
        self._timesteps = 0
        self._chosen = sampled_neurons(network, count, seed)
        self._spikes: dict[str, list[NeuronSpikes]] = {}

    def add(self, observed: Observed) -> None:
        """Take the spikes of a population, if it is not known yet."""
        name = observed.population.name
        if name in self._spikes:
            return
        self._timesteps = observed.timesteps
        self._spikes[name] = [_spikes(observed, neuron) for neuron in self._chosen.get(name, [])]

    def result(self) -> Raster:
        """Of the first batch."""
        return Raster(
            self._seed, self._timesteps, tuple(neuron for found in self._spikes.values() for neuron in found)
        )


def sampled_neurons(network: ChipNetwork, count: int, seed: int) -> dict[str, list[int]]:
    """Choose neurons.

    Returns
    -------
    dict of population name to list of int
        Numbers of neurons in C order of (channel, row, column), ascending.
    """
    random = np.random.default_rng(seed)
    left = {
        population.name: population.neuron_count for population in network.populations if population.reset != "none"
    }
    shares = dict.fromkeys(left, 0)
    for _ in range(min(count, sum(left.values()))):
        # the first of those that have the smallest share and neurons left
        name = min((name for name in left if left[name] > shares[name]), key=lambda name: shares[name])
        shares[name] += 1
    return {
        name: sorted(random.choice(left[name], size=share, replace=False).tolist()) for name, share in shares.items()
    }


def _spikes(observed: Observed, neuron: int) -> NeuronSpikes:
    population = observed.population
    train = observed.first_train[:, neuron]
    steps: IntArray = np.flatnonzero(train)
    channel, row, column = (int(place) for place in np.unravel_index(neuron, population.shape))
    return NeuronSpikes(
        population=population.name,
        channel=channel,
        row=row,
        column=column,
        first_step=population.firing_start_step,
        steps=tuple((steps + population.firing_start_step).tolist()),
        signs=tuple(train[steps].tolist()),
    )
