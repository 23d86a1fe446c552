"""Fewest cores that any mapping could take, even one with tiles of several populations on one core."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.network import ChipNetwork, Population, Projection


def cores_lower_bound(network: ChipNetwork, profile: HardwareProfile) -> int:
    """Lower bound of the number of cores of any legal mapping of a network.

    For each capacity, what the whole network needs at the very least, divided by what a core has, rounded up;
    the largest of these. At the very least means: each weight that a tap uses stands in the synapse memory
    once, each source neuron takes input axons and output entries for as many cores as its targets need
    compartments, and nothing is sent to another chip.

    Parameters
    ----------
    network : ChipNetwork
        Sound: `mapping.verify` finds no NMD4xx violation.
    profile : HardwareProfile

    Returns
    -------
    int
        At least 1 if the network has neurons.
    """
    limits, costs = profile.core_limits, profile.core_costs
    populations, projections = network.populations, network.projections
    compartments = words = axons = entries = 0
    thresholds: set[int] = set()
    configurations: set[tuple[str, int]] = set()
    for population in populations:
        compartments += population.neuron_count * compartments_per_neuron(population, profile)
        distinct = distinct_thresholds(population, profile)
        thresholds |= distinct
        configurations |= {(population.reset, threshold) for threshold in distinct}
        if population.reset == "subtract":
            resets = costs.reset_synapses_per_subtractive_neuron.value
            axons += population.neuron_count * resets
            entries += population.neuron_count * resets * costs.output_entries_per_target_core.value
            words += (
                len(distinct) * resets * packed_words(1, profile.number_formats.weight_mantissa_bits.value, profile)
            )
    for projection in projections:
        deliveries = least_deliveries(projection, network.population(projection.target), profile)
        axons += deliveries
        entries += deliveries * costs.output_entries_per_target_core.value
        words += least_words(projection, profile)
    shares = (
        (compartments, limits.compartments.value),
        (axons, limits.input_axons.value),
        (entries, limits.output_axon_entries.value),
        (words, limits.synapse_memory_words.value),
        (len(thresholds), limits.threshold_configurations.value),
        (len(configurations), limits.compartment_configurations.value),
    )
    return max(-(-demand // capacity) for demand, capacity in shares)


def compartments_per_neuron(population: Population, profile: HardwareProfile) -> int:
    """Compartments that one neuron takes."""
    costs = profile.core_costs
    if population.reset == "subtract":
        return costs.compartments_per_neuron_subtractive_reset.value
    return costs.compartments_per_neuron_zero_reset.value


def distinct_thresholds(population: Population, profile: HardwareProfile) -> set[int]:
    """Thresholds that the chip must hold; an accumulator has the largest."""
    if population.reset == "none":
        formats = profile.number_formats
        return {formats.threshold_mantissa_max.value << formats.threshold_exponent.value}
    return set(population.threshold.tolist())


def least_deliveries(projection: Projection, target: Population, profile: HardwareProfile) -> int:
    """Fewest pairs of source neuron and target core.

    The targets of one neuron may need more compartments than a core has.
    """
    connectivity = projection.connectivity
    capacity = profile.core_limits.compartments.value
    per_target = compartments_per_neuron(target, profile)
    row_targets, row_counts = targets_per_source(connectivity.rows)
    column_targets, column_counts = targets_per_source(connectivity.columns)
    channels = connectivity.out_channels // connectivity.groups
    compartments = channels * per_target * np.multiply.outer(row_targets, column_targets)
    cores = -(-compartments // capacity)
    return int(connectivity.in_channels * (cores * np.multiply.outer(row_counts, column_counts)).sum())


def targets_per_source(table: NDArray[np.int32]) -> tuple[NDArray[np.int64], ...]:
    """Numbers of targets that sources have along one axis, and how many sources have each number."""
    targets, taps = np.nonzero(table >= 0)
    pairs = np.unique(np.stack([table[targets, taps], targets]), axis=1)
    _, per_source = np.unique(pairs[0], return_counts=True)
    numbers, counts = np.unique(per_source, return_counts=True)
    return numbers.astype(np.int64), counts.astype(np.int64)


def least_words(projection: Projection, profile: HardwareProfile) -> int:
    """Synapse memory of each used weight once; source channels never share a list."""
    connectivity = projection.connectivity
    taps = int((connectivity.rows >= 0).any(axis=0).sum()) * int((connectivity.columns >= 0).any(axis=0).sum())
    weights = taps * (connectivity.out_channels // connectivity.groups)
    bits = projection.weight_bits + projection.delay.bit_length()
    return connectivity.in_channels * packed_words(weights, bits, profile)


def packed_words(synapses: int, synapse_bits: int, profile: HardwareProfile) -> int:
    """Words of so many synapses in as few entries as possible, packed together."""
    entries = -(-synapses // profile.core_costs.synapses_per_entry.value)
    bits = synapses * synapse_bits + entries * profile.core_costs.entry_prefix_bits.value
    return -(-bits // profile.core_limits.synapse_memory_word_bits.value)
