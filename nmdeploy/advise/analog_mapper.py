"""Mapping to analog chips: a circuit for each neuron, and a fixed number of synapses for each circuit."""

from __future__ import annotations

from dataclasses import dataclass

from hw_profiles.analog_profile import AnalogProfile
from mapping.analog_core import number_neurons, synapses_per_neuron
from mapping.violation import DoesNotFitError
from nmdeploy.advise.mapped import MappedLayer, MappedNetwork, refused_network
from nmdeploy.advise.shape_mapper import ShapeMapper
from nmdeploy.advise.weighted_layers import weighted_layers
from nmdeploy.analog_mapping import analog_populations
from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.simplify import simplify


@dataclass(frozen=True)
class AnalogMapper(ShapeMapper):
    """Maps networks to one analog chip, whose neuron circuits are what is counted."""

    profile: AnalogProfile
    unit: str = "neuron circuits"
    can_pool: bool = False

    def mapped(self, layers: LayerGraph, *, bounded: bool = False) -> MappedNetwork:
        """Count neurons and synapses."""
        simplified = simplify(layers)
        lowered, audit = lower_layers(simplified)
        weighted = weighted_layers(simplified, lowered, audit)
        populations = analog_populations(layers)
        circuits, synapses = self.profile.neurons.value, synapses_per_neuron(self.profile)
        total = sum(one.neurons for one in populations)
        rows = [
            MappedLayer(
                name=one.name,
                weighted=weighted.get(one.name, ()),
                neurons=one.neurons,
                cores=one.neurons,
                share=one.neurons / total,
                uses={"neuron_circuits": one.neurons / circuits, "synapses": one.synapses_per_neuron / synapses},
            )
            for one in populations
        ]
        try:
            number_neurons(populations, self.profile)
        except DoesNotFitError as error:
            return refused_network(rows, error.violations, cores=total)
        return MappedNetwork(tuple(rows), total, 1, total if bounded else None, ())
