"""Rules for pooling, spatial means and upsampling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmdeploy.frontend.builder import LayerBuilder, Value, layer_shape
from nmdeploy.frontend.problems import UnsupportedCall
from nmdeploy.frontend.weight_rules import Sizes, pair, require_axes
from nmdeploy.layers.graph import Shape
from nmdeploy.layers.operators import AdaptiveAveragePool, Affine, AveragePool, MaxPool, Upsample

Padding = tuple[int, int, int, int]


def _result_shape(builder: LayerBuilder) -> Shape:
    shape = layer_shape(tuple(builder.result.shape))
    if shape is None:
        raise UnsupportedCall(f"gives a tensor of shape {tuple(builder.result.shape)}")
    return shape


def _axes(value: Value) -> int:
    axes = len(value.tensor_shape) - 2
    if axes not in (1, 2):
        require_axes(value, 2)
    return axes


def _ceiling_padding(
    shape: Shape,
    result: Shape,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
) -> Padding:
    """Padding under which exactly the windows of a ceiling mode fit."""
    after = [
        max(
            0,
            (result[axis + 1] - 1) * stride[axis]
            + dilation[axis] * (kernel[axis] - 1)
            + 1
            - shape[axis + 1]
            - padding[axis],
        )
        for axis in (0, 1)
    ]
    return (padding[0], after[0], padding[1], after[1])


def max_pool(
    builder: LayerBuilder,
    input: Value,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Value:
    """``F.max_pool1d`` and ``F.max_pool2d``, with padding by -inf or replication taken from in front."""
    axes = _axes(input)
    kernel, steps = pair(kernel_size, axes, 1), pair(dilation, axes, 1)
    strides = kernel if stride is None or stride == [] else pair(stride, axes, 1)
    rows, columns = pair(padding, axes, 0)
    before = input.padding
    padded = (input.shape[0], input.shape[1] + before[0] + before[1], input.shape[2] + before[2] + before[3])
    around: Padding = (rows, rows, columns, columns)
    if ceil_mode:
        around = _ceiling_padding(padded, _result_shape(builder), kernel, strides, (rows, columns), steps)
    if any(before) and steps != (1, 1):
        raise UnsupportedCall("is dilated over padding by -inf or replication", "Use padding=0 or dilation=1.")
    top, bottom, left, right = (inner + outer for inner, outer in zip(before, around, strict=True))
    unpadded = Value(input.layer, input.shape, input.tensor_shape)
    return builder.add(MaxPool(kernel, strides, (top, bottom, left, right), steps), unpadded)


def average_pool(
    builder: LayerBuilder,
    input: Value,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Value:
    """``F.avg_pool1d`` and ``F.avg_pool2d``."""
    axes = _axes(input)
    kernel = pair(kernel_size, axes, 1)
    strides = kernel if stride is None or stride == [] else pair(stride, axes, 1)
    rows, columns = pair(padding, axes, 0)
    around: Padding = (rows, rows, columns, columns)
    if ceil_mode:
        around = _ceiling_padding(input.shape, _result_shape(builder), kernel, strides, (rows, columns), (1, 1))
    if divisor_override is not None:
        mean = builder.add(AveragePool(kernel, strides, around), input, part="mean")
        ratio = kernel[0] * kernel[1] / divisor_override
        channels = input.shape[0]
        return builder.add(Affine(np.full(channels, ratio, np.float32), np.zeros(channels, np.float32)), mean)
    if around[1] > rows or around[3] > columns:
        # torch divides by what lies in the input and its padding, not by what the ceiling mode adds.
        if count_include_pad and (rows or columns):
            raise UnsupportedCall(
                "has ceil_mode together with padding that counts",
                "Use ceil_mode=False or count_include_pad=False.",
            )
        count_include_pad = False
    return builder.add(AveragePool(kernel, strides, around, bool(count_include_pad)), input)


def adaptive_average_pool(builder: LayerBuilder, input: Value, output_size: Sizes) -> Value:
    """``F.adaptive_avg_pool1d`` and ``F.adaptive_avg_pool2d``."""
    _axes(input)
    return builder.add(AdaptiveAveragePool(_result_shape(builder)[1:]), input)


def adaptive_max_pool(builder: LayerBuilder, input: Value, output_size: Sizes, return_indices: bool = False) -> Value:
    """``F.adaptive_max_pool1d`` and ``F.adaptive_max_pool2d`` where the windows are equal."""
    _axes(input)
    rows, columns = _result_shape(builder)[1:]
    if input.shape[1] % rows or input.shape[2] % columns:
        raise UnsupportedCall(f"pools {input.shape} to unequal windows", "Use nn.MaxPool2d with a fixed window.")
    kernel = (input.shape[1] // rows, input.shape[2] // columns)
    return builder.add(MaxPool(kernel, kernel), input)


def mean(
    builder: LayerBuilder, input: Value, dim: Sizes | None = None, keepdim: bool = False, dtype: object = None
) -> Value:
    """``x.mean((2, 3))`` and means over either of the two."""
    axes = _axes(input)
    over = {axis % (axes + 2) for axis in _axis_list(dim, axes + 2)}
    if not over or over & {0, 1}:
        raise UnsupportedCall(f"takes the mean over axes {sorted(over)}", "Means over rows and columns are supported.")
    rows = 1 if axes == 1 or 2 in over else input.shape[1]
    columns = 1 if axes + 1 in over else input.shape[2]
    return builder.add(AdaptiveAveragePool((rows, columns)), input)


def _axis_list(dim: Sizes | None, count: int) -> Sequence[int]:
    if dim is None:
        return range(count)
    return [dim] if isinstance(dim, int) else dim


def interpolate(
    builder: LayerBuilder,
    input: Value,
    size: Sizes | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Value:
    """``F.interpolate`` to the nearest neighbour by whole factors."""
    if mode not in ("nearest", "nearest-exact"):
        raise UnsupportedCall(f"interpolates {mode}", 'Use mode="nearest".')
    _axes(input)
    result = _result_shape(builder)
    scales = () if scale_factor is None else np.atleast_1d(np.asarray(scale_factor, np.float64))
    rows, columns = (after / before for after, before in zip(result[1:], input.shape[1:], strict=True))
    if rows % 1 or columns % 1 or any(scale % 1 for scale in scales):
        raise UnsupportedCall(f"scales {input.shape} to {result}", "Only whole factors, 2 or 3 say, are supported.")
    return builder.add(Upsample((int(rows), int(columns))), input)
