"""Neurons with a count memory over many steps as one compiled loop, equal to `nmdeploy.simulator.neurons` bit for bit.

All values are whole numbers, of 32 bits where these are proved to hold all that the comparison makes of them, else of
64. Saturation is not applied but noticed, as in `nmdeploy.simulator.fast_neurons`.

With ``A = N * theta`` and ``e = m - p`` the rules of `mapping.neuron_models` read ``+1 iff x >= up, -1 iff x < low``::

    exact      x = 2 * p * v    up = theta * m + 2 * e * A                    low = up - c * theta * m
    leaky      x = 2 * p * y    up = theta * m + 2 * m * A                    low = up - c * theta * m
    shifted    x = 2 * v        up = theta + ((2 * e * A + e * theta) >> s)   low = b * (d - theta)

where theta is the threshold times the weight of the step (`mapping.step_weights`), p and m are 1 in refinement steps,
and ``d = (2 * e * A / b - e * theta) >> s``; c = 2 and b = 1 for release "half", c = 3 and b = 2 for "threshold".
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population
from mapping.neuron_models import CountMemory
from mapping.step_weights import input_shift, window_weight
from nmdeploy.simulator.fast_neurons import (
    BLOCK,
    Fired,
    FloatArray,
    SaturatedError,
    Shortcut,
    State,
    largest_arriving,
    largest_magnitude,
)
from nmdeploy.simulator.products import FLOAT32_EXACT
from nmdeploy.simulator.span import Span

EXACT, LEAKY, SHIFTED = 0, 1, 2
Number = type[np.int32] | type[np.int64]


class CountingNeurons:
    """The neurons of one population with a count memory.

    Parameters
    ----------
    network : ChipNetwork
    population : Population
    memory : CountMemory
        That of the population.
    """

    def __init__(self, network: ChipNetwork, population: Population, memory: CountMemory) -> None:
        channels, rows, columns = population.shape
        self._place = (rows, columns, channels)
        self._memory = memory
        self._state_max = network.state_max
        self._largest_arriving = largest_arriving(network, population)
        self._threshold_max = int(population.threshold.max(initial=0))
        self._thresholds = self._by_neuron(population.threshold, np.int64)
        slope = memory.slope_mantissa
        self._slope_max = 0 if slope is None else int(np.abs(slope).max(initial=0))
        self._slopes = self._by_neuron(np.zeros(1, dtype=np.int64) if slope is None else slope, np.int64)

    def are_exact(self, constant: NDArray[np.int64], span: Span) -> bool:
        """Whether there is a type of `number`."""
        return self.number(constant, span) is not None

    def number(self, constant: NDArray[np.int64], span: Span) -> Number | None:
        """The narrowest type that holds everything whatever spikes arrive, unless a potential saturates.

        Parameters
        ----------
        constant : int64 array
            Bias and input current.
        span : Span
            Of the window; which part of it does not matter.

        Returns
        -------
        type or None
            None if there is none, or synaptic input may not be exact in float32.
        """
        if self._largest_arriving >= FLOAT32_EXACT:
            return None
        refinement = span.refinement_steps
        steps = span.timesteps - refinement if self._memory.paced else 1
        sent = window_weight(span.timesteps, refinement) * self._threshold_max
        taken_in = self._largest_arriving + largest_magnitude(constant) << refinement
        total = self._state_max + 2 * sent + taken_in
        sloped = total * self._slope_max
        largest = max(total, (sloped >> self._memory.slope_bits) + 1)
        compared = 2 * steps * (largest + sent) + (4 * steps * self._threshold_max << refinement)
        # the product with the slope is always one of 64 bits
        if max(compared, sloped) > np.iinfo(np.int64).max:
            return None
        return np.int32 if compared <= np.iinfo(np.int32).max else np.int64

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
        arriving : float32 array, (input steps, batch, rows, columns, channels)
            Synaptic input in membrane units; whole numbers. No steps if nothing can arrive.
        shortcut : Shortcut, optional
            Further synaptic input, of all input steps.
        constant : int64 array, (1 or batch, rows, columns, channels)
            Bias and input current of every step.
        before : State
        span : Span

        Raises
        ------
        SaturatedError
            The result would not be that of saturating neurons.
        """
        number = self.number(constant, span)
        assert number is not None
        batch, neurons = len(before.potential), math.prod(self._place)
        spikes = np.empty((span.steps, batch, neurons), dtype=np.int8)
        counts = np.empty((batch, neurons), dtype=number)
        potential = np.array(before.potential, dtype=number, order="C").reshape(batch, neurons)
        sent = np.array(before.sent, dtype=number, order="C").reshape(batch, neurons)
        if shortcut is None:
            shortcut = Shortcut(np.empty((0, batch, neurons), dtype=np.int8), np.zeros(1, dtype=np.float32))
        steps = range(span.start, span.stop)
        largest = _fire(
            _rule(self._memory),
            np.array([(taken.start, taken.stop) for taken in map(span.taken_in, steps)], dtype=np.int64),
            1 << span.input_shifts,
            np.array([_factors(self._memory, step, span) for step in steps], dtype=np.int64),
            _lowest_count(self._memory),
            arriving.reshape(len(arriving), batch, neurons),
            shortcut.spikes.reshape(len(shortcut.spikes), batch, neurons),
            self._by_neuron(shortcut.weights, number),
            constant.astype(number).reshape(len(constant), neurons),
            self._thresholds.astype(number),
            self._slopes,
            self._memory.slope_bits,
            spikes,
            counts,
            potential,
            sent,
        )
        if largest > self._state_max:
            raise SaturatedError
        of_sample = (batch, *self._place)
        return Fired(
            spikes.reshape(span.steps, *of_sample),
            counts.reshape(of_sample),
            State(potential.reshape(of_sample), sent.reshape(of_sample)),
        )

    def _by_neuron(self, values: NDArray[Any], dtype: Number) -> NDArray[Any]:
        return np.broadcast_to(values, self._place).astype(dtype).ravel()


def _rule(memory: CountMemory) -> int:
    if memory.shift_only:
        return SHIFTED
    return EXACT if memory.slope_mantissa is None else LEAKY


def _factors(memory: CountMemory, step: int, span: Span) -> tuple[int, int, int, int, int, int]:
    """Weight of the step; factors of v or y, of theta in `up`, and of A; c * m, or b if shifted; s. See the module."""
    ordinary = span.timesteps - span.refinement_steps
    weight = 1 << input_shift(step, span.timesteps, span.refinement_steps)
    elapsed = step + 1
    expected = min(elapsed + memory.lead, ordinary)
    if not memory.paced or step >= ordinary:
        elapsed = expected = 1
    ahead = expected - elapsed
    late = memory.release == "threshold" and step < ordinary
    if memory.shift_only:
        return weight, 2, ahead, 2 * ahead, 2 if late else 1, elapsed.bit_length() - 1
    of_count = 2 * (ahead if memory.slope_mantissa is None else expected)
    return weight, 2 * elapsed, expected, of_count, (3 if late else 2) * expected, 0


def _lowest_count(memory: CountMemory) -> int:
    """Spikes of -1 come only from neurons that have sent more than this."""
    if memory.release == "never":
        return int(np.iinfo(np.int32).max)
    return 0 if memory.slope_mantissa is None else int(np.iinfo(np.int32).min)


@numba.njit(inline="always")
def _weigh(values: NDArray[Any], weights: NDArray[np.int64], step: int, weighed: NDArray[Any]) -> None:
    """Fill `weighed` for a step; it holds the values of the step before, which mostly weigh the same."""
    if step == 0 or weights[step] != weights[step - 1]:
        for n in range(len(values)):
            weighed[n] = values[n] * weights[step]


@numba.njit(inline="always")
def _add_products(spikes: NDArray[np.int8], weights: NDArray[Any], potential: NDArray[Any]) -> None:
    number = potential.dtype.type
    for n in range(len(potential)):
        potential[n] += number(spikes[n]) * weights[n]


@numba.njit(inline="always")
def _integrate(
    current: FloatArray, unit: np.float32, constant: NDArray[Any], potential: NDArray[Any], worst: NDArray[Any]
) -> None:
    number = potential.dtype.type
    for n in range(len(potential)):
        value = number(potential[n] + number(current[n] * unit) + constant[n])
        magnitude = number(abs(value))
        worst[n] = magnitude if magnitude > worst[n] else worst[n]
        potential[n] = value


@numba.njit(inline="always")
def _step(
    rule: int,
    factors: NDArray[np.int64],
    lowest_count: int,
    current: FloatArray,
    unit: np.float32,
    constant: NDArray[Any],
    block: tuple[NDArray[Any], ...],
    slope_bits: int,
    spike: NDArray[np.int8],
) -> None:
    """Take in one step's input and fire; `on_count` is A of the module. Compiled for each constant `rule` by itself."""
    threshold, slope, potential, on_count, net, count, worst = block
    weight, of_value, of_threshold, of_count, below, shift = factors
    number = potential.dtype.type
    for n in range(len(potential)):
        theta = threshold[n]
        value = number(potential[n] + number(current[n] * unit) + constant[n])
        magnitude = number(abs(value))
        worst[n] = magnitude if magnitude > worst[n] else worst[n]
        compared = value
        if rule == LEAKY:
            total = number(value + on_count[n])
            leaking = number((np.int64(total) * slope[n]) >> slope_bits)
            compared = total if total >= 0 else leaking
        compared = number(of_value * compared)
        # each result is cut to its type at once: else the compiler computes all of them in 64 bits
        up = number(number(of_threshold * theta) + number(of_count * on_count[n]))
        low = number(up - number(below * theta))
        if rule == SHIFTED:
            low = number(below * ((((of_count // below) * on_count[n] - of_threshold * theta) >> shift) - theta))
            up = number((up >> shift) + theta)
        fires = compared >= up
        falls = (compared < low) & (net[n] > number(lowest_count))
        spike[n] = np.int8(fires) - np.int8(falls)
        change = theta if fires else number(0)
        change = number(-theta) if falls else change
        potential[n] = value - change
        on_count[n] += change
        change = number(weight) if fires else number(0)
        change = number(-weight) if falls else change
        net[n] += change
        count[n] += fires | falls


@numba.njit(nogil=True, cache=True, error_model="numpy", boundscheck=False)
def _fire(
    rule: int,
    inputs: NDArray[np.int64],
    units: NDArray[np.int64],
    factors: NDArray[np.int64],
    lowest_count: int,
    arriving: FloatArray,
    shortcut: NDArray[np.int8],
    shortcut_weights: NDArray[Any],
    constants: NDArray[Any],
    thresholds: NDArray[Any],
    slopes: NDArray[np.int64],
    slope_bits: int,
    spikes: NDArray[np.int8],
    counts: NDArray[Any],
    potentials: NDArray[Any],
    nets: NDArray[Any],
) -> int:
    """Largest magnitude of any potential before reset.

    Fills `spikes` and `counts`, and takes `potentials` and `nets` from before the first step to after the last.
    """
    steps, batch, neurons = spikes.shape
    blocks = (neurons + BLOCK - 1) // BLOCK
    largest = potentials.dtype.type(0)
    silence = np.zeros((1, 1, BLOCK), dtype=np.float32)
    for index in range(batch * blocks):
        sample = index // blocks
        start = (index - sample * blocks) * BLOCK
        stop = min(neurons, start + BLOCK)
        size = stop - start
        potential = potentials[sample, start:stop].copy()
        net = nets[sample, start:stop].copy()
        threshold = thresholds[start:stop].copy()
        constant = constants[sample if len(constants) > 1 else 0, start:stop].copy()
        shortcut_weight = shortcut_weights[start:stop].copy()
        slope = slopes[start:stop].copy()
        on_count = net * threshold
        count = np.zeros(size, dtype=potentials.dtype)
        worst = np.zeros(size, dtype=potentials.dtype)
        nothing = np.zeros(size, dtype=potentials.dtype)
        weighed_threshold, weighed_constant, weighed_shortcut = nothing.copy(), nothing.copy(), nothing.copy()
        block = (weighed_threshold, slope, potential, on_count, net, count, worst)
        for step in range(steps):
            # the last step's input is taken in by the loop that fires, or none if there is none left
            current, unit, added = silence[0, 0, :size], np.float32(1.0), nothing
            for i in range(inputs[step, 0], inputs[step, 1]):
                if i > inputs[step, 0]:
                    _integrate(current, unit, added, potential, worst)
                unit = np.float32(units[i])
                if len(arriving) > 0:
                    current = arriving[i, sample, start:stop]
                _weigh(constant, units, i, weighed_constant)
                added = weighed_constant
                if len(shortcut) > 0:
                    _weigh(shortcut_weight, units, i, weighed_shortcut)
                    _add_products(shortcut[i, sample, start:stop], weighed_shortcut, potential)
            _weigh(threshold, factors[:, 0], step, weighed_threshold)
            spike = spikes[step, sample, start:stop]
            if rule == EXACT:
                _step(EXACT, factors[step], lowest_count, current, unit, added, block, slope_bits, spike)
            elif rule == LEAKY:
                _step(LEAKY, factors[step], lowest_count, current, unit, added, block, slope_bits, spike)
            else:
                _step(SHIFTED, factors[step], lowest_count, current, unit, added, block, slope_bits, spike)
        counts[sample, start:stop] = count
        potentials[sample, start:stop] = potential
        nets[sample, start:stop] = net
        largest = max(largest, worst.max())
    return int(largest)
