"""Outputs decoded from spike counts, in place of membrane potentials.

Membrane decoding reads what an output has integrated: ``scale * v / T``, without rounding to whole spikes. Count
decoding (what Spiking-YOLO compares it with) lets the outputs spike and counts: ``scale * N / T``. Outputs have both
signs, so the spiking population has a slope of 1 for negative input, or is one population for each sign on chips
without spikes of -1. The counter is an accumulator with one synapse of weight one from each of them, which every
backend has already.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mapping.connectivity import Connectivity
from nmdeploy.convert.lower_layers import NeuronKind
from nmdeploy.spiking.network import (
    INPUT,
    FloatPopulation,
    FloatProjection,
    SpikingNetwork,
    build_spiking_network,
    unused_name,
)


def with_counted_outputs(network: SpikingNetwork, kinds: frozenset[NeuronKind]) -> SpikingNetwork:
    """Let every output spike, and add counters as the new outputs; outputs that count already stay.

    Parameters
    ----------
    network : SpikingNetwork
    kinds : frozenset of {"leaky", "maximum"}
        What there are neurons for.
    """
    taken = {population.name for population in network.populations}
    populations: list[FloatPopulation] = []
    projections: list[FloatProjection] = []
    for population in network.populations:
        incoming = list(network.incoming(population.name))
        if not population.is_output or is_counter(network, population):
            populations.append(population)
            projections += incoming
            continue
        counter = replace(
            population,
            name=unused_name(f"{population.name}.counts", taken),
            bias=np.zeros((population.shape[0], 1, 1)),
        )
        if "leaky" in kinds:
            slope = np.ones(population.shape[0])
            spiking = replace(population, activation="leaky", is_output=False, negative_slope=slope)
            populations += [spiking, counter]
            projections += [*incoming, _counting(spiking, counter, 1.0)]
            continue
        for sign, suffix in ((1.0, "positive"), (-1.0, "negative")):
            half = replace(
                population,
                name=unused_name(f"{population.name}.{suffix}", taken),
                activation="rectifier",
                is_output=False,
                bias=sign * population.bias,
            )
            populations.append(half)
            projections += [_to_half(projection, half, sign) for projection in incoming]
            projections.append(_counting(half, counter, sign))
        populations.append(counter)
    return build_spiking_network(network.input_shape, populations, projections)


def is_counter(network: SpikingNetwork, population: FloatPopulation) -> bool:
    """Whether an output only adds up what populations of its shape bring to the same places, with weights of one."""
    incoming = list(network.incoming(population.name))
    return population.is_output and not population.bias.any() and bool(incoming) and all(map(_is_copy, incoming))


def _is_copy(projection: FloatProjection) -> bool:
    own = Connectivity.identity(projection.connectivity.target_shape)
    table = projection.connectivity
    return (
        projection.source != INPUT
        and table.source_shape == own.source_shape
        and table.groups == own.groups
        and (table.source_channels, table.target_channels) == (own.source_channels, own.target_channels)
        and np.array_equal(table.rows, own.rows)
        and np.array_equal(table.columns, own.columns)
        and bool((np.abs(projection.weights) == 1.0).all())
    )


def _counting(source: FloatPopulation, counter: FloatPopulation, sign: float) -> FloatProjection:
    table = Connectivity.identity(counter.shape)
    weights = np.full(table.weight_shape, sign)
    return FloatProjection(f"{source.name}->{counter.name}", source.name, counter.name, table, weights)


def _to_half(projection: FloatProjection, half: FloatPopulation, sign: float) -> FloatProjection:
    name = projection.name.replace(f"->{projection.target}", f"->{half.name}")
    return replace(projection, name=name, target=half.name, weights=sign * projection.weights)
