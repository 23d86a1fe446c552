"""Biases by an axon that the host drives in every step of a population's window.

A leak runs from the first step of all on, before the window of its population has begun
(`nmdeploy.crossbar.initial_potentials`); spikes of the host come when they are sent. So where a population leaves an
axon type free, its bias is the weight for that type, of one more axon a core.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, Population, Projection, build_graph
from nmdeploy.crossbar.axon_plan import most_axons


def biased_by_axon(network: ChipNetwork, profile: CrossbarProfile) -> dict[str, int]:
    """The free axon type of every population whose bias an axon can bring.

    Parameters
    ----------
    network : ChipNetwork
        For the chip.
    profile : CrossbarProfile
    """
    found: dict[str, int] = {}
    for population in network.populations:
        incoming = list(network.incoming(population.name))
        used = {kind for projection in incoming for kind in projection.axon_types}
        free = [kind for kind in range(profile.crossbar.axon_types.value) if kind not in used]
        if population.on_host or not free or population.bias_mantissa.shape[1:] != (1, 1):
            continue
        axons = most_axons(population.shape, [(one.connectivity, len(one.axon_types)) for one in incoming])
        if population.bias_mantissa.any() and axons < profile.crossbar.axons.value:
            found[population.name] = free[0]
    return found


def with_bias_axons(network: ChipNetwork, profile: CrossbarProfile) -> ChipNetwork:
    """Bring biases by axons where a type is free."""
    free = biased_by_axon(network, profile)
    populations: list[Population] = []
    projections: list[Projection] = []
    for population in network.populations:
        incoming = list(network.incoming(population.name))
        if population.name in free:
            source = _every_step(f"{population.name}.bias")
            populations.append(source)
            incoming.append(_bias_projection(source, population, free[population.name]))
            population = _without_bias(population, free[population.name])
        populations.append(population)
        projections += incoming
    return replace(network, graph=build_graph(populations, projections))


def _every_step(name: str) -> Population:
    """A neuron of the host that spikes in every step of its window."""
    one = np.ones(1, dtype=np.int64)
    zero = np.zeros(1, dtype=np.int64)
    return Population(
        name=name,
        shape=(1, 1, 1),
        reset="subtract",
        threshold=one,
        negative_threshold=None,
        bias_mantissa=one[:, None, None],
        bias_exponent=zero[:, None, None],
        initial_potential=zero,
        start_step=0,
        scale=np.ones(1),
        on_host=True,
    )


def _bias_projection(source: Population, target: Population, axon_type: int) -> Projection:
    channels, rows, columns = target.shape
    bias = target.bias_mantissa.astype(np.int32)
    return Projection(
        name=f"{source.name}->{target.name}",
        source=source.name,
        target=target.name,
        connectivity=Connectivity(
            source_shape=source.shape,
            target_shape=target.shape,
            rows=np.zeros((rows, 1), dtype=np.int32),
            columns=np.zeros((columns, 1), dtype=np.int32),
            source_channels=(0, 1),
            target_channels=(0, channels),
        ),
        weights=bias[..., None],
        weight_exponent=0,
        weight_bits=int(np.abs(bias).max()).bit_length() + 1,
        sign_mode="mixed",
        axon_types=(axon_type,),
    )


def _without_bias(population: Population, axon_type: int) -> Population:
    if population.type_weights is None:
        raise AssertionError(f"{population.name} has no weights for axon types")
    type_weights = population.type_weights.copy()
    type_weights[:, axon_type] = population.bias_mantissa[:, 0, 0]
    zeros = np.zeros_like(population.bias_mantissa)
    return replace(population, bias_mantissa=zeros, bias_exponent=zeros, type_weights=type_weights)
