"""Histograms of firing rates (Spiking-YOLO's third figure): how many neurons have which share of the largest count.

The rate is N / L, of the net count N and the levels L of the window (T without refinement steps). Counts are whole
numbers, so the bins are made of whole counts: w, the smallest number that gives at most `MOST_BINS` bins, in each but
perhaps the last. Silence is told apart, since most neurons are silent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from mapping.step_weights import window_weight
from nmdeploy.analysis.observe import Observed

IntArray = NDArray[np.int64]
MOST_BINS = 32


@dataclass(frozen=True)
class RateHistogram:
    """Net rates of one population, over neurons and samples.

    Attributes
    ----------
    name : str
    edges : tuple of float
        Rates between which the bins lie, from 0 to 1: those above ``edges[i]``, up to and with ``edges[i + 1]``.
    zero : int
        Neurons x samples of rate 0.
    positive : tuple of int
        Of rates in each bin.
    negative : tuple of int
        Of rates whose negative is in each bin; all zeros where there are no spikes of -1.
    """

    name: str
    edges: tuple[float, ...]
    zero: int
    positive: tuple[int, ...]
    negative: tuple[int, ...]


class RateTally:
    """Adds observations up to histograms of all populations that spike.

    Parameters
    ----------
    network : ChipNetwork
    timesteps : int
        T, the window.
    """

    def __init__(self, network: ChipNetwork, timesteps: int) -> None:
        self._largest = window_weight(timesteps, network.refinement_steps)
        self._counted: dict[str, IntArray] = {
            population.name: np.zeros(2 * self._largest + 1, dtype=np.int64)
            for population in network.populations
            if population.reset != "none"
        }

    def add(self, observed: Observed) -> None:
        """Count a population of a batch of samples."""
        counted = self._counted.get(observed.population.name)
        if counted is not None:
            counted += np.bincount(observed.net_counts.ravel() + self._largest, minlength=len(counted))

    def result(self) -> tuple[RateHistogram, ...]:
        """One histogram a population, in the order of the network."""
        return tuple(_histogram(name, counted, self._largest) for name, counted in self._counted.items())


def _histogram(name: str, counted: IntArray, largest: int) -> RateHistogram:
    """From how often each net count from the negative of the largest one to the largest occurred."""
    width = -(-largest // MOST_BINS)
    ends = [*range(width, largest, width), largest]
    starts = range(0, largest, width)
    positive, negative = counted[largest + 1 :], counted[largest - 1 :: -1]
    return RateHistogram(
        name=name,
        edges=(0.0, *(end / largest for end in ends)),
        zero=int(counted[largest]),
        positive=tuple(np.add.reduceat(positive, starts).tolist()),
        negative=tuple(np.add.reduceat(negative, starts).tolist()),
    )
