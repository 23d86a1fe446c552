"""Rules for activations, dropout, and what the host computes at an output."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from nmdeploy.frontend.builder import LayerBuilder, Value, float_array
from nmdeploy.frontend.problems import UnsupportedCall
from nmdeploy.layers.operators import Identity, LeakyReLU, ReLU, Sigmoid, Softmax


def relu(builder: LayerBuilder, input: Value, inplace: bool = False) -> Value:
    """``F.relu``."""
    return builder.add(ReLU(), input)


def relu6(builder: LayerBuilder, input: Value, inplace: bool = False) -> Value:
    """``F.relu6``."""
    return builder.add(ReLU(6.0), input)


def hardtanh(
    builder: LayerBuilder, input: Value, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Value:
    """``F.hardtanh`` with a lower bound of zero."""
    return clamp(builder, input, min_val, max_val)


def clamp(
    builder: LayerBuilder, input: Value, min: float | Tensor | None = None, max: float | Tensor | None = None
) -> Value:
    """``torch.clamp`` with a lower bound of zero."""
    low, high = _number(min), _number(max)
    if low != 0:
        raise UnsupportedCall(f"clamps to {low} .. {high}", "Clamp at min=0: a spiking neuron has no negative rate.")
    if high is not None and high <= 0:
        raise UnsupportedCall(f"clamps to 0 .. {high}, a constant")
    return builder.add(ReLU(high if high is None or np.isfinite(high) else None), input)


def _number(bound: float | Tensor | None) -> float | None:
    if isinstance(bound, Tensor):
        if bound.numel() != 1:
            raise UnsupportedCall("clamps to a bound for each element", "Use one bound for all.")
        return float(bound)
    return None if bound is None else float(bound)


def leaky_relu(builder: LayerBuilder, input: Value, negative_slope: float = 0.01, inplace: bool = False) -> Value:
    """``F.leaky_relu``."""
    return builder.add(LeakyReLU(np.full(input.shape[0], negative_slope, np.float32)), input)


def prelu(builder: LayerBuilder, input: Value, weight: Tensor) -> Value:
    """``F.prelu`` with one slope, or one a channel."""
    slope = float_array(weight).reshape(-1)
    if len(slope) == 1:
        slope = np.repeat(slope, input.shape[0])
    return builder.add(LeakyReLU(slope), input)


def identity(builder: LayerBuilder, input: Value) -> Value:
    """``nn.Identity``."""
    return builder.add(Identity(), input)


def dropout(builder: LayerBuilder, input: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Value:
    """``F.dropout`` and its kin, which must be off."""
    if training and p > 0:
        raise UnsupportedCall("dropout is active", "Call module.eval(), and pass training=self.training to F.dropout.")
    return builder.add(Identity(), input)


def softmax(
    builder: LayerBuilder, input: Value, dim: int | None = None, _stacklevel: int = 3, dtype: object = None
) -> Value:
    """``F.softmax``, and ``F.log_softmax``, which ranks the classes alike."""
    axes = len(input.tensor_shape)
    # Without `dim`, torch takes axis 1 of matrices and images, and axis 0 of what lies between.
    axis = (0 if axes == 3 else 1) if dim is None else dim % axes
    if axis != 1:
        raise UnsupportedCall(f"normalises over axis {axis}", "Softmax is supported over the channels, dim=1.")
    return builder.add(Softmax(), input)


def sigmoid(builder: LayerBuilder, input: Value) -> Value:
    """``torch.sigmoid``."""
    return builder.add(Sigmoid(), input)
