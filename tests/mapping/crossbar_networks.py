"""Integer networks for chips of crossbars: host sources, populations on the chip, counters on the host."""

from __future__ import annotations

from dataclasses import replace

import mapping_networks as networks
import numpy as np

from mapping.network import ChipNetwork, InputProjection, Projection, build_graph

TYPES = 4


def population(name, shape, threshold=1, reset="subtract", **fields):
    channels = shape[0]
    made = networks.population(name, shape)
    return replace(
        made,
        reset=reset,
        threshold=np.full(channels, threshold, dtype=np.int64),
        type_weights=np.tile(np.array([1, -1, 2, -2], dtype=np.int64), (channels, 1)),
        **fields,
    )


def host_source(name, shape, threshold=1):
    return replace(population(name, shape, threshold), on_host=True, type_weights=None)


def constant_source(name):
    made = host_source(name, (1, 1, 1))
    return replace(made, bias_mantissa=np.ones((1, 1, 1), dtype=np.int64))


def counter(name, shape):
    made = networks.population(name, shape, "none", is_output=True)
    return replace(made, on_host=True)


def projection(source, target, connectivity, axon_types=(0, 1), name=None, seed=0):
    """Weights of -1, 0 and 1 by axons of types 0 and 1, or of what the first axon alone gives."""
    generator = np.random.default_rng(seed)
    lowest = -1 if 1 in axon_types else 0
    weights = generator.integers(lowest, 2, connectivity.weight_shape).astype(np.int32)
    name = name or f"{source.name}-{target.name}"
    types = () if target.on_host else tuple(axon_types)
    return Projection(name, source.name, target.name, connectivity, weights, 0, 2, "mixed", 0, types)


def network(populations, projections, timesteps=8):
    first = populations[0]
    identity = networks.shortcut(first.shape, first.shape)
    current = InputProjection("input", first.name, identity, np.ones(identity.weight_shape, dtype=np.int64), 0, 6)
    return ChipNetwork(
        input_shape=first.shape,
        timesteps=timesteps,
        synapse_exponent=0,
        threshold_exponent=0,
        state_max=2**19 - 1,
        bias_mantissa_max=2**8 - 1,
        bias_exponent_max=0,
        graph=build_graph(populations, projections),
        input_projections=(current,),
    )


def convolutions(count, shape=(128, 16, 16), groups=16, axon_types=(0, 1)):
    """A source on the host, so many equal convolutions of 3 x 3, and a counter."""
    connectivity = networks.conv_connectivity(shape, shape, groups=groups)
    populations = [host_source("input", shape)]
    projections = []
    for number in range(1, count + 1):
        populations.append(population(f"conv{number}", shape))
        projections.append(projection(*populations[-2:], connectivity, axon_types))
    counts = counter("counts", (10, 1, 1))
    projections.append(projection(populations[-1], counts, networks.flatten_dense(shape, 10)))
    return network([*populations, counts], projections)


def convolutions_in_parts(count, shape=(128, 16, 16), parts=8):
    """The same without groups: partial sums of some channels each, on rails by the sign of the weight."""
    channels, rows, columns = shape
    width = channels // parts
    populations, projections = [host_source("input", shape)], []
    for number in range(1, count + 1):
        before = populations[-1]
        sums = population(f"conv{number}", shape)
        of_layer = []
        for part in range(parts):
            rails = population(f"conv{number}.{part}", (2 * channels, rows, columns))
            table = networks.conv_connectivity((width, rows, columns), rails.shape)
            here = (part * width, (part + 1) * width)
            table = replace(table, source_shape=shape, source_channels=here)
            projections.append(projection(before, rails, table, (0,)))
            joined = replace(networks.shortcut(rails.shape, shape), source_channels=(0, 2 * channels), groups=channels)
            projections.append(projection(rails, sums, joined, (part % TYPES,)))
            of_layer.append(rails)
        populations += [*of_layer, sums]
    counts = counter("counts", (10, 1, 1))
    projections.append(projection(populations[-1], counts, networks.flatten_dense(shape, 10)))
    return network([*populations, counts], projections)
