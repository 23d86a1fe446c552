"""The semantics of `mapping.network` once more, as plain loops over synapses on the global clock."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np


def synapses(connectivity, weights):
    """(source neuron, target neuron, weight) of every synapse; neurons as (channel, row, column)."""
    found = []
    out_per_group = connectivity.out_channels // connectivity.groups
    in_per_group = connectivity.in_channels // connectivity.groups
    _, rows, columns = connectivity.target_shape
    for o, y, x in itertools.product(range(connectivity.out_channels), range(rows), range(columns)):
        for i, k, m in itertools.product(range(in_per_group), *map(range, weights.shape[2:])):
            row, column = int(connectivity.rows[y, k]), int(connectivity.columns[x, m])
            if row < 0 or column < 0:
                continue
            channel = connectivity.source_channels[0] + (o // out_per_group) * in_per_group + i
            target = (connectivity.target_channels[0] + o, y, x)
            found.append(((channel, row, column), target, int(weights[o, i, k, m])))
    return found


def round_half_up(value):
    return math.floor(value + Fraction(1, 2))


def bias_field(network, current):
    """Nearest mantissa * 2**exponent with the smallest exponent whose mantissa fits."""
    for exponent in range(network.bias_exponent_max + 1):
        mantissa = round_half_up(Fraction(current, 2**exponent))
        if abs(mantissa) <= network.bias_mantissa_max:
            return mantissa << exponent
    raise OverflowError(current)


def constant_currents(network, population, sample):
    """Bias and input current of each neuron, a dict by (channel, row, column)."""
    bias = np.broadcast_to(population.bias_mantissa * 2**population.bias_exponent, population.shape)
    currents = {neuron: int(bias[neuron]) for neuron in np.ndindex(population.shape)}
    projections = [p for p in network.input_projections if p.target == population.name]
    for projection in projections:
        fraction = projection.weight_fraction_bits + projection.input_fraction_bits
        start, stop = projection.connectivity.target_channels
        sums = {neuron: 0 for neuron in currents if start <= neuron[0] < stop}
        for source, target, weight in synapses(projection.connectivity, projection.weights):
            value = round(Fraction(float(sample[source])) * 2**projection.input_fraction_bits)
            sums[target] += weight * value
        for neuron, total in sums.items():
            currents[neuron] += round_half_up(Fraction(total, 2**fraction))
    if projections:
        currents = {neuron: bias_field(network, current) for neuron, current in currents.items()}
    return currents


class ReferenceRun:
    """All samples one after another on one clock, each T steps and the steps for which late spikes are on their way.

    Attributes
    ----------
    spikes : dict by population of dict by (sample, step, neuron)
    potentials : the same
    saturations : int
    """

    def __init__(self, network, samples):
        steps = network.timesteps
        starts = {p.name: p.start_step for p in network.populations}
        lags = [starts[p.source] + 1 + p.delay - starts[p.target] for p in network.projections]
        period = steps + max(lags, default=0)
        self.saturations = 0
        self.spikes = {p.name: {} for p in network.populations}
        self.potentials = {p.name: {} for p in network.populations}
        sent = {p.name: {} for p in network.populations}  # by global step: list of (neuron, sign)
        potential = {p.name: {} for p in network.populations}
        tables = {p.name: synapses(p.connectivity, p.weights) for p in network.projections}
        currents = [
            {p.name: constant_currents(network, p, sample) for p in network.populations} for sample in samples
        ]
        for now in range(max(starts.values()) + period * len(samples)):
            for population in network.populations:
                window, step = divmod(now - population.start_step, period)
                if not 0 <= window < len(samples) or step >= steps:
                    continue
                name = population.name
                arriving = dict(currents[window][name])
                for projection in network.incoming(name):
                    factor = 2 ** (network.synapse_exponent + projection.weight_exponent)
                    spikes = sent[projection.source].get(now - 1 - projection.delay, {})
                    for source, target, weight in tables[projection.name]:
                        arriving[target] += weight * spikes.get(source, 0) * factor
                sent[name][now] = {}
                for neuron, current in arriving.items():
                    start = int(population.initial_potential[neuron[0]])
                    before = start if step == 0 else potential[name][neuron]
                    spike, after = self._advance(population, neuron[0], before + current, network.state_max)
                    sent[name][now][neuron] = spike
                    potential[name][neuron] = after
                    self.spikes[name][window, step, neuron] = spike
                    self.potentials[name][window, step, neuron] = after

    def _advance(self, population, channel, v, state_max):
        if abs(v) > state_max:
            self.saturations += 1
            v = state_max if v > 0 else -state_max
        if population.reset == "none":
            return 0, v
        threshold = int(population.threshold[channel])
        if v >= threshold:
            return 1, 0 if population.reset == "zero" else v - threshold
        if population.negative_threshold is not None:
            negative = int(population.negative_threshold[channel])
            if v <= -negative:
                return -1, 0 if population.reset == "zero" else v + negative
        return 0, v

    def trains(self, network, name, samples):
        """int array, (samples, steps, neurons)."""
        return self._array(network, self.spikes, name, samples)

    def traces(self, network, name, samples):
        """int array, (samples, steps, neurons)."""
        return self._array(network, self.potentials, name, samples)

    @staticmethod
    def _array(network, values, name, samples):
        shape = network.population(name).shape
        array = np.zeros((samples, network.timesteps, *shape), np.int64)
        for (window, step, neuron), value in values[name].items():
            array[(window, step, *neuron)] = value
        return array.reshape(samples, network.timesteps, -1)
