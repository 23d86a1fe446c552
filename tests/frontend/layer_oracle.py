"""Evaluates a layer graph straight from the operators' docstrings, in torch: the oracle of the frontend's tests."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from nmdeploy.layers import operators as op
from nmdeploy.layers.graph import Layer, LayerGraph


def evaluate(graph: LayerGraph, samples: Tensor) -> list[Tensor]:
    """All outputs of the graph, each (N, C, H, W)."""
    values: dict[str, Tensor] = {}
    for layer in graph.layers:
        if isinstance(layer.operator, op.Input):
            value = samples.reshape(len(samples), *layer.shape).to(torch.float64)
        else:
            value = apply(layer, [values[name] for name in layer.inputs])
        assert tuple(value.shape[1:]) == layer.shape, layer.name
        values[layer.name] = value
    return [values[name] for name in graph.outputs]


def apply(layer: Layer, inputs: list[Tensor]) -> Tensor:  # noqa: C901 - a branch for each operator
    operator, x = layer.operator, inputs[0]
    if isinstance(operator, op.Convolution):
        return F.conv2d(
            _padded(x, operator.padding, 0.0),
            _tensor(operator.weight),
            _tensor(operator.bias),
            operator.stride,
            0,
            operator.dilation,
            operator.groups,
        )
    if isinstance(operator, op.Linear):
        return (x.flatten(1) @ _tensor(operator.weight).T + _tensor(operator.bias))[:, :, None, None]
    if isinstance(operator, op.BatchNorm):
        mean, variance, weight, bias = (
            _channels(array) for array in (operator.mean, operator.variance, operator.weight, operator.bias)
        )
        return (x - mean) / torch.sqrt(variance + operator.epsilon) * weight + bias
    if isinstance(operator, op.Affine):
        return x * _channels(operator.scale) + _channels(operator.shift)
    if isinstance(operator, op.ReLU):
        return x.clamp(min=0) if operator.ceiling is None else x.clamp(0, operator.ceiling)
    if isinstance(operator, op.LeakyReLU):
        return torch.where(x >= 0, x, x * _channels(operator.negative_slope))
    if isinstance(operator, op.MaxPool):
        windows = _windows(_padded(x, operator.padding, -math.inf), operator.kernel, operator.stride, operator.dilation)
        return windows.amax(dim=-1)
    if isinstance(operator, op.AveragePool):
        totals = _windows(_padded(x, operator.padding, 0.0), operator.kernel, operator.stride, (1, 1)).sum(-1)
        if operator.count_include_pad:
            return totals / math.prod(operator.kernel)
        inside = _padded(torch.ones_like(x), operator.padding, 0.0)
        return totals / _windows(inside, operator.kernel, operator.stride, (1, 1)).sum(-1)
    if isinstance(operator, op.AdaptiveAveragePool):
        return _adaptive(_adaptive(x, 2, operator.output_size[0]), 3, operator.output_size[1])
    if isinstance(operator, op.Upsample):
        return x.repeat_interleave(operator.factors[0], 2).repeat_interleave(operator.factors[1], 3)
    if isinstance(operator, op.Add):
        return torch.stack(inputs).sum(0)
    if isinstance(operator, op.Concatenate):
        return torch.cat(inputs, 1)
    if isinstance(operator, op.Flatten):
        return x.flatten(1)[:, :, None, None]
    if isinstance(operator, op.Slice):
        return x[:, slice(*operator.channels), slice(*operator.rows), slice(*operator.columns)]
    if isinstance(operator, op.Pad):
        return F.pad(x, (*operator.columns, *operator.rows, *operator.channels))
    if isinstance(operator, op.Identity):
        return x
    if isinstance(operator, op.Softmax):
        return torch.softmax(x, 1)
    assert isinstance(operator, op.Sigmoid), operator
    return torch.sigmoid(x)


def _tensor(array: op.FloatArray) -> Tensor:
    return torch.from_numpy(array).to(torch.float64)


def _channels(array: op.FloatArray) -> Tensor:
    return _tensor(array).reshape(1, -1, 1, 1)


def _padded(x: Tensor, padding: tuple[int, int, int, int], value: float) -> Tensor:
    top, bottom, left, right = padding
    return F.pad(x, (left, right, top, bottom), value=value)


def _windows(x: Tensor, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]) -> Tensor:
    """(N, C, rows, columns, elements of the window)."""
    extents = [step * (size - 1) + 1 for size, step in zip(kernel, dilation, strict=True)]
    windows = x.unfold(2, extents[0], stride[0]).unfold(3, extents[1], stride[1])
    return windows[..., :: dilation[0], :: dilation[1]].flatten(4)


def _adaptive(x: Tensor, axis: int, count: int) -> Tensor:
    size = x.shape[axis]
    parts = [
        x.narrow(axis, i * size // count, -(-(i + 1) * size // count) - i * size // count).mean(axis, True)
        for i in range(count)
    ]
    return torch.cat(parts, axis)
