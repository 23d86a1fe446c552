"""Rules for the layers with weights: convolution, linear, batch normalisation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from torch import Tensor

from nmdeploy.frontend.builder import LayerBuilder, Value, float_array
from nmdeploy.frontend.problems import UnsupportedCall
from nmdeploy.layers.operators import BatchNorm, Convolution, Linear

Sizes = int | Sequence[int]


def pair(sizes: Sizes, axes: int, single_row: int) -> tuple[int, int]:
    """One or two sizes as (rows, columns); along one axis, the row gets `single_row`."""
    values = tuple(map(int, sizes)) if isinstance(sizes, Iterable) else (int(sizes),)
    if len(values) == 1:
        values *= axes
    if len(values) != axes:
        raise UnsupportedCall(f"needs {axes} sizes, has {values}")
    return (single_row, values[0]) if axes == 1 else (values[0], values[1])


def require_axes(value: Value, axes: int) -> None:
    """Refuse a tensor without a batch axis, which torch would take for one."""
    if len(value.tensor_shape) != axes + 2:
        raise UnsupportedCall(
            f"takes a tensor with {axes + 2} axes, has {value.tensor_shape}", "Keep the batch axis first."
        )


def convolution(
    builder: LayerBuilder,
    input: Value,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Value:
    """``F.conv1d`` and ``F.conv2d``."""
    axes = weight.ndim - 2
    if axes not in (1, 2):
        raise UnsupportedCall(f"convolves along {axes} axes", "Only 1-D and 2-D convolutions can be placed.")
    require_axes(input, axes)
    kernel = float_array(weight)
    if axes == 1:
        kernel = kernel[:, :, None, :]
    steps = pair(dilation, axes, 1)
    return builder.add(
        Convolution(
            kernel,
            np.zeros(len(kernel), np.float32) if bias is None else float_array(bias),
            pair(stride, axes, 1),
            _padding(padding, axes, (kernel.shape[2], kernel.shape[3]), steps),
            steps,
            groups,
        ),
        input,
    )


def _padding(
    padding: Sizes | str, axes: int, kernel: tuple[int, int], dilation: tuple[int, int]
) -> tuple[int, int, int, int]:
    if padding == "valid":
        return (0, 0, 0, 0)
    if padding == "same":
        rows, columns = (step * (size - 1) for size, step in zip(kernel, dilation, strict=True))
        return (rows // 2, rows - rows // 2, columns // 2, columns - columns // 2)
    if isinstance(padding, str):
        raise UnsupportedCall(f"has padding {padding!r}")
    rows, columns = pair(padding, axes, 0)
    return (rows, rows, columns, columns)


def linear(builder: LayerBuilder, input: Value, weight: Tensor, bias: Tensor | None = None) -> Value:
    """``F.linear`` on a vector."""
    require_axes(input, 0)
    matrix = float_array(weight)
    return builder.add(Linear(matrix, np.zeros(len(matrix), np.float32) if bias is None else float_array(bias)), input)


def matmul(builder: LayerBuilder, input: Value, other: Tensor) -> Value:
    """``x @ constant`` on a vector."""
    if other.ndim != 2:
        raise UnsupportedCall(f"multiplies by a constant of shape {tuple(other.shape)}", "Use nn.Linear.")
    return linear(builder, input, other.T)


def batch_norm(
    builder: LayerBuilder,
    input: Value,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Value:
    """``F.batch_norm`` with its running statistics."""
    if training or running_mean is None or running_var is None:
        raise UnsupportedCall(
            "normalises by the statistics of the batch",
            "Call module.eval(), and keep track_running_stats=True.",
        )
    mean = float_array(running_mean)
    return builder.add(
        BatchNorm(
            mean,
            float_array(running_var),
            np.ones_like(mean) if weight is None else float_array(weight),
            np.zeros_like(mean) if bias is None else float_array(bias),
            float(eps),
        ),
        input,
    )
