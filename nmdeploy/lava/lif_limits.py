"""What Lava's LIF can be: neurons that integrate, fire above a threshold, reset to zero and never decay.

LIF integrates ``a_in << 6`` and its bias, and fires where ``v > vth << 6``. Needs no Lava.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population
from nmdeploy.lava.integer_range import synaptic_range

LIF_SHIFT = 6  # LIF shifts whatever arrives, and its threshold, to the left by this
STATE_MAX = 2**23 - 1
UNREACHABLE_THRESHOLD = (STATE_MAX >> LIF_SHIFT) + 1
NO_CURRENT_MEMORY = 4095


def lif_threshold(population: Population) -> int:
    """LIF's threshold for a population without obstacles; an accumulator never reaches it."""
    if population.reset == "none":
        return UNREACHABLE_THRESHOLD
    return (int(population.threshold[0]) - 1) >> LIF_SHIFT


def network_obstacles(network: ChipNetwork) -> list[str]:
    """Every reason why no population of a network could be one of LIF's."""
    found = []
    if network.state_max != STATE_MAX:
        found.append(f"potentials saturate at {network.state_max:,}; LIF saturates at {STATE_MAX:,}")
    if network.refinement_steps:
        found.append(f"{network.refinement_steps} refinement steps, which weigh less than others; to LIF all are alike")
    return found


def neuron_obstacles(population: Population) -> list[str]:
    """Every reason why LIF is not the neuron of a population."""
    if population.pool_counts is not None:
        return [f"neurons of model '{population.model}', maxima over spike counts; LIF sums its input"]
    if population.count_memory is not None:
        return [f"neurons of model '{population.model}', which fire by their count of spikes; LIF has none"]
    found = []
    if population.reset == "subtract":
        found.append("reset by subtraction; LIF resets to zero")
    if population.negative_threshold is not None:
        found.append("spikes of both signs; LIF sends positive ones only")
    if population.reset != "none":
        thresholds = np.unique(population.threshold)
        if len(thresholds) > 1:
            found.append("a threshold for each channel; LIF has one for all")
        if np.any(thresholds < 1):
            found.append("a threshold below 1; LIF would fire when idle")
        if np.any((thresholds - 1) % (1 << LIF_SHIFT)):
            found.append(f"a threshold that is not one above a multiple of {1 << LIF_SHIFT}, as LIF's are")
    return found


def current_obstacles(
    network: ChipNetwork, population: Population, current: NDArray[np.signedinteger[Any]]
) -> list[str]:
    """Every reason why LIF cannot receive a population's current.

    Parameters
    ----------
    network : ChipNetwork
    population : Population
    current : integer array
        Bias, with input current where that is to be judged too.
    """
    found = []
    step = 1 << LIF_SHIFT
    if np.any(current % step):
        found.append(f"biases or input currents that are not multiples of {step}, as all input of LIF is")
    if np.any(population.initial_potential % step):
        found.append(f"initial potentials that are not multiples of {step}")
    low, high = synaptic_range(network, population.name)
    initial = population.initial_potential
    highest = int((high + np.maximum(initial, 0)).max() + max(int(current.max()), 0))
    lowest = int((low + np.minimum(initial, 0)).min() + min(int(current.min()), 0))
    if max(highest, -lowest) > STATE_MAX:
        found.append(
            f"a current of one step may reach {max(highest, -lowest):,}; LIF's current wraps at {STATE_MAX:,}"
        )
    return found
