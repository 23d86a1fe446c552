"""Fewest cores that any mapping could take, even one with tiles of several populations on one core."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from hw_profiles.profile import SynapseLists
from mapping.network import ChipNetwork, Population, Projection
from mapping.neuron_costs import NeuronCosts
from mapping.tile_loads import ADDED
from mapping.tiling import IncomingProjection, PopulationTiler, programmed_thresholds


@dataclass(frozen=True)
class CoreBounds:
    """Fewest cores.

    Attributes
    ----------
    of_any_mapping : int
        No legal mapping has fewer, whatever the form of its tiles.
    of_regular_tilings : int
        No legal mapping has fewer whose populations are cut evenly along each axis, into boxes of sizes that
        `mapping.regular_tiling.tile_sizes` gives, however these are packed into cores; at least `of_any_mapping`.
    layers : dict of str to int
        Of each population as if it had the chip for itself, regularly tiled. Layers may share cores, so that the sum
        may be more than `of_regular_tilings`.
    """

    of_any_mapping: int
    of_regular_tilings: int
    layers: dict[str, int]


def core_bounds(network: ChipNetwork, profile: HardwareProfile) -> CoreBounds:
    """Count the fewest cores of a network and of each of its layers.

    For each capacity that the chip limits, what is needed at the very least, divided by what a core has, rounded up;
    the largest of these. At the very least means: each weight that a tap uses stands in the synapse memory once, each
    source neuron takes input axons, output entries and synapse rows for as many cores as its targets need
    compartments, and nothing is sent to another chip. A regular tiling takes at least the input axons of the tiling
    that takes fewest of all those whose tiles fit a core.

    Parameters
    ----------
    network : ChipNetwork
        Sound: `mapping.verify` finds no NMD4xx violation.
    profile : HardwareProfile
    """
    least = {population.name: _layer_demands(network, population, profile) for population in network.populations}
    tiled = {name: _with_tiled_axons(network, name, demands, profile) for name, demands in least.items()}
    kinds = _distinct_configurations(network.populations, profile)
    return CoreBounds(
        _cores(_summed(least.values()), kinds, profile),
        _cores(_summed(tiled.values()), kinds, profile),
        {
            population.name: _cores(
                tiled[population.name], _distinct_configurations([population], profile), profile
            )
            for population in network.populations
        },
    )


def cores_lower_bound(network: ChipNetwork, profile: HardwareProfile) -> int:
    """Fewest cores of any legal mapping of a network; see `core_bounds`.

    Returns
    -------
    int
        At least 1 if the network has neurons.
    """
    least = [_layer_demands(network, population, profile) for population in network.populations]
    return _cores(_summed(least), _distinct_configurations(network.populations, profile), profile)


def _cores(demands: dict[str, int], distinct: dict[str, int], profile: HardwareProfile) -> int:
    """Fewest cores for these demands, by the capacity that asks most."""
    fixed = {"memory_bytes": 0 if profile.memory_costs is None else profile.memory_costs.fixed_bytes.value}
    both = {**demands, **distinct}
    limits = ((name, getattr(profile.core_limits, name)) for name in both)
    # where what is fixed fills a core, no mapping is legal, and any number is a bound
    rooms = {name: max(int(limit.value) - fixed.get(name, 0), 1) for name, limit in limits if limit is not None}
    return max(-(-both[name] // room) for name, room in rooms.items())


def _summed(layers: Collection[dict[str, int]]) -> dict[str, int]:
    return {name: sum(layer[name] for layer in layers) for name in ADDED}


def _distinct_configurations(populations: list[Population], profile: HardwareProfile) -> dict[str, int]:
    """Different thresholds and configurations."""
    pairs = {
        (population.reset, threshold)
        for population in populations
        for threshold in programmed_thresholds(population, profile).tolist()
    }
    return {
        "threshold_configurations": len({threshold for _, threshold in pairs}),
        "compartment_configurations": len(pairs),
    }


def _layer_demands(network: ChipNetwork, population: Population, profile: HardwareProfile) -> dict[str, int]:
    """What the cores of a population need at the very least, without what each core takes in any case."""
    incoming = list(network.incoming(population.name))
    costs = NeuronCosts.of(population, incoming, profile)
    distinct = len(set(programmed_thresholds(population, profile).tolist()))
    axons = population.neuron_count * costs.reset_synapses
    words = row_bytes = 0
    if costs.reset_synapses and profile.synapse_lists is not None:
        bits = profile.number_formats.weight_mantissa_bits.value
        words = distinct * costs.reset_synapses * packed_words(1, bits, profile.synapse_lists)
    for projection in incoming:
        deliveries = least_deliveries(projection, population, profile)
        axons += deliveries
        if profile.synapse_lists is not None:
            words += least_words(projection, profile.synapse_lists)
        if profile.synapse_rows is not None:
            row_bytes += deliveries * profile.synapse_rows.header_bytes.value
            row_bytes += projection.connectivity.synapse_count * profile.synapse_rows.bytes_per_synapse.value
    entries = population.neuron_count * costs.reset_entries
    for projection in network.outgoing(population.name):
        if profile.output_axons is not None:
            target = network.population(projection.target)
            per_target = profile.output_axons.entries_per_target_core.value
            entries += least_deliveries(projection, target, profile) * per_target
    memory_bytes = population.neuron_count * costs.memory_bytes
    if profile.memory_costs is not None:
        memory_bytes += words * profile.memory_costs.bytes_per_synapse_word.value
        memory_bytes += axons * profile.memory_costs.bytes_per_input_axon.value
    return {
        "compartments": population.neuron_count * costs.compartments,
        "input_axons": axons,
        "output_axon_entries": entries,
        "synapse_memory_words": words,
        "memory_bytes": memory_bytes,
        "synapse_row_bytes": row_bytes,
    }


def _with_tiled_axons(
    network: ChipNetwork, name: str, demands: dict[str, int], profile: HardwareProfile
) -> dict[str, int]:
    """The same with the input axons of the regular tiling that takes fewest."""
    incoming = [IncomingProjection(projection, profile) for projection in network.incoming(name)]
    axons = PopulationTiler(network.population(name), incoming, [], 0, profile).fewest_axons()
    more = 0 if axons is None else axons - demands["input_axons"]
    memory, rows = profile.memory_costs, profile.synapse_rows
    return {
        **demands,
        "input_axons": demands["input_axons"] + more,
        "memory_bytes": demands["memory_bytes"] + (0 if memory is None else more * memory.bytes_per_input_axon.value),
        "synapse_row_bytes": demands["synapse_row_bytes"] + (0 if rows is None else more * rows.header_bytes.value),
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
