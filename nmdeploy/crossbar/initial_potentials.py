"""Initial potentials that can be loaded into a chip whose leaks never rest.

The host loads the potentials of all neurons before the first step of a sample. Until its window begins, at its start
step, a neuron gets no spike, but leaks: to start its window from v it is loaded with ``v - start_step * leak``. That
must lie below the threshold, or the neuron would fire at once. Where a negative leak makes it too large, the neuron is
loaded with ``threshold - 1``, and v is what is left of that: ``threshold - 1 + start_step * leak``. The simulators and
the Lava processes start from this v, so they compute what the chip does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mapping.network import ChipNetwork, Population, build_graph


def with_loadable_potentials(network: ChipNetwork, exempt: frozenset[str] = frozenset()) -> ChipNetwork:
    """Lower the initial potentials that no neuron could be loaded for.

    Parameters
    ----------
    network : ChipNetwork
        With its start steps.
    exempt : frozenset of str
        Populations whose bias is not going to be a leak.
    """
    populations = [
        population if population.on_host or population.name in exempt else _loadable(population, network.state_max)
        for population in network.populations
    ]
    return replace(network, graph=build_graph(populations, network.projections))


def _loadable(population: Population, state_max: int) -> Population:
    leak = population.bias.reshape(population.shape[0], -1)
    lowest, highest = leak.min(axis=1), leak.max(axis=1)
    # what is loaded for a positive leak lies below, and must not leave the state
    deepest = population.start_step * np.maximum(highest, 0) - state_max
    limit = population.threshold - 1 + population.start_step * np.minimum(lowest, 0)
    initial = np.minimum(np.maximum(population.initial_potential, deepest), limit)
    return replace(population, initial_potential=np.maximum(initial, -state_max))
