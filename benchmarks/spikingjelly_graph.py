"""The user's network in the form that SpikingJelly's converter takes; needs torch only."""

from __future__ import annotations

import operator
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import fx, nn


def convertible(module: nn.Module) -> fx.GraphModule:
    """The same function, with rectifiers as modules and padding as concatenations.

    SpikingJelly replaces ``nn.ReLU`` modules only and refuses ``F.pad``; it takes concatenations.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode. It is not changed.
    """
    graph_module = fx.symbolic_trace(module)
    for node in list(graph_module.graph.nodes):
        if node.target in (F.relu, torch.relu, "relu"):
            _replace(graph_module, node, _rectifier)
        elif node.target is F.pad:
            _replace(graph_module, node, _concatenation)
    graph_module.graph.lint()
    graph_module.recompile()
    return graph_module.eval()


def _replace(graph_module: fx.GraphModule, node: fx.Node, build: Callable[[fx.GraphModule, fx.Node], fx.Node]) -> None:
    with graph_module.graph.inserting_before(node):
        node.replace_all_uses_with(build(graph_module, node))
    graph_module.graph.erase_node(node)


def _rectifier(graph_module: fx.GraphModule, node: fx.Node) -> fx.Node:
    graph_module.add_submodule(f"rectifier_{node.name}", nn.ReLU())
    return graph_module.graph.call_module(f"rectifier_{node.name}", (node.args[0],))


def _concatenation(graph_module: fx.GraphModule, node: fx.Node) -> fx.Node:
    """Zeros before and after, one dimension after the other; `F.pad` counts dimensions from the last of four."""
    padded, pads = node.args
    if len(pads) > 6:
        raise ValueError(f"padding of the batch cannot be rewritten for SpikingJelly: {pads}")
    for number, (before, after) in enumerate(zip(pads[::2], pads[1::2], strict=True)):
        if before or after:
            dimension = 3 - number
            parts = (
                _zeros(graph_module.graph, padded, dimension, before),
                padded,
                _zeros(graph_module.graph, padded, dimension, after),
            )
            padded = graph_module.graph.call_function(torch.cat, (parts, dimension))
    return padded


def _zeros(graph: fx.Graph, x: fx.Node, dimension: int, count: int) -> fx.Node:
    """As many rows of x along a dimension, times zero: what SpikingJelly can also do with a time axis in front."""
    places = (*[slice(None)] * dimension, slice(0, count))
    part = graph.call_function(operator.getitem, (x, places))
    return graph.call_function(operator.mul, (part, 0.0))
