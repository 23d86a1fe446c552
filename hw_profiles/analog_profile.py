"""The data model of a chip of analog neurons and synapses."""

from __future__ import annotations

from typing import Literal

from hw_profiles.quantities import Capacity, Strict


class SynapseArray(Strict):
    """Analog synapses of one kind, the same number for each neuron.

    Attributes
    ----------
    synapses : Capacity
        Of the whole array.
    weight_levels : Capacity
        Different strengths that a synapse can be set to; what they are worth is set by currents that all share.
    """

    synapses: Capacity
    weight_levels: Capacity


class AnalogProfile(Strict):
    """A chip that has no integers: no weights, thresholds or potentials to quantise to."""

    kind: Literal["analog"]
    name: str
    title: str
    notes: str
    neurons: Capacity
    plastic_synapses: SynapseArray
    programmable_synapses: SynapseArray
