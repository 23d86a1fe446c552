"""Operations of the trained network, for comparison."""

from __future__ import annotations

from math import prod

import numpy as np

from mapping.connectivity import count_uses, tap_table
from nmdeploy.energy.counts import FloatLayer
from nmdeploy.layers.graph import LayerGraph, Shape
from nmdeploy.layers.operators import Convolution, Linear


def float_operations(layers: LayerGraph) -> tuple[FloatLayer, ...]:
    """Operations of every convolution and dense layer for one sample, in the order of the layers."""
    found = []
    for layer in layers.layers:
        operator = layer.operator
        if not isinstance(operator, Linear | Convolution):
            continue
        source, target = layers.layer(layer.inputs[0]).shape, layer.shape
        outputs = prod(target)
        padded = outputs * int(operator.weight[0].size)
        biases = int(np.count_nonzero(operator.bias))
        found.append(
            FloatLayer(
                name=layer.name,
                dense=isinstance(operator, Linear),
                macs=padded if isinstance(operator, Linear) else _inside(operator, source, target),
                macs_padded=padded,
                bias_additions=biases * target[1] * target[2],
                weights=int(operator.weight.size) + biases,
                inputs=prod(source),
                outputs=outputs,
                kernel_positions=0 if isinstance(operator, Linear) else int(operator.weight[:, 0].size),
            )
        )
    return tuple(found)


def _inside(operator: Convolution, source: Shape, target: Shape) -> int:
    """Multiply-accumulates of a convolution whose taps lie inside the map."""
    out, in_per_group, k_rows, k_columns = operator.weight.shape
    taps = 1
    for axis, kernel, padding in ((0, k_rows, operator.padding[0]), (1, k_columns, operator.padding[2])):
        table = tap_table(
            source[axis + 1], target[axis + 1], kernel, operator.stride[axis], padding, operator.dilation[axis]
        )
        taps *= int(count_uses(table, source[axis + 1]).sum())
    return out * in_per_group * taps
