"""More groups in a convolution: each group of outputs keeps the weights of its own group of inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmdeploy.advise.carry_on import CannotChangeError, carried_on
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.layers.operators import Convolution


def group_counts(graph: LayerGraph, name: str) -> list[int]:
    """Numbers of groups that a layer could have in place of its own, fewest first; none if it is no convolution.

    They divide both channel counts, and are multiples of the groups that there are, so that a subset of the weights
    can be kept.
    """
    operator = graph.layer(name).operator
    if not isinstance(operator, Convolution):
        return []
    outputs, per_group = operator.weight.shape[:2]
    inputs = per_group * operator.groups
    return [
        count
        for count in range(2 * operator.groups, inputs + 1, operator.groups)
        if inputs % count == 0 and outputs % count == 0
    ]


def with_groups(graph: LayerGraph, name: str, groups: int) -> LayerGraph:
    """The graph with more groups in a convolution.

    Parameters
    ----------
    graph : LayerGraph
    name : str
    groups : int
        One of `group_counts`.

    Raises
    ------
    CannotChangeError
        It is none of them.
    """
    layer = graph.layer(name)
    operator = layer.operator
    if not isinstance(operator, Convolution) or groups not in group_counts(graph, name):
        raise CannotChangeError(f"{name}: cannot have {groups} groups")
    outputs, per_group = operator.weight.shape[:2]
    each = per_group * operator.groups // groups
    number = np.arange(outputs)
    # inputs are counted within the group that an output had
    first = number // (outputs // groups) * each - number // (outputs // operator.groups) * per_group
    kept = operator.weight[number[:, None], first[:, None] + np.arange(each)]
    changed = replace(layer, operator=replace(operator, weight=kept, groups=groups))
    return carried_on(graph, name, [changed], np.arange(outputs))
