"""The data model of a chip of crossbars of axons by neurons: binary, with a type for each axon."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from hw_profiles.contradictions import refuse
from hw_profiles.profile import Mesh
from hw_profiles.quantities import Capacity, NeuronModels, ResetModes, Strict


class Crossbar(Strict):
    """One core.

    Attributes
    ----------
    axons, neurons : Capacity
        Rows and columns of the crossbar, whose entries are 0 or 1.
    axon_types : Capacity
        Each axon has one type for all neurons of the core; each neuron has one weight for each type.
    target_axons_per_neuron : Capacity
        Axons, on any core, to which a neuron sends its spikes.
    """

    axons: Capacity
    neurons: Capacity
    axon_types: Capacity
    target_axons_per_neuron: Capacity


class CrossbarFormats(Strict):
    """Widths, with the sign where there is one, and delays in steps, from the neuron to the target axon."""

    weight_bits: Capacity
    leak_bits: Capacity
    potential_bits: Capacity
    threshold_bits: Capacity
    delay_min: Capacity
    delay_max: Capacity

    @property
    def weight_max(self) -> int:
        """Largest magnitude of a neuron's weight for an axon type."""
        return int(2 ** (self.weight_bits.value - 1) - 1)

    @property
    def leak_max(self) -> int:
        """Largest magnitude of what a neuron adds in every step."""
        return int(2 ** (self.leak_bits.value - 1) - 1)

    @property
    def potential_max(self) -> int:
        """Largest magnitude of the membrane potential, where it saturates."""
        return int(2 ** (self.potential_bits.value - 1) - 1)

    @property
    def threshold_max(self) -> int:
        """Largest threshold."""
        return int(2**self.threshold_bits.value - 1)


class CrossbarProfile(Strict):
    """A chip of equal crossbars."""

    kind: Literal["crossbars"]
    name: str
    title: str
    notes: str
    mesh: Mesh
    crossbar: Crossbar
    number_formats: CrossbarFormats
    neuron_models: NeuronModels
    reset_modes: ResetModes

    @model_validator(mode="after")
    def _delays_are_a_range(self) -> CrossbarProfile:
        if self.number_formats.delay_min.value > self.number_formats.delay_max.value:
            refuse([("number_formats.delay_min", "above delay_max")])
        return self
