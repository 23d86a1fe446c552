"""Rules for sums of tensors, and for arithmetic with constants."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from nmdeploy.frontend.builder import LayerBuilder, Value, per_channel
from nmdeploy.frontend.problems import UnsupportedCall
from nmdeploy.layers.operators import Add, Affine

Operand = Value | Tensor | float

_KEEP_LINEAR = "A product of two tensors has no spiking equivalent: retrain without the gate, or keep it on the host."


def add(builder: LayerBuilder, input: Operand, other: Operand, alpha: float = 1) -> Value:
    """``input + alpha * other``."""
    if isinstance(input, Value) and isinstance(other, Value):
        if input.tensor_shape != other.tensor_shape:
            raise UnsupportedCall(
                f"adds tensors of shapes {input.tensor_shape} and {other.tensor_shape}",
                "Bring them to one shape.",
            )
        if input.layer == other.layer:
            return _affine(builder, input, 1 + alpha, 0)
        scaled = other if alpha == 1 else _affine(builder, other, alpha, 0, part="scaled")
        return builder.add(Add(), input, scaled)
    if isinstance(input, Value):
        return _affine(builder, input, 1, _times(other, alpha))
    if isinstance(other, Value):
        return _affine(builder, other, alpha, input)
    raise UnsupportedCall("adds constants")


def subtract(builder: LayerBuilder, input: Operand, other: Operand, alpha: float = 1) -> Value:
    """``input - alpha * other``."""
    return add(builder, input, other, -alpha)


def subtract_reversed(builder: LayerBuilder, input: Operand, other: Operand, alpha: float = 1) -> Value:
    """``other - alpha * input``."""
    return add(builder, other, input, -alpha)


def multiply(builder: LayerBuilder, input: Operand, other: Operand) -> Value:
    """``input * other``, one of the two a constant."""
    if isinstance(input, Value) and isinstance(other, Value):
        raise UnsupportedCall("multiplies a tensor by a tensor", _KEEP_LINEAR)
    if isinstance(input, Value):
        return _affine(builder, input, other, 0)
    if isinstance(other, Value):
        return _affine(builder, other, input, 0)
    raise UnsupportedCall("multiplies constants")


def divide(builder: LayerBuilder, input: Operand, other: Operand, rounding_mode: str | None = None) -> Value:
    """``input / other``, the divisor a constant."""
    if isinstance(other, Value) or not isinstance(input, Value):
        raise UnsupportedCall("divides by a tensor", _KEEP_LINEAR)
    if rounding_mode is not None:
        raise UnsupportedCall(f"rounds ({rounding_mode})")
    with np.errstate(divide="ignore"):  # infinity is refused by the builder
        return _affine(builder, input, 1 / other if isinstance(other, Tensor) else float(np.float64(1) / other), 0)


def negate(builder: LayerBuilder, input: Value) -> Value:
    """``-x``."""
    return _affine(builder, input, -1, 0)


def _times(constant: Operand, factor: float) -> Tensor | float:
    if isinstance(constant, Value):
        raise UnsupportedCall("scales by a tensor", _KEEP_LINEAR)
    return constant * factor


def _affine(builder: LayerBuilder, value: Value, scale: Operand, shift: Operand, part: str = "") -> Value:
    constants = [constant for constant in (scale, shift) if not isinstance(constant, Value)]
    multiplier, addend = (per_channel(constant, value) for constant in constants)
    return builder.add(Affine(multiplier, addend), value, part=part)
