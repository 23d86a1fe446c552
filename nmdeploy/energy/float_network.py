"""Multiply-accumulates of the trained network, for comparison."""

from __future__ import annotations

from mapping.connectivity import count_uses, tap_table
from nmdeploy.layers.graph import LayerGraph, Shape
from nmdeploy.layers.operators import Convolution, Linear


def float_multiply_accumulates(layers: LayerGraph) -> dict[str, int]:
    """Multiply-accumulates of every convolution and dense layer for one sample, without taps in the padding.

    Returns
    -------
    dict of layer name to int
    """
    counts = {}
    for layer in layers.layers:
        if isinstance(layer.operator, Linear):
            counts[layer.name] = int(layer.operator.weight.size)
        elif isinstance(layer.operator, Convolution):
            counts[layer.name] = _convolution(layer.operator, layers.layer(layer.inputs[0]).shape, layer.shape)
    return counts


def _convolution(operator: Convolution, source: Shape, target: Shape) -> int:
    out, in_per_group, k_rows, k_columns = operator.weight.shape
    taps = 1
    for axis, kernel, padding in ((0, k_rows, operator.padding[0]), (1, k_columns, operator.padding[2])):
        table = tap_table(
            source[axis + 1], target[axis + 1], kernel, operator.stride[axis], padding, operator.dilation[axis]
        )
        taps *= int(count_uses(table, source[axis + 1]).sum())
    return out * in_per_group * taps
