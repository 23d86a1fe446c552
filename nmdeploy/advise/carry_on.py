"""Carry the change of one layer through the layers that read it: channels that are gone, maps that are smaller.

Weights are cut, never made up: what a layer keeps of its weights are those of the channels, and of the first rows and
columns, that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmdeploy.layers import operators as op
from nmdeploy.layers.graph import Layer, LayerGraph, Shape, build_layer_graph
from nmdeploy.layers.shapes import output_shape

Channels = NDArray[np.int64]


class CannotChangeError(Exception):
    """A change does not go with the rest of the network; the message says where."""


@dataclass(frozen=True)
class Left:
    """What is left of the output of a layer.

    Attributes
    ----------
    channels : int64 array
        Those of the unchanged output that are left, in order.
    shape : (int, int, int)
        Of what is left: the first rows and columns.
    """

    channels: Channels
    shape: Shape

    @classmethod
    def all_of(cls, shape: Shape) -> Left:
        """An unchanged output."""
        return cls(np.arange(shape[0]), shape)


def carried_on(graph: LayerGraph, name: str, instead: Sequence[Layer], channels: Channels) -> LayerGraph:
    """The graph with other layers in place of one.

    Parameters
    ----------
    graph : LayerGraph
        Sound.
    name : str
        Of the layer that changes.
    instead : sequence of Layer
        In order; the last one has the name of the layer, and its output is the first rows and columns of some channels.
    channels : int64 array
        Channels of the unchanged output that are left.

    Raises
    ------
    CannotChangeError
        The change would reach an output of the network, or a layer that leaves no choice.
    """
    left: dict[str, Left] = {}
    layers: list[Layer] = []
    for layer in graph.layers:
        if layer.name == name:
            layers += instead
            if instead[-1].shape != layer.shape:
                left[name] = Left(channels, instead[-1].shape)
        elif any(source in left for source in layer.inputs):
            inputs = [left.get(source, Left.all_of(graph.layer(source).shape)) for source in layer.inputs]
            changed, remaining = _followed(graph, layer, inputs)
            layers.append(changed)
            if remaining.shape != layer.shape:
                left[layer.name] = remaining
        else:
            layers.append(layer)
        if layer.name in graph.outputs and layer.name in left:
            raise CannotChangeError(f"{layer.name} is an output of the network")
    return build_layer_graph(layers, graph.outputs)


def _followed(graph: LayerGraph, layer: Layer, inputs: list[Left]) -> tuple[Layer, Left]:
    """A layer as it reads what is left of its inputs, and what is left of its output."""
    before = [graph.layer(source).shape for source in layer.inputs]
    follow = _RULES.get(type(layer.operator), _same_channels)
    operator, channels = follow(layer.operator, inputs, before)
    try:
        shape = output_shape(operator, [one.shape for one in inputs])
    except ValueError as error:
        raise CannotChangeError(f"{layer.name}: {error}") from error
    return replace(layer, operator=operator, shape=shape), Left(channels, shape)


def _same_channels(operator: Any, inputs: list[Left], before: list[Shape]) -> tuple[Any, Channels]:
    return operator, inputs[0].channels


def _convolution(operator: op.Convolution, inputs: list[Left], before: list[Shape]) -> tuple[op.Operator, Channels]:
    (left,) = inputs
    outputs, per_group = operator.weight.shape[:2]
    every = np.arange(outputs)
    if len(left.channels) == before[0][0]:
        return operator, every
    if per_group == 1:
        # each channel has outputs of its own, which go with it
        multiple = outputs // operator.groups
        kept = (left.channels[:, None] * multiple + np.arange(multiple)).ravel()
        cut = replace(operator, weight=operator.weight[kept], bias=operator.bias[kept], groups=len(left.channels))
        return cut, kept
    group, place = left.channels // per_group, left.channels % per_group
    counts = np.bincount(group, minlength=operator.groups)
    if (counts != counts[0]).any():
        raise CannotChangeError("groups of a convolution would be left with different numbers of channels")
    of_output = place.reshape(operator.groups, -1)[every // (outputs // operator.groups)]
    return replace(operator, weight=operator.weight[every[:, None], of_output]), every


def _linear(operator: op.Linear, inputs: list[Left], before: list[Shape]) -> tuple[op.Operator, Channels]:
    return replace(operator, weight=operator.weight[:, inputs[0].channels]), np.arange(len(operator.bias))


def _flatten(operator: op.Flatten, inputs: list[Left], before: list[Shape]) -> tuple[op.Operator, Channels]:
    (left,), (_, rows, columns) = inputs, before[0]
    _, rows_left, columns_left = left.shape
    places = (np.arange(rows_left)[:, None] * columns + np.arange(columns_left)).ravel()
    return operator, (left.channels[:, None] * (rows * columns) + places).ravel()


def _indexed(*names: str) -> Callable[[Any, list[Left], list[Shape]], tuple[Any, Channels]]:
    def follow(operator: Any, inputs: list[Left], before: list[Shape]) -> tuple[Any, Channels]:
        channels = inputs[0].channels
        return replace(operator, **{name: getattr(operator, name)[channels] for name in names}), channels

    return follow


def _pool(operator: Any, inputs: list[Left], before: list[Shape]) -> tuple[Any, Channels]:
    """A window over the whole map stays one."""
    (left,) = inputs
    if operator.kernel == before[0][1:] and not any(operator.padding):
        operator = replace(operator, kernel=left.shape[1:], stride=left.shape[1:])
    return operator, left.channels


def _add(operator: op.Add, inputs: list[Left], before: list[Shape]) -> tuple[op.Operator, Channels]:
    first = inputs[0]
    if not all(one.shape == first.shape and np.array_equal(one.channels, first.channels) for one in inputs):
        raise CannotChangeError("what is added must have the same channels, rows and columns")
    return operator, first.channels


def _concatenate(operator: op.Concatenate, inputs: list[Left], before: list[Shape]) -> tuple[op.Operator, Channels]:
    offsets = np.cumsum([0, *(shape[0] for shape in before)])
    return operator, np.concatenate([one.channels + offset for one, offset in zip(inputs, offsets, strict=False)])


def _slice(operator: op.Slice, inputs: list[Left], before: list[Shape]) -> tuple[op.Operator, Channels]:
    (left,) = inputs
    axes = (operator.channels, operator.rows, operator.columns)
    whole = operator.channels == (0, before[0][0], 1)
    if len(left.channels) < before[0][0] and not whole:
        raise CannotChangeError("a slice takes channels by their numbers")
    channels, rows, columns = (
        (start, min(stop, size), step) for (start, stop, step), size in zip(axes, left.shape, strict=True)
    )
    kept = left.channels if whole else np.arange(len(range(*operator.channels)))
    return op.Slice(channels, rows, columns), kept


def _pad(operator: op.Pad, inputs: list[Left], before: list[Shape]) -> tuple[op.Operator, Channels]:
    first, last = operator.channels
    end = first + before[0][0]
    kept = [np.arange(first), first + inputs[0].channels, np.arange(end, end + last)]
    return operator, np.concatenate(kept)


_RULES: dict[type, Callable[[Any, list[Left], list[Shape]], tuple[Any, Channels]]] = {
    op.Convolution: _convolution,
    op.Linear: _linear,
    op.Flatten: _flatten,
    op.BatchNorm: _indexed("mean", "variance", "weight", "bias"),
    op.Affine: _indexed("scale", "shift"),
    op.LeakyReLU: _indexed("negative_slope"),
    op.MaxPool: _pool,
    op.AveragePool: _pool,
    op.Add: _add,
    op.Concatenate: _concatenate,
    op.Slice: _slice,
    op.Pad: _pad,
}
"""How operators follow their inputs; all others take them as they are."""
