"""Fewer channels: the first ones of each group of a layer are kept, and what reads the others is cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmdeploy.advise.carry_on import CannotChangeError, carried_on
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.layers.operators import Convolution, Linear


def channel_counts(graph: LayerGraph, name: str) -> list[int]:
    """Numbers of channels that a layer with weights could have in place of its own, fewest first."""
    operator = graph.layer(name).operator
    if not isinstance(operator, Convolution | Linear):
        return []
    groups = operator.groups if isinstance(operator, Convolution) else 1
    return list(range(groups, len(operator.bias), groups))


def with_channels(graph: LayerGraph, name: str, count: int) -> LayerGraph:
    """The graph with fewer channels of a convolution or dense layer.

    Parameters
    ----------
    graph : LayerGraph
    name : str
    count : int
        One of `channel_counts`.

    Raises
    ------
    CannotChangeError
        It is none of them, or the layers after it leave no choice.
    """
    layer = graph.layer(name)
    operator = layer.operator
    if not isinstance(operator, Convolution | Linear) or count not in channel_counts(graph, name):
        raise CannotChangeError(f"{name}: cannot have {count} channels")
    groups = operator.groups if isinstance(operator, Convolution) else 1
    kept = np.arange(len(operator.bias)).reshape(groups, -1)[:, : count // groups].ravel()
    cut = replace(operator, weight=operator.weight[kept], bias=operator.bias[kept])
    changed = replace(layer, operator=cut, shape=(count, *layer.shape[1:]))
    return carried_on(graph, name, [changed], kept)
