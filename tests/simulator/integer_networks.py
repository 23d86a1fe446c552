"""Small integer networks with known numbers, and the window semantics as plain loops."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from lava_backend.reference import constant_currents

from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph

WIDE = 2**23 - 1


def population(name, shape, **fields):
    channels = shape[0]
    given = {
        "reset": "subtract",
        "threshold": np.full(channels, 10, np.int64),
        "negative_threshold": None,
        "bias_mantissa": np.zeros((channels, 1, 1), np.int64),
        "bias_exponent": np.zeros((channels, 1, 1), np.int64),
        "initial_potential": np.zeros(channels, np.int64),
        "start_step": None,  # found by `network`
        "scale": np.ones(channels),
        **fields,
    }
    return Population(name, shape, **given)


def whole(source, target):
    """Every source neuron to every target channel; the target has one row and one column."""
    tables = [np.arange(size, dtype=np.int32)[None] for size in source[1:]]
    return Connectivity(source, target, *tables, (0, source[0]), (0, target[0]))


def one_to_one(shape):
    tables = [np.arange(size, dtype=np.int32)[:, None] for size in shape[1:]]
    return Connectivity(shape, shape, *tables, (0, shape[0]), (0, shape[0]), groups=shape[0])


def projection(source, target, connectivity, weights, **fields):
    weights = np.asarray(weights, np.int32).reshape(connectivity.weight_shape)
    given = {
        "name": f"{source}->{target}",
        "weight_exponent": 0,
        "weight_bits": 8,
        "sign_mode": "mixed",
        **fields,
    }
    return Projection(source=source, target=target, connectivity=connectivity, weights=weights, **given)


def input_projection(target, connectivity, weights, weight_fraction_bits=0, input_fraction_bits=0):
    weights = np.asarray(weights, np.int64).reshape(connectivity.weight_shape)
    return InputProjection("in", target, connectivity, weights, weight_fraction_bits, input_fraction_bits)


def network(populations, projections=(), inputs=(), *, input_shape=(1, 1, 1), timesteps=8, **fields):
    given = {
        "synapse_exponent": 0,
        "threshold_exponent": 0,
        "state_max": WIDE,
        "bias_mantissa_max": 4095,
        "bias_exponent_max": 7,
        **fields,
    }
    graph = build_graph(*balanced(populations, projections))
    return ChipNetwork(input_shape, timesteps, **given, graph=graph, input_projections=tuple(inputs))


def balanced(populations, projections):
    """A population without a start step gets one at which its sources' last spikes come, and the others wait."""
    done, delayed = {}, list(projections)
    for target in populations:
        if target.start_step is None:
            incoming = [index for index, one in enumerate(delayed) if one.target == target.name]
            arrivals = [done[delayed[index].source].start_step + 1 + delayed[index].delay for index in incoming]
            start = max(arrivals, default=0)
            for index, arrival in zip(incoming, arrivals, strict=True):
                delayed[index] = replace(delayed[index], delay=delayed[index].delay + start - arrival)
            target = replace(target, start_step=start)
        done[target.name] = target
    return list(done.values()), delayed


def chip_run(net, samples, timesteps=None, stop=None):
    """Spikes and potentials, dicts by population of int arrays (samples, steps, neurons), and saturations.

    The semantics of `mapping.network`, neuron by neuron in Python's integers, on the one clock that all populations
    have: samples follow each other every T + gap steps, and what is sent in a step arrives 1 + delay steps later,
    whatever it meets there.

    Parameters
    ----------
    stop : int, optional
        First global step that does not happen any more.
    """
    steps = net.timesteps if timesteps is None else timesteps
    starts = {p.name: p.start_step for p in net.populations}
    lags = [starts[p.source] + 1 + p.delay - starts[p.target] for p in net.projections]
    period = steps + max(lags, default=0)
    spikes, potentials = (
        {p.name: np.zeros((len(samples), steps, *p.shape), int) for p in net.populations} for _ in range(2)
    )
    currents = [{p.name: constant_currents(net, p, sample) for p in net.populations} for sample in samples]
    sent = {p.name: {} for p in net.populations}
    saturations = 0
    for now in range(len(samples) * period + max(starts.values()) if stop is None else stop):
        for p in net.populations:
            window, step = divmod(now - p.start_step, period)
            if not 0 <= window < len(samples) or step >= steps:
                continue
            sent[p.name][now] = np.zeros(p.shape, int)
            for neuron in np.ndindex(p.shape):
                v = int(potentials[p.name][(window, step - 1, *neuron)] if step else p.initial_potential[neuron[0]])
                v += currents[window][p.name][neuron]
                for incoming in net.incoming(p.name):
                    spiking = sent[incoming.source].get(now - 1 - incoming.delay)
                    if spiking is not None:
                        factor = 2 ** (net.synapse_exponent + incoming.weight_exponent)
                        v += factor * arriving(incoming, spiking, neuron)
                if abs(v) > net.state_max:
                    saturations += 1
                    v = net.state_max if v > 0 else -net.state_max
                spike, v = fire(p, neuron[0], v)
                sent[p.name][now][neuron] = spikes[p.name][(window, step, *neuron)] = spike
                potentials[p.name][(window, step, *neuron)] = v
    flat = [
        {name: a.reshape(len(samples), steps, -1) for name, a in arrays.items()} for arrays in (spikes, potentials)
    ]
    return *flat, saturations


def arriving(incoming, spikes, neuron):
    table, (o, y, x) = incoming.connectivity, neuron
    o -= table.target_channels[0]
    if not 0 <= o < table.out_channels:
        return 0
    per_group = table.in_channels // table.groups
    first = table.source_channels[0] + o // (table.out_channels // table.groups) * per_group
    total = 0
    for i, k, m in itertools.product(range(per_group), *map(range, incoming.weights.shape[2:])):
        row, column = table.rows[y, k], table.columns[x, m]
        if row >= 0 and column >= 0:
            total += int(incoming.weights[o, i, k, m]) * int(spikes[first + i, row, column])
    return total


def fire(p, channel, v):
    if p.reset == "none":
        return 0, v
    if v >= p.threshold[channel]:
        return 1, 0 if p.reset == "zero" else v - int(p.threshold[channel])
    if p.negative_threshold is not None and v <= -p.negative_threshold[channel]:
        return -1, 0 if p.reset == "zero" else v + int(p.negative_threshold[channel])
    return 0, v
