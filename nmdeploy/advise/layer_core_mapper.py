"""Mapping to chips whose cores compute a layer each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hw_profiles.layer_core_profile import LayerCoreProfile
from mapping.layer_cores import MEMORY_CODES, ConvolutionLayer, layer_demands, match_layers
from mapping.verify_layers import verify_layer_limits
from mapping.violation import DoesNotFitError
from nmdeploy.advise.mapped import MappedLayer, MappedNetwork, refused_network
from nmdeploy.advise.shape_mapper import ShapeMapper
from nmdeploy.advise.weighted_layers import weighted_layers
from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.layer_mapping import convolution_layers
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.simplify import simplify


@dataclass(frozen=True)
class LayerCoreMapper(ShapeMapper):
    """Maps networks to one chip of cores for whole layers; weights have the one width of the chip."""

    profile: LayerCoreProfile
    unit: str = "cores"
    can_pool: bool = True

    def mapped(self, layers: LayerGraph, *, bounded: bool = False) -> MappedNetwork:
        """Read every population as a convolution, and match them to cores."""
        simplified = simplify(layers)
        lowered, audit = lower_layers(simplified)
        weighted = weighted_layers(simplified, lowered, audit)
        found = convolution_layers(lowered, self.profile.layer_limits.pooling.values)
        rows = [self._row(layer, weighted.get(layer.name, ()), None) for layer in found]
        violations = verify_layer_limits(found, self.profile)
        if violations:
            return refused_network(rows, violations)
        try:
            cores = match_layers(found, self.profile)
        except DoesNotFitError as error:
            return refused_network(rows, error.violations)
        rows = [
            replace(self._row(layer, weighted.get(layer.name, ()), cores[layer.name]), share=1 / len(found))
            for layer in found
        ]
        return MappedNetwork(tuple(rows), len(rows), 1, len(rows) if bounded else None, ())

    def _row(self, layer: ConvolutionLayer, weighted: tuple[str, ...], core: int | None) -> MappedLayer:
        """A layer with what it uses of its core, or of the largest memory of each kind where it has none."""
        demands = layer_demands(layer)
        dead = {one.core for one in self.profile.dead_cores}
        usable = [one for number, one in enumerate(self.profile.cores) if number not in dead]
        cores = usable if core is None else [self.profile.cores[core]]
        uses = {
            memory: getattr(demands, memory) / max(max(getattr(one, memory).value for one in cores), 1)
            for memory in MEMORY_CODES
        }
        neurons = int(np.prod(layer.neuron_shape))
        return MappedLayer(layer.name, weighted, neurons, None if core is None else 1, uses=uses)
