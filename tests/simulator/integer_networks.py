"""Small integer networks with known numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

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
            arrivals = [done[delayed[index].source].firing_start_step + 1 + delayed[index].delay for index in incoming]
            start = max(arrivals, default=0)
            for index, arrival in zip(incoming, arrivals, strict=True):
                delayed[index] = replace(delayed[index], delay=delayed[index].delay + start - arrival)
            target = replace(target, start_step=start)
        done[target.name] = target
    return list(done.values()), delayed
