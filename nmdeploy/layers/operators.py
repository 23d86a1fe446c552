"""The operators of a layer graph, one dataclass each.

Tensors have the shape (channels, rows, columns) without the batch axis: a sequence (C, L) is (C, 1, L), a
vector (F,) is (F, 1, 1). Arrays are float32. `tests/layers` checks each docstring against torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Input:
    """The network's input."""


@dataclass(frozen=True)
class Convolution:
    """``torch.nn.functional.conv2d`` after zero padding.

    Attributes
    ----------
    weight : (out_channels, in_channels / groups, kernel rows, kernel columns)
    bias : (out_channels,)
    stride, dilation : (rows, columns)
    padding : (top, bottom, left, right)
    groups : int
    """

    weight: FloatArray
    bias: FloatArray
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


@dataclass(frozen=True)
class Linear:
    """``weight @ x + bias`` on a vector (F, 1, 1); weight (out, in), bias (out,)."""

    weight: FloatArray
    bias: FloatArray


@dataclass(frozen=True)
class BatchNorm:
    """``(x - mean) / sqrt(variance + epsilon) * weight + bias`` per channel, all arrays (channels,)."""

    mean: FloatArray
    variance: FloatArray
    weight: FloatArray
    bias: FloatArray
    epsilon: float


@dataclass(frozen=True)
class Affine:
    """``x * scale + shift`` per channel, both arrays (channels,)."""

    scale: FloatArray
    shift: FloatArray


@dataclass(frozen=True)
class ReLU:
    """``max(x, 0)``, or ``min(max(x, 0), ceiling)``."""

    ceiling: float | None = None


@dataclass(frozen=True)
class LeakyReLU:
    """``x if x >= 0 else negative_slope * x``; negative_slope (channels,). PReLU and LeakyReLU."""

    negative_slope: FloatArray


@dataclass(frozen=True)
class MaxPool:
    """Maximum over windows; padding (top, bottom, left, right) never wins.

    The padding holds what a ceiling mode adds, so that every window lies within the padded input.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class AveragePool:
    """Mean over windows of a zero-padded input; zeros count when `count_include_pad`."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    count_include_pad: bool = True


@dataclass(frozen=True)
class AdaptiveAveragePool:
    """Mean over ``floor(i * n / out) : ceil((i + 1) * n / out)`` along each axis; global mean for (1, 1)."""

    output_size: tuple[int, int]


@dataclass(frozen=True)
class Upsample:
    """Nearest-neighbour upsampling by whole factors (rows, columns)."""

    factors: tuple[int, int]


@dataclass(frozen=True)
class Add:
    """Sum of all inputs, of equal shapes."""


@dataclass(frozen=True)
class Concatenate:
    """All inputs joined along the channels."""


@dataclass(frozen=True)
class Flatten:
    """(C, H, W) to (C*H*W, 1, 1) in C order."""


@dataclass(frozen=True)
class Slice:
    """``x[channels, rows, columns]``, each (start, stop, step) with 0 <= start < stop and step > 0."""

    channels: tuple[int, int, int]
    rows: tuple[int, int, int]
    columns: tuple[int, int, int]


@dataclass(frozen=True)
class Pad:
    """Zeros before and after: channels, rows, columns as (before, after)."""

    channels: tuple[int, int]
    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True)
class Identity:
    """Nothing; also dropout in evaluation."""


@dataclass(frozen=True)
class Softmax:
    """Softmax over the channels; allowed only at an output, where the host computes it."""


@dataclass(frozen=True)
class Sigmoid:
    """Logistic function; allowed only at an output, where the host computes it."""


Operator = (
    Input
    | Convolution
    | Linear
    | BatchNorm
    | Affine
    | ReLU
    | LeakyReLU
    | MaxPool
    | AveragePool
    | AdaptiveAveragePool
    | Upsample
    | Add
    | Concatenate
    | Flatten
    | Slice
    | Pad
    | Identity
    | Softmax
    | Sigmoid
)
