"""What lava-dl's netx cannot hold: every reason in words."""

from __future__ import annotations

import numpy as np

from mapping.network import ChipNetwork, Population, Projection
from nmdeploy.lava.conv_synapses import conv_synapses
from nmdeploy.lava.lif_limits import LIF_SHIFT, current_obstacles, network_obstacles, neuron_obstacles

BIAS_MAX = 2**12 - 1  # LIF's bias has 13 bits with the sign


def net_obstacles(network: ChipNetwork) -> list[str]:
    """Every reason why netx cannot load a network that computes the same spikes; empty if it can."""
    found = network_obstacles(network) + _chain_obstacles(network)
    for number, population in enumerate(network.populations):
        found += [f"{population.name}: {problem}" for problem in neuron_obstacles(population)]
        found += [f"{population.name}: {problem}" for problem in _input_obstacles(network, population, number)]
    for projection in network.projections:
        found += [f"{projection.name}: {problem}" for problem in _synapse_obstacles(network, projection)]
    return found


def _chain_obstacles(network: ChipNetwork) -> list[str]:
    """Populations that are not each the only source of the next one."""
    names = [population.name for population in network.populations]
    found = []
    for name in names:
        sources = [projection.source for projection in network.incoming(name)]
        if name == names[0] and sources:
            found.append(f"{name}: receives spikes; the first layer of netx does not")
        if name != names[0] and len(sources) != 1:
            found.append(f"{name}: receives {len(sources)} projections; netx has chains of layers only")
        if len(list(network.outgoing(name))) > 1:
            found.append(f"{name}: sends to several projections; netx has chains of layers only")
    return found


def _input_obstacles(network: ChipNetwork, population: Population, number: int) -> list[str]:
    found = current_obstacles(network, population, population.bias)
    if number == 0:
        return found  # its current is the user's to send, every step and with the initial potential
    if list(network.input_currents(population.name)):
        found.append("receives input current; in netx the first layer alone does")
    if np.any(population.initial_potential):
        found.append("an initial potential; netx starts at 0. Compile with --initial-potential 0")
    if np.any(np.abs(population.bias) >> LIF_SHIFT > BIAS_MAX):
        found.append(f"biases beyond {BIAS_MAX << LIF_SHIFT:,}, the largest of LIF")
    return found


def _synapse_obstacles(network: ChipNetwork, projection: Projection) -> list[str]:
    found = []
    if projection.delay:
        found.append(f"{projection.delay} extra steps of delay; netx has none")
    if network.lag(projection):
        found.append("part of a cycle; netx has chains of layers only")
    synapses = conv_synapses(projection.connectivity, projection.weights, network.shift(projection))
    if isinstance(synapses, str):
        found.append(synapses)
    return found
