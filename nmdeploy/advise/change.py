"""Changes of a network by kind, and the networks that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nmdeploy.advise.carry_on import CannotChangeError
from nmdeploy.advise.change_channels import channel_counts, with_channels
from nmdeploy.advise.change_groups import group_counts, with_groups
from nmdeploy.advise.change_stride import with_pooling_before, with_twice_the_stride
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.layers.operators import Convolution, Linear

Kind = Literal["groups", "channels", "stride", "pooling"]


@dataclass(frozen=True)
class Change:
    """One change of one layer.

    Attributes
    ----------
    kind : {"groups", "channels", "stride", "pooling"}
    layer : str
        Of the trained network.
    before, after : int
        Groups; channels; stride; rows and columns of the windows that are pooled before the layer.
    """

    kind: Kind
    layer: str
    before: int
    after: int

    def __str__(self) -> str:
        if self.kind == "pooling":
            return f"{self.layer}: mean over {self.after} x {self.after} before it"
        return f"{self.layer}: {self.kind} {self.before} -> {self.after}"


def changed(graph: LayerGraph, changes: Sequence[Change]) -> LayerGraph:
    """The network with these changes, one after the other.

    Raises
    ------
    CannotChangeError
        One of them does not go with the rest of the network.
    """
    for change in changes:
        if change.kind == "groups":
            graph = with_groups(graph, change.layer, change.after)
        elif change.kind == "channels":
            graph = with_channels(graph, change.layer, change.after)
        elif change.kind == "stride":
            graph = with_twice_the_stride(graph, change.layer)
        else:
            graph = with_pooling_before(graph, change.layer)
    return graph


def possible_changes(graph: LayerGraph, kind: Kind, layer: str) -> list[Change]:
    """All changes of a kind of a layer that the rest of the network goes with, the smallest first."""
    operator = graph.layer(layer).operator
    if kind == "channels":
        counts = channel_counts(graph, layer)[::-1]
        before = len(operator.bias) if isinstance(operator, Convolution | Linear) else 0
        found = [Change(kind, layer, before, count) for count in counts]
        # fewer channels go with the rest, or do not, whatever their number is
        return found if found and is_possible(graph, found[0]) else []
    if not isinstance(operator, Convolution):
        return []
    if kind == "groups":
        return [Change(kind, layer, operator.groups, count) for count in group_counts(graph, layer)]
    stride = max(operator.stride)
    change = Change(kind, layer, stride, 2 * stride) if kind == "stride" else Change(kind, layer, 1, 2)
    return [change] if is_possible(graph, change) else []


def is_possible(graph: LayerGraph, change: Change) -> bool:
    """Whether the rest of the network goes with a change."""
    try:
        changed(graph, [change])
    except CannotChangeError:
        return False
    return True


def parameters(graph: LayerGraph) -> int:
    """Weights and biases of all convolutions and dense layers."""
    operators = (layer.operator for layer in graph.layers)
    return sum(one.weight.size + one.bias.size for one in operators if isinstance(one, Convolution | Linear))
