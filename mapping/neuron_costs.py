"""What one neuron of a population takes of its core, whatever its synapses."""

from __future__ import annotations

from dataclasses import dataclass

from hw_profiles import HardwareProfile
from mapping.list_words import EntryFormat
from mapping.network import Population, Projection
from mapping.pool_taps import digit_count

POTENTIAL_VALUES = 4
"""Potential, initial potential, threshold and bias."""


@dataclass(frozen=True)
class NeuronCosts:
    """Demands of one neuron; 0 for what the chip does not have.

    Attributes
    ----------
    compartments : int
    reset_synapses, reset_entries : int
        Synapses by which it resets itself, each with an input axon, and the output axon entries of these.
    reset_list_words : int
        Words of the synapse list of one reset synapse, which neurons of one threshold share.
    memory_bytes : int
        Without what input axons and synapse memory take.
    """

    compartments: int
    reset_synapses: int
    reset_entries: int
    reset_list_words: int
    memory_bytes: int

    @classmethod
    def of(cls, population: Population, incoming: list[Projection], profile: HardwareProfile) -> NeuronCosts:
        """Costs of a neuron of a population with these projections into it."""
        costs, memory = profile.core_costs, profile.memory_costs
        subtractive = population.reset == "subtract"
        resets = costs.reset_synapses_per_subtractive_neuron.value if subtractive else 0
        axons, lists = profile.output_axons, profile.synapse_lists
        words = 0
        if resets and lists is not None:
            reset_format = EntryFormat.of(lists, profile.number_formats.weight_mantissa_bits.value, 0)
            words = reset_format.list_words([(1, 1)])
        per_neuron = (
            costs.compartments_per_neuron_subtractive_reset if subtractive else costs.compartments_per_neuron_zero_reset
        )
        return cls(
            compartments=per_neuron.value,
            reset_synapses=resets,
            reset_entries=0 if axons is None else resets * axons.entries_per_target_core.value,
            reset_list_words=words,
            memory_bytes=0
            if memory is None
            else memory.bytes_per_neuron.value + values_kept(population, incoming) * memory.bytes_per_value.value,
        )


def values_kept(population: Population, incoming: list[Projection]) -> int:
    """Values that a neuron keeps, as `mapping.tiles.Demands` lists them."""
    if population.pool_counts is not None:
        return digit_count(incoming)
    values = POTENTIAL_VALUES
    if population.negative_threshold is not None:
        values += 1
    if population.count_memory is not None:
        values += 1 if population.count_memory.slope_mantissa is None else 2
    return values
