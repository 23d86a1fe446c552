"""Which layers with weights each population gets its input through, and which come before these."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from nmdeploy.convert.audit import ConversionAudit
from nmdeploy.layers.graph import Layer, LayerGraph
from nmdeploy.layers.operators import Convolution, Input, Linear
from nmdeploy.spiking.network import SpikingNetwork


def weighted_layers(graph: LayerGraph, network: SpikingNetwork, audit: ConversionAudit) -> dict[str, tuple[str, ...]]:
    """Layers with weights between each population and those that it reads.

    Parameters
    ----------
    graph : LayerGraph
        Simplified, as it was lowered.
    network : SpikingNetwork
        From `nmdeploy.convert.lower_layers.lower_layers`.
    audit : ConversionAudit
        Likewise.

    Returns
    -------
    dict of population name to tuple of str
        In the order of the graph.
    """
    activations = {entry.layer for entry in audit.entries if entry.replaced_by}
    found: dict[str, tuple[str, ...]] = {}
    for entry in audit.entries:
        inputs = graph.layer(entry.layer).inputs
        behind = _behind(graph, inputs, lambda layer: layer.name in activations)
        found |= dict.fromkeys(entry.replaced_by, _with_weights(graph, behind))
    for name in graph.outputs:
        behind = _behind(graph, [name], lambda layer: layer.name in activations)
        weighted = _with_weights(graph, behind)
        for population in network.outputs:
            of_this = any(population.name == one or population.name.startswith(f"{one}_") for one in behind)
            if of_this and population.name not in found:
                found[population.name] = weighted
    return found


def layers_before(graph: LayerGraph, name: str) -> tuple[str, ...]:
    """Layers with weights whose channels a layer reads, with no others between."""
    behind = _behind(graph, graph.layer(name).inputs, lambda layer: isinstance(layer.operator, Convolution | Linear))
    return _with_weights(graph, behind)


def _with_weights(graph: LayerGraph, names: Collection[str]) -> tuple[str, ...]:
    return tuple(
        layer.name
        for layer in graph.layers
        if layer.name in names and isinstance(layer.operator, Convolution | Linear)
    )


def _behind(graph: LayerGraph, names: Iterable[str], ends: Callable[[Layer], bool]) -> set[str]:
    """These layers and all that they read, as far back as there are layers at which that ends."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        layer = graph.layer(waiting.pop())
        if layer.name in found or isinstance(layer.operator, Input):
            continue
        found.add(layer.name)
        if not ends(layer):
            waiting += layer.inputs
    return found
