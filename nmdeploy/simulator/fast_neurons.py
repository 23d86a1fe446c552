"""The threshold recurrence of many steps as one compiled loop, equal to `nmdeploy.simulator.neurons` bit for bit.

All values are whole numbers below 2^24, which float32 holds exactly. Saturation is not applied but noticed: it is rare,
and whoever is told of it computes the window again with `Neurons`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population
from nmdeploy.simulator.products import FLOAT32_EXACT
from nmdeploy.simulator.span import Span

# Neurons whose state a thread keeps in its nearest cache.
BLOCK = 1024
FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Shortcut:
    """One synapse a neuron, applied within the loop.

    Attributes
    ----------
    spikes : int8 array, (steps, batch, rows, columns, channels)
        Already at the place of the target neuron.
    weights : float32 array, (channels,)
        In membrane units.
    """

    spikes: NDArray[np.int8]
    weights: FloatArray


@dataclass(frozen=True)
class State:
    """What neurons keep from one round to the next; whole numbers.

    Attributes
    ----------
    potential : array, (batch, rows, columns, channels)
    sent : array, like `potential`, or None
        Net spikes so far of neurons with a count memory; None for others.
    """

    potential: NDArray[Any]
    sent: NDArray[Any] | None = None


@dataclass(frozen=True)
class Fired:
    """What neurons did in a round.

    Attributes
    ----------
    spikes : int8 array, (steps, batch, rows, columns, channels)
    counts : array, (batch, rows, columns, channels)
        Number of spikes, both signs counted; whole numbers.
    after : State
    """

    spikes: NDArray[np.int8]
    counts: NDArray[Any]
    after: State


class SaturatedError(Exception):
    """A potential left the state's range."""


class FastNeurons:
    """The neurons of one integrate-and-fire population with spikes +1 only.

    Parameters
    ----------
    network : ChipNetwork
    population : Population
    """

    def __init__(self, network: ChipNetwork, population: Population) -> None:
        channels, rows, columns = population.shape
        self._place = (rows, columns, channels)
        self._state_max = network.state_max
        self._largest_arriving = largest_arriving(network, population)
        self._thresholds = self._by_neuron(population.threshold)
        self._reset_to_zero = population.reset == "zero"

    def are_exact(self, constant: NDArray[np.int64], span: Span) -> bool:
        """Whether every potential of a step, before it saturates, is below 2^24 whatever spikes arrive.

        Parameters
        ----------
        constant : int64 array
            Bias and input current.
        span : Span
            Of the window, which does not matter to these neurons.
        """
        largest = self._largest_arriving + largest_magnitude(constant)
        return self._state_max + largest < FLOAT32_EXACT

    def fire(
        self,
        arriving: FloatArray,
        shortcut: Shortcut | None,
        constant: NDArray[np.int64],
        before: State,
        span: Span,
    ) -> Fired:
        """Spikes of a round of steps.

        Parameters
        ----------
        arriving : float32 array, (steps, batch, rows, columns, channels)
            Synaptic input in membrane units; whole numbers. No steps if nothing can arrive.
        shortcut : Shortcut, optional
            Further synaptic input.
        constant : int64 array, (1 or batch, rows, columns, channels)
            Bias and input current of every step.
        before : State
        span : Span

        Raises
        ------
        SaturatedError
            The result would not be that of saturating neurons.
        """
        steps, batch = span.steps, len(before.potential)
        neurons = math.prod(self._place)
        spikes = np.empty((steps, batch, neurons), dtype=np.bool_)
        counts = np.empty((batch, neurons), dtype=np.float32)
        after = np.array(before.potential, dtype=np.float32, order="C").reshape(batch, neurons)
        if shortcut is None:
            shortcut = Shortcut(np.empty((0, batch, neurons), dtype=np.int8), np.zeros(1, dtype=np.float32))
        arrays = (
            arriving.reshape(len(arriving), batch, neurons),
            shortcut.spikes.reshape(len(shortcut.spikes), batch, neurons),
            self._by_neuron(shortcut.weights),
            constant.astype(np.float32).reshape(len(constant), neurons),
            self._thresholds,
            self._reset_to_zero,
            spikes,
            counts,
            after,
        )
        if _fire(*arrays) > self._state_max:
            raise SaturatedError
        of_sample = (batch, *self._place)
        return Fired(
            spikes.view(np.int8).reshape(steps, *of_sample),
            counts.reshape(of_sample),
            State(after.reshape(of_sample)),
        )

    def _by_neuron(self, values: NDArray[Any]) -> FloatArray:
        return np.broadcast_to(values, self._place).astype(np.float32).ravel()


def largest_magnitude(values: NDArray[np.int64]) -> int:
    """Of an array of integers, without a copy of it."""
    return max(int(values.max(initial=0)), -int(values.min(initial=0)))


def largest_arriving(network: ChipNetwork, population: Population) -> int:
    """Magnitude of the largest synaptic input of a step, whatever spikes arrive."""
    arriving = np.zeros(population.shape[0], dtype=np.int64)
    for projection in network.incoming(population.name):
        start, stop = projection.connectivity.target_channels
        sums = np.abs(projection.weights.astype(np.int64)).sum(axis=(1, 2, 3))
        arriving[start:stop] += sums << network.shift(projection)
    return int(arriving.max(initial=0))


@numba.njit(nogil=True, cache=True, error_model="numpy", boundscheck=False)
def _fire(
    arriving: FloatArray,
    shortcut: NDArray[np.int8],
    shortcut_weights: FloatArray,
    constants: FloatArray,
    thresholds: FloatArray,
    reset_to_zero: bool,
    spikes: NDArray[np.bool_],
    counts: FloatArray,
    potentials: FloatArray,
) -> float:
    """Largest magnitude of any potential before reset.

    Fills `spikes` and `counts`, and takes `potentials` from before the first step to after the last.
    """
    steps, batch, neurons = spikes.shape
    blocks = (neurons + BLOCK - 1) // BLOCK
    largest = np.float32(0.0)
    silence = np.zeros((1, 1, BLOCK), dtype=np.float32)
    for index in range(batch * blocks):
        sample = index // blocks
        start = (index - sample * blocks) * BLOCK
        stop = min(neurons, start + BLOCK)
        potential = potentials[sample, start:stop].copy()
        threshold = thresholds[start:stop].copy()
        constant = constants[sample if len(constants) > 1 else 0, start:stop].copy()
        weight = shortcut_weights[start:stop].copy()
        count = np.zeros(stop - start, dtype=np.float32)
        worst = np.zeros(stop - start, dtype=np.float32)
        # what a spike takes away: the threshold, or all of the potential
        kept = np.float32(0.0) if reset_to_zero else np.float32(1.0)
        for step in range(steps):
            current = silence[0, 0, : stop - start]
            if len(arriving) > 0:
                current = arriving[step, sample, start:stop]
            spike = spikes[step, sample, start:stop]
            if len(shortcut) > 0:
                extra = shortcut[step, sample, start:stop]
                for n in range(stop - start):
                    potential[n] += np.float32(extra[n]) * weight[n]
            for n in range(stop - start):
                value = potential[n] + current[n] + constant[n]
                magnitude = abs(value)
                worst[n] = magnitude if magnitude > worst[n] else worst[n]
                fires = value >= threshold[n]
                spike[n] = fires
                count[n] += np.float32(fires)
                after = (value - threshold[n]) * kept
                potential[n] = after if fires else value
        counts[sample, start:stop] = count
        potentials[sample, start:stop] = potential
        largest = max(largest, worst.max())
    return float(largest)
