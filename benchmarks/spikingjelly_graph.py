"""The user's network in the form that SpikingJelly's converter takes; needs torch only."""

from __future__ import annotations

import operator
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import fx, nn


def convertible(module: nn.Module) -> fx.GraphModule:
    """The same function, with rectifiers as modules and channel padding as a concatenation.

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
    x, pads = node.args
    if tuple(pads[:4]) != (0, 0, 0, 0) or len(pads) != 6:
        raise ValueError(f"only padding of channels can be rewritten for SpikingJelly, not {pads}")
    graph = graph_module.graph
    before, after = (_zeros(graph, x, count) for count in pads[4:])
    return graph.call_function(torch.cat, ((before, x, after), 1))


def _zeros(graph: fx.Graph, x: fx.Node, channels: int) -> fx.Node:
    """As many channels of x, times zero: what SpikingJelly can also do with a time axis in front."""
    part = graph.call_function(operator.getitem, (x, (slice(None), slice(0, channels))))
    return graph.call_function(operator.mul, (part, 0.0))
