"""The trained network as traced: layers, float, shapes known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import networkx as nx

from nmdeploy.layers.operators import Input, Operator

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Layer:
    """One operator applied to the outputs of other layers.

    Attributes
    ----------
    name : str
        Unique in the graph; the qualified name of the module where there is one.
    operator : Operator
    inputs : tuple of str
        Names of layers, in the operator's order.
    shape : (int, int, int)
        Shape of the output: channels, rows, columns.
    location : str
        ``file:line`` in the user's source, or "" where unknown.
    """

    name: str
    operator: Operator
    inputs: tuple[str, ...]
    shape: Shape
    location: str = ""


@dataclass(frozen=True)
class LayerGraph:
    """Layers in a directed graph.

    Attributes
    ----------
    graph : networkx.DiGraph
        Nodes are layer names with attribute "layer", in topological order.
    outputs : tuple of str
        Names of the layers whose results the network returns.
    """

    graph: nx.DiGraph
    outputs: tuple[str, ...]

    @property
    def layers(self) -> list[Layer]:
        """All layers, inputs before users."""
        return [data["layer"] for _, data in self.graph.nodes(data=True)]

    def layer(self, name: str) -> Layer:
        """The layer of this name."""
        layer: Layer = self.graph.nodes[name]["layer"]
        return layer

    @property
    def input_layer(self) -> Layer:
        """The one layer whose operator is `Input`."""
        return next(layer for layer in self.layers if isinstance(layer.operator, Input))


def build_layer_graph(layers: Iterable[Layer], outputs: tuple[str, ...]) -> LayerGraph:
    """Join layers, given in topological order, into a graph."""
    graph = nx.DiGraph()
    for layer in layers:
        graph.add_node(layer.name, layer=layer)
        graph.add_edges_from((source, layer.name) for source in layer.inputs)
    return LayerGraph(graph, outputs)
