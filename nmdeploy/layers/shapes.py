"""The shape of each operator's output, from the operator and the shapes of its inputs alone.

A second source beside the shapes that the frontend observed: `nmdeploy.layers.verify` compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nmdeploy.layers import operators as op
from nmdeploy.layers.graph import Shape


def output_shape(operator: op.Operator, input_shapes: Sequence[Shape]) -> Shape:
    """Shape that an operator gives for inputs of these shapes.

    Parameters
    ----------
    operator : Operator
        Any operator but `Input`, whose shape nothing determines.
    input_shapes : sequence of (int, int, int)
        Channels, rows, columns of each input, in the operator's order.

    Returns
    -------
    (int, int, int)

    Raises
    ------
    ValueError
        The operator does not fit its inputs, or is malformed by itself; the message says how.
    """
    if isinstance(operator, op.Add | op.Concatenate):
        _require(len(input_shapes) >= 1, "needs at least one input")
        return _add(input_shapes) if isinstance(operator, op.Add) else _concatenate(input_shapes)
    _require(len(input_shapes) == 1, f"needs one input, has {len(input_shapes)}")
    return _SINGLE_INPUT[type(operator)](operator, input_shapes[0])


def window_count(
    size: int, kernel: int, stride: int, before: int, after: int, dilation: int = 1, *, what: str = "axis"
) -> int:
    """How many windows fit along one axis of `size` elements with `before` and `after` elements of padding.

    Raises
    ------
    ValueError
        No window fits, or a parameter is out of range.
    """
    _require(kernel >= 1 and stride >= 1 and dilation >= 1, "kernel, stride and dilation must be at least 1")
    _require(before >= 0 and after >= 0, "padding must not be negative")
    extent = dilation * (kernel - 1) + 1
    _require(size + before + after >= extent, f"{what}: window of {extent} exceeds {size} + padding")
    return (size + before + after - extent) // stride + 1


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _add(shapes: Sequence[Shape]) -> Shape:
    _require(all(shape == shapes[0] for shape in shapes), f"inputs differ in shape: {list(shapes)}")
    return shapes[0]


def _concatenate(shapes: Sequence[Shape]) -> Shape:
    _require(
        all(shape[1:] == shapes[0][1:] for shape in shapes),
        f"inputs differ in rows or columns: {list(shapes)}",
    )
    return (sum(shape[0] for shape in shapes), *shapes[0][1:])


def _same(_: object, shape: Shape) -> Shape:
    return shape


def _convolution(conv: op.Convolution, shape: Shape) -> Shape:
    _require(conv.weight.ndim == 4, f"weight has {conv.weight.ndim} axes, needs 4")
    channels_out, channels_in, kernel_rows, kernel_columns = conv.weight.shape
    _require(
        conv.groups >= 1 and channels_out % conv.groups == 0,
        f"{channels_out} channels in {conv.groups} groups",
    )
    _require(
        channels_in * conv.groups == shape[0],
        f"weight takes {channels_in * conv.groups} channels, the input has {shape[0]}",
    )
    _require(conv.bias.shape == (channels_out,), f"bias has shape {conv.bias.shape}, needs ({channels_out},)")
    return (channels_out, *_windows(conv, (kernel_rows, kernel_columns), conv.dilation, shape))


def _windows(
    operator: op.Convolution | op.MaxPool | op.AveragePool,
    kernel: tuple[int, int],
    dilation: tuple[int, int],
    shape: Shape,
) -> tuple[int, int]:
    top, bottom, left, right = operator.padding
    stride = operator.stride
    return (
        window_count(shape[1], kernel[0], stride[0], top, bottom, dilation[0], what="rows"),
        window_count(shape[2], kernel[1], stride[1], left, right, dilation[1], what="columns"),
    )


def _pool(pool: op.MaxPool | op.AveragePool, shape: Shape) -> Shape:
    dilation = pool.dilation if isinstance(pool, op.MaxPool) else (1, 1)
    extents = [step * (size - 1) + 1 for size, step in zip(pool.kernel, dilation, strict=True)]
    # A window of nothing but padding would have no maximum and no mean.
    _require(
        max(pool.padding[:2]) < extents[0] and max(pool.padding[2:]) < extents[1],
        f"padding {pool.padding} is not smaller than the window {tuple(extents)}",
    )
    return (shape[0], *_windows(pool, pool.kernel, dilation, shape))


def _linear(linear: op.Linear, shape: Shape) -> Shape:
    _require(linear.weight.ndim == 2, f"weight has {linear.weight.ndim} axes, needs 2")
    features_out, features_in = linear.weight.shape
    _require(shape == (features_in, 1, 1), f"weight takes a vector of {features_in}, the input is {shape}")
    _require(linear.bias.shape == (features_out,), f"bias has shape {linear.bias.shape}, needs ({features_out},)")
    return (features_out, 1, 1)


def _per_channel(*fields: str) -> Callable[[Any, Shape], Shape]:
    def check(operator: Any, shape: Shape) -> Shape:
        for field in fields:
            found = getattr(operator, field).shape
            _require(found == (shape[0],), f"{field} has shape {found}, needs ({shape[0]},)")
        return shape

    return check


def _batch_norm(norm: op.BatchNorm, shape: Shape) -> Shape:
    _per_channel("mean", "variance", "weight", "bias")(norm, shape)
    _require(bool((norm.variance + norm.epsilon > 0).all()), "variance + epsilon is not positive")
    return shape


def _relu(relu: op.ReLU, shape: Shape) -> Shape:
    _require(relu.ceiling is None or relu.ceiling > 0, f"ceiling {relu.ceiling} is not positive")
    return shape


def _adaptive_pool(pool: op.AdaptiveAveragePool, shape: Shape) -> Shape:
    _require(min(pool.output_size) >= 1, f"output size {pool.output_size} is not positive")
    return (shape[0], *pool.output_size)


def _upsample(upsample: op.Upsample, shape: Shape) -> Shape:
    _require(min(upsample.factors) >= 1, f"factors {upsample.factors} are not positive")
    return (shape[0], shape[1] * upsample.factors[0], shape[2] * upsample.factors[1])


def _flatten(_: op.Flatten, shape: Shape) -> Shape:
    return (shape[0] * shape[1] * shape[2], 1, 1)


def _slice(cut: op.Slice, shape: Shape) -> Shape:
    axes = (cut.channels, cut.rows, cut.columns)
    for (start, stop, step), size in zip(axes, shape, strict=True):
        _require(
            0 <= start < stop <= size and step > 0,
            f"({start}, {stop}, {step}) does not fit an axis of {size}",
        )
    channels, rows, columns = (len(range(*axis)) for axis in axes)
    return (channels, rows, columns)


def _pad(pad: op.Pad, shape: Shape) -> Shape:
    axes = (pad.channels, pad.rows, pad.columns)
    _require(min(min(axis) for axis in axes) >= 0, "padding must not be negative")
    channels, rows, columns = (size + sum(axis) for size, axis in zip(shape, axes, strict=True))
    return (channels, rows, columns)


def _input(_: op.Input, shape: Shape) -> Shape:
    raise ValueError("an input layer takes no inputs")


_SINGLE_INPUT: dict[type, Callable[[Any, Shape], Shape]] = {
    op.Input: _input,
    op.Convolution: _convolution,
    op.Linear: _linear,
    op.BatchNorm: _batch_norm,
    op.Affine: _per_channel("scale", "shift"),
    op.ReLU: _relu,
    op.LeakyReLU: _per_channel("negative_slope"),
    op.MaxPool: _pool,
    op.AveragePool: _pool,
    op.AdaptiveAveragePool: _adaptive_pool,
    op.Upsample: _upsample,
    op.Flatten: _flatten,
    op.Slice: _slice,
    op.Pad: _pad,
    op.Identity: _same,
    op.Softmax: _same,
    op.Sigmoid: _same,
}
