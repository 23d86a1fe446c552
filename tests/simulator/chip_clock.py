"""The semantics of `mapping.network` and `mapping.neuron_models` as plain loops on the clock that all share."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from lava_backend.reference import constant_currents
from neuron_rules import after_spike, counted_spike, threshold_spike


@dataclass
class Neuron:
    """What a neuron keeps from step to step: potential, net spikes, and net spikes that each synapse has brought."""

    v: int
    sent: int = 0
    brought: dict = field(default_factory=dict)


def chip_run(net, samples, timesteps=None, stop=None):
    """Spikes and potentials, dicts by population of int arrays (samples, firing steps, neurons), and saturations.

    Neuron by neuron in Python's integers, on the one clock that all populations have: samples follow each other every
    T + gap steps, and what is sent in a step arrives 1 + delay steps later, whatever it meets there.

    Parameters
    ----------
    stop : int, optional
        First global step that does not happen any more.
    """
    steps = net.timesteps if timesteps is None else timesteps
    weights = step_weights(steps, net.refinement_steps)
    starts, leads = {p.name: p.start_step for p in net.populations}, {p.name: lead(p) for p in net.populations}
    lags = [starts[p.source] + leads[p.source] + 1 + p.delay - starts[p.target] for p in net.projections]
    period = steps + max([0, *lags, *leads.values()])
    spikes, potentials = (
        {p.name: np.zeros((len(samples), steps, *p.shape), int) for p in net.populations} for _ in range(2)
    )
    currents = [{p.name: constant_currents(net, p, sample) for p in net.populations} for sample in samples]
    sent = {p.name: {} for p in net.populations}
    states = {p.name: {} for p in net.populations}
    saturations = 0
    for now in range(len(samples) * period + max(starts.values()) if stop is None else stop):
        for p in net.populations:
            window, step = divmod(now - p.start_step, period)
            if not 0 <= window < len(samples) or step >= steps + leads[p.name]:
                continue
            firing = step - leads[p.name]
            if firing >= 0:
                sent[p.name][now] = np.zeros(p.shape, int)
            for neuron in np.ndindex(p.shape):
                if step == 0:
                    states[p.name][neuron] = Neuron(int(p.initial_potential[neuron[0]]))
                state = states[p.name][neuron]
                if step < steps:
                    brought = list(arriving(net, p, neuron, sent, now))
                    saturations += take_in(net, p, state, currents[window][p.name][neuron], brought, weights[step])
                if firing >= 0:
                    spike = fire(p, neuron[0], state, firing, weights)
                    sent[p.name][now][neuron] = spikes[p.name][(window, firing, *neuron)] = spike
                    potentials[p.name][(window, firing, *neuron)] = state.v
    flat = [
        {name: a.reshape(len(samples), steps, -1) for name, a in arrays.items()} for arrays in (spikes, potentials)
    ]
    return *flat, saturations


def step_weights(steps, refinement_steps):
    """1/2, 1/4, ... of a step for the last ones; in whole numbers, the last being 1 if there is any such."""
    refining = [2 ** (refinement_steps - 1 - index) for index in range(refinement_steps)]
    return ([2**refinement_steps] * steps + refining)[-steps:]


def lead(p):
    return p.count_memory.lead if p.count_memory is not None else 0


def arriving(net, p, neuron, sent, now):
    """(synapse, its weight in membrane units, what it brings) for all synapses of a neuron."""
    for incoming in net.incoming(p.name):
        spiking = sent[incoming.source].get(now - 1 - incoming.delay)
        factor = 2 ** (net.synapse_exponent + incoming.weight_exponent)
        for tap, source, weight in synapses(incoming, neuron):
            yield (incoming.name, tap), weight * factor, 0 if spiking is None else int(spiking[source])


def synapses(incoming, neuron):
    """(tap, source neuron, weight) of one target neuron."""
    table, (o, y, x) = incoming.connectivity, neuron
    o -= table.target_channels[0]
    if not 0 <= o < table.out_channels:
        return
    per_group = table.in_channels // table.groups
    first = table.source_channels[0] + o // (table.out_channels // table.groups) * per_group
    for tap in itertools.product(range(per_group), *map(range, incoming.weights.shape[2:])):
        i, k, m = tap
        source = (first + i, table.rows[y, k], table.columns[x, m])
        if min(source) >= 0:
            yield tap, source, int(incoming.weights[o, i, k, m])


def take_in(net, p, state, current, brought, weight=1):
    """Add the input of a step; whether the potential is cut off."""
    if p.pool_counts is not None:
        for synapse, _, spike in brought:
            state.brought[synapse] = state.brought.get(synapse, 0) + spike * weight
        return False
    state.v += weight * (current + sum(synaptic * spike for _, synaptic, spike in brought))
    cut_off = abs(state.v) > net.state_max
    if cut_off:
        state.v = net.state_max if state.v > 0 else -net.state_max
    return cut_off


def fire(p, channel, state, step, weights):
    """The spike of a firing step, after which the neuron is as it is before the next."""
    if p.pool_counts is not None:
        change = max(state.brought.values(), default=state.sent) - state.sent
        assert change % weights[step] == 0
        spike = change // weights[step]
    elif p.count_memory is not None:
        threshold = int(p.threshold[channel])
        spike = counted_spike(p.count_memory, channel, threshold, state.v, state.sent, step, weights)
    else:
        spike = threshold_spike(p, channel, state.v)
    state.sent += spike * weights[step]
    state.v = after_spike(p, channel, state.v, spike, weights[step])
    return spike
