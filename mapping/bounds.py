"""Fewest cores that any mapping could take, even one with tiles of several populations on one core."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from hw_profiles.profile import SynapseLists
from mapping.network import ChipNetwork, Population, Projection
from mapping.neuron_costs import NeuronCosts
from mapping.tiling import programmed_thresholds


def cores_lower_bound(network: ChipNetwork, profile: HardwareProfile) -> int:
    """Lower bound of the number of cores of any legal mapping of a network.

    For each capacity that the chip limits, what the whole network needs at the very least, divided by what a core has,
    rounded up; the largest of these. At the very least means: each weight that a tap uses stands in the synapse memory
    once, each source neuron takes input axons, output entries and synapse rows for as many cores as its targets need
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
    demands = least_demands(network, profile)
    fixed = {"memory_bytes": 0 if profile.memory_costs is None else profile.memory_costs.fixed_bytes.value}
    limits = ((name, getattr(profile.core_limits, name)) for name in demands)
    # where what is fixed fills a core, no mapping is legal, and any number is a bound
    rooms = {name: max(int(limit.value) - fixed.get(name, 0), 1) for name, limit in limits if limit is not None}
    return max(-(-demands[name] // room) for name, room in rooms.items())


def least_demands(network: ChipNetwork, profile: HardwareProfile) -> dict[str, int]:
    """What all cores together need at the very least, by capacity, without what each core takes in any case."""
    sums = dict.fromkeys(("compartments", "input_axons", "output_axon_entries", "synapse_memory_words"), 0)
    memory_bytes = row_bytes = 0
    thresholds: set[int] = set()
    configurations: set[tuple[str, int]] = set()
    for population in network.populations:
        costs = NeuronCosts.of(population, list(network.incoming(population.name)), profile)
        distinct = set(programmed_thresholds(population, profile).tolist())
        thresholds |= distinct
        configurations |= {(population.reset, threshold) for threshold in distinct}
        sums["compartments"] += population.neuron_count * costs.compartments
        sums["input_axons"] += population.neuron_count * costs.reset_synapses
        sums["output_axon_entries"] += population.neuron_count * costs.reset_entries
        if costs.reset_synapses and profile.synapse_lists is not None:
            bits = profile.number_formats.weight_mantissa_bits.value
            sums["synapse_memory_words"] += (
                len(distinct) * costs.reset_synapses * packed_words(1, bits, profile.synapse_lists)
            )
        memory_bytes += population.neuron_count * costs.memory_bytes
    for projection in network.projections:
        deliveries = least_deliveries(projection, network.population(projection.target), profile)
        sums["input_axons"] += deliveries
        if profile.output_axons is not None:
            sums["output_axon_entries"] += deliveries * profile.output_axons.entries_per_target_core.value
        if profile.synapse_lists is not None:
            sums["synapse_memory_words"] += least_words(projection, profile.synapse_lists)
        if profile.synapse_rows is not None:
            row_bytes += deliveries * profile.synapse_rows.header_bytes.value
            row_bytes += projection.connectivity.synapse_count * profile.synapse_rows.bytes_per_synapse.value
    if profile.memory_costs is not None:
        memory_bytes += sums["synapse_memory_words"] * profile.memory_costs.bytes_per_synapse_word.value
        memory_bytes += sums["input_axons"] * profile.memory_costs.bytes_per_input_axon.value
    return {
        **sums,
        "threshold_configurations": len(thresholds),
        "compartment_configurations": len(configurations),
        "memory_bytes": memory_bytes,
        "synapse_row_bytes": row_bytes,
    }


def least_deliveries(projection: Projection, target: Population, profile: HardwareProfile) -> int:
    """Fewest pairs of source neuron and target core.

    The targets of one neuron may need more compartments than a core has.
    """
    connectivity = projection.connectivity
    limit = profile.core_limits.compartments
    per_target = NeuronCosts.of(target, [projection], profile).compartments
    row_targets, row_counts = targets_per_source(connectivity.rows)
    column_targets, column_counts = targets_per_source(connectivity.columns)
    channels = connectivity.out_channels // connectivity.groups
    compartments = channels * per_target * np.multiply.outer(row_targets, column_targets)
    cores = np.ones_like(compartments) if limit is None else -(-compartments // limit.value)
    return int(connectivity.in_channels * (cores * np.multiply.outer(row_counts, column_counts)).sum())


def targets_per_source(table: NDArray[np.int32]) -> tuple[NDArray[np.int64], ...]:
    """Numbers of targets that sources have along one axis, and how many sources have each number."""
    targets, taps = np.nonzero(table >= 0)
    pairs = np.unique(np.stack([table[targets, taps], targets]), axis=1)
    _, per_source = np.unique(pairs[0], return_counts=True)
    numbers, counts = np.unique(per_source, return_counts=True)
    return numbers.astype(np.int64), counts.astype(np.int64)


def least_words(projection: Projection, lists: SynapseLists) -> int:
    """Synapse memory of each used weight once; source channels never share a list."""
    connectivity = projection.connectivity
    taps = int((connectivity.rows >= 0).any(axis=0).sum()) * int((connectivity.columns >= 0).any(axis=0).sum())
    weights = taps * (connectivity.out_channels // connectivity.groups)
    bits = projection.weight_bits + projection.delay.bit_length()
    return connectivity.in_channels * packed_words(weights, bits, lists)


def packed_words(synapses: int, synapse_bits: int, lists: SynapseLists) -> int:
    """Words of so many synapses in as few entries as possible, packed together."""
    entries = -(-synapses // lists.synapses_per_entry.value)
    bits = synapses * synapse_bits + entries * lists.entry_prefix_bits.value
    return -(-bits // lists.word_bits.value)
