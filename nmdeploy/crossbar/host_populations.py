"""What the host computes for a chip that takes in and gives out nothing but spikes.

The first populations, which read the sample, turn it into spikes on the host and send these into axons, as the
transduction layer of networks trained for such chips does (Esser et al. 2016). The outputs are counters on the host of
the spikes that the chip sends. A population that reads the sample and other populations as well stays on the chip: the
part of its input that comes from the sample is sent as spikes, by one population on the host for each sign.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mapping.connectivity import Connectivity
from nmdeploy.convert.count_decoding import is_counter
from nmdeploy.errors import NmdeployError
from nmdeploy.spiking.network import (
    INPUT,
    FloatPopulation,
    FloatProjection,
    SpikingNetwork,
    build_spiking_network,
    unused_name,
)


def transducers(network: SpikingNetwork) -> frozenset[str]:
    """Names of the populations that read the sample."""
    return frozenset(one.target for one in network.outgoing(INPUT))


def host_populations(network: SpikingNetwork) -> frozenset[str]:
    """Names of the populations that the host computes: those that read the sample, and the counters of the outputs."""
    return transducers(network) | {population.name for population in network.outputs}


def with_host_populations(network: SpikingNetwork) -> tuple[SpikingNetwork, list[str]]:
    """Let populations read either the sample or other populations.

    Parameters
    ----------
    network : SpikingNetwork
        Outputs not yet counted; scales not yet set.

    Returns
    -------
    SpikingNetwork
        The same function in float.
    list of str
        Notes for the audit.

    Raises
    ------
    NmdeployError
        Nothing is left for the chip.
    """
    populations: list[FloatPopulation] = []
    projections: list[FloatProjection] = []
    taken = {population.name for population in network.populations}
    for population in network.populations:
        incoming = list(network.incoming(population.name))
        from_sample = [one for one in incoming if one.source == INPUT]
        if not from_sample or len(from_sample) == len(incoming):
            populations.append(population)
            projections += incoming
            continue
        for sign, suffix in ((1.0, "positive"), (-1.0, "negative")):
            part = _part_of_sample(population, unused_name(f"{population.name}.input.{suffix}", taken))
            populations.append(part)
            projections += [_into(part, one, sign) for one in from_sample]
            projections.append(_joining(part, population, sign))
        populations.append(population)
        projections += [one for one in incoming if one.source != INPUT]
    rewritten = build_spiking_network(network.input_shape, populations, projections)
    readers = [one.name for one in rewritten.populations if one.name in transducers(rewritten)]
    if all(one.name in readers or is_counter(rewritten, one) for one in rewritten.populations):
        raise NmdeployError(
            "nothing is left for the chip: what reads the sample is computed by the host, and this network has no "
            "other layer. Add a layer"
        )
    note = f"computed by the host, which sends their spikes into axons of the chip: {', '.join(readers)}"
    return rewritten, [note]


def _part_of_sample(population: FloatPopulation, name: str) -> FloatPopulation:
    channels = population.shape[0]
    return replace(
        population,
        name=name,
        activation="rectifier",
        ceiling=None,
        bias=np.zeros((channels, 1, 1)),
        scale=np.ones(channels),
        is_output=False,
        negative_slope=None,
    )


def _into(part: FloatPopulation, projection: FloatProjection, sign: float) -> FloatProjection:
    name = f"{projection.name}->{part.name}"
    return replace(projection, name=name, target=part.name, weights=sign * projection.weights)


def _joining(part: FloatPopulation, population: FloatPopulation, sign: float) -> FloatProjection:
    table = Connectivity.identity(population.shape)
    weights = np.full(table.weight_shape, sign)
    return FloatProjection(f"{part.name}->{population.name}", part.name, population.name, table, weights)
