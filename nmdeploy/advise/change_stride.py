"""Smaller maps: twice the stride of a convolution, or a mean over windows of two by two before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmdeploy.advise.carry_on import CannotChangeError, carried_on
from nmdeploy.layers.graph import Layer, LayerGraph, Shape
from nmdeploy.layers.operators import AveragePool, Convolution, Operator
from nmdeploy.layers.shapes import output_shape


def with_twice_the_stride(graph: LayerGraph, name: str) -> LayerGraph:
    """The graph with twice the stride of a convolution, along the axes that have more than one place.

    Raises
    ------
    CannotChangeError
        The layer is no convolution of a map, or the layers after it leave no choice.
    """
    layer, operator = _of_a_map(graph, name)
    rows, columns = (
        stride * 2 if size > 1 else stride for stride, size in zip(operator.stride, layer.shape[1:], strict=True)
    )
    strided = replace(operator, stride=(rows, columns))
    shape = _shape(name, strided, graph.layer(layer.inputs[0]).shape)
    return carried_on(graph, name, [replace(layer, operator=strided, shape=shape)], np.arange(shape[0]))


def with_pooling_before(graph: LayerGraph, name: str) -> LayerGraph:
    """The graph with a mean over windows of two by two before a convolution.

    Raises
    ------
    CannotChangeError
        The layer is no convolution of a map, or the layers after it leave no choice.
    """
    layer, operator = _of_a_map(graph, name)
    source = graph.layer(layer.inputs[0])
    rows, columns = (min(size, 2) for size in source.shape[1:])
    pooling = AveragePool((rows, columns), (rows, columns))
    taken = {one.name for one in graph.layers}
    pool_name = f"{name}.pooling"
    while pool_name in taken:
        pool_name += "_"
    pool = Layer(pool_name, pooling, layer.inputs, _shape(pool_name, pooling, source.shape), layer.location)
    shape = _shape(name, operator, pool.shape)
    return carried_on(graph, name, [pool, replace(layer, inputs=(pool.name,), shape=shape)], np.arange(shape[0]))


def _of_a_map(graph: LayerGraph, name: str) -> tuple[Layer, Convolution]:
    layer = graph.layer(name)
    if not isinstance(layer.operator, Convolution) or layer.shape[1:] == (1, 1):
        raise CannotChangeError(f"{name}: makes no map")
    return layer, layer.operator


def _shape(name: str, operator: Operator, source: Shape) -> Shape:
    try:
        return output_shape(operator, [source])
    except ValueError as error:
        raise CannotChangeError(f"{name}: {error}") from error
