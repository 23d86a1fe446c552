"""Whether a layer graph is well formed, found without the code that built it."""

from __future__ import annotations

from dataclasses import fields

import networkx as nx
import numpy as np

from nmdeploy.layers.graph import Layer, LayerGraph
from nmdeploy.layers.operators import Input, Operator, Sigmoid, Softmax
from nmdeploy.layers.shapes import output_shape


def verify(graph: LayerGraph) -> list[str]:
    """Problems of a layer graph; empty where there are none.

    Checked: the graph is acyclic and in topological order, its edges are the layers' inputs, there is exactly
    one `Input`, every output exists, shapes are those that the operators give, all numbers are finite, and
    `Softmax` and `Sigmoid` stand only at outputs.

    Parameters
    ----------
    graph : LayerGraph

    Returns
    -------
    list of str
        One line for each problem, beginning with the layer's name.
    """
    unlabelled = [str(name) for name, data in graph.graph.nodes(data=True) if not isinstance(data.get("layer"), Layer)]
    if unlabelled:  # an edge from a layer that was never added makes such a node
        return [f"{name}: is used but is no layer of the graph" for name in unlabelled]
    problems = _structure_problems(graph)
    earlier: set[str] = set()
    for layer in graph.layers:
        late = [source for source in layer.inputs if source not in earlier]
        problems += [f"{layer.name}: its input {source} does not come before it" for source in late]
        problems += [f"{layer.name}: {field} holds NaN or infinity" for field in non_finite_fields(layer.operator)]
        if not late:
            problems += _shape_problems(graph, layer)
        earlier.add(layer.name)
    return problems


def non_finite_fields(operator: Operator) -> list[str]:
    """Names of the operator's fields that hold NaN or infinity."""
    values = ((field.name, getattr(operator, field.name)) for field in fields(operator))
    return [name for name, value in values if isinstance(value, np.ndarray | float) and not np.isfinite(value).all()]


def _structure_problems(graph: LayerGraph) -> list[str]:
    problems = []
    layers = graph.layers
    inputs = [layer.name for layer in layers if isinstance(layer.operator, Input)]
    if len(inputs) != 1:
        problems.append(f"graph: has {len(inputs)} inputs {inputs}, needs exactly one")
    if not graph.outputs:
        problems.append("graph: has no output")
    problems += [f"{name}: is an output but no layer" for name in graph.outputs if name not in graph.graph]
    if not nx.is_directed_acyclic_graph(graph.graph):
        problems.append("graph: has a cycle")
    for key, layer in zip(graph.graph.nodes, layers, strict=True):
        if layer.name != key:
            problems.append(f"{key}: is stored under another name, {layer.name}")
        if set(graph.graph.predecessors(key)) != set(layer.inputs):
            problems.append(f"{key}: its edges are not its inputs")
        if isinstance(layer.operator, Softmax | Sigmoid) and (graph.graph.out_degree(key) or key not in graph.outputs):
            problems.append(f"{key}: {type(layer.operator).__name__} is allowed only at an output")
    return problems


def _shape_problems(graph: LayerGraph, layer: Layer) -> list[str]:
    if len(layer.shape) != 3 or min(layer.shape) < 1:
        return [f"{layer.name}: shape {layer.shape} is not three positive sizes"]
    if isinstance(layer.operator, Input):
        return [f"{layer.name}: an input layer takes no inputs"] if layer.inputs else []
    try:
        expected = output_shape(layer.operator, [graph.layer(source).shape for source in layer.inputs])
    except ValueError as error:
        return [f"{layer.name}: {type(layer.operator).__name__} {error}"]
    if expected != layer.shape:
        return [f"{layer.name}: has shape {layer.shape}, its operator gives {expected}"]
    return []
