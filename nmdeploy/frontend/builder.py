"""What conversion rules work with: traced tensors, and a builder that appends layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nmdeploy.frontend.problems import UnsupportedCall
from nmdeploy.layers.graph import Layer, Shape
from nmdeploy.layers.operators import FloatArray, Operator
from nmdeploy.layers.shapes import output_shape
from nmdeploy.layers.verify import non_finite_fields


@dataclass(frozen=True)
class Value:
    """A tensor of the user's network as the output of a layer.

    Attributes
    ----------
    layer : str
    shape : (int, int, int)
        Of the layer: channels, rows, columns.
    tensor_shape : tuple of int
        As torch sees it, with the batch first.
    padding : (int, int, int, int)
        Top, bottom, left, right: padding that the user's tensor has and the layer has not, for a max pool
        to take.
    """

    layer: str
    shape: Shape
    tensor_shape: tuple[int, ...]
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True)
class Opaque:
    """A tensor that no layer can stand for, after a call that was already reported."""


def layer_shape(tensor_shape: tuple[int, ...]) -> Shape | None:
    """(N, F), (N, C, L) or (N, C, H, W) as channels, rows, columns; None for any other tensor."""
    if len(tensor_shape) == 2:
        return (tensor_shape[1], 1, 1)
    if len(tensor_shape) == 3:
        return (tensor_shape[1], 1, tensor_shape[2])
    if len(tensor_shape) == 4:
        return (tensor_shape[1], tensor_shape[2], tensor_shape[3])
    return None


class LayerBuilder:
    """Appends the layers of one call; rules get it as their first argument.

    Attributes
    ----------
    layers : dict of str to Layer
        All layers so far.
    result : tensor, or tuple of tensors
        What the call gave for the example.
    """

    def __init__(self) -> None:
        self.layers: dict[str, Layer] = {}
        self.result: Any = None
        self._name = ""
        self._location = ""

    def begin(self, name: str, location: str, result: object) -> None:
        """Layers added from here on belong to this call."""
        self._name, self._location, self.result = name, location, result

    def add(self, operator: Operator, *inputs: Value, part: str = "") -> Value:
        """Append a layer and give its output.

        Parameters
        ----------
        operator : Operator
        inputs : Value
        part : str
            Marks a layer that is only a part of the call; it becomes part of the layer's name.

        Raises
        ------
        UnsupportedCall
            The operator does not fit the inputs, or its arrays hold NaN or infinity.
        """
        if any(any(value.padding) for value in inputs):
            raise UnsupportedCall(
                "takes a tensor padded with -inf or by replication",
                "Such padding is supported only in front of a max pool.",
            )
        for field in non_finite_fields(operator):
            raise UnsupportedCall(
                f"its {field} holds NaN or infinity", "Check the training run, or load another checkpoint."
            )
        try:
            shape = output_shape(operator, [value.shape for value in inputs])
        except ValueError as error:
            raise UnsupportedCall(f"{type(operator).__name__} {error}") from error
        return self.append(operator, tuple(value.layer for value in inputs), shape, part)

    def append(self, operator: Operator, inputs: tuple[str, ...], shape: Shape, part: str = "") -> Value:
        """Append a layer of known shape, without checks."""
        name = self._unique(f"{self._name}.{part}" if part else self._name)
        self.layers[name] = Layer(name, operator, inputs, shape, self._location)
        return Value(name, shape, (1, *shape))

    def settle(self, value: Value, tensor: Tensor) -> Value:
        """The rule's result as torch sees it; the two views must agree.

        Raises
        ------
        UnsupportedCall
            The tensor's axes cannot be taken for channels, rows and columns.
        """
        tensor_shape = tuple(tensor.shape)
        top, bottom, left, right = value.padding
        padded = (value.shape[0], value.shape[1] + top + bottom, value.shape[2] + left + right)
        if layer_shape(tensor_shape) != padded:
            raise UnsupportedCall(
                f"gives {tensor_shape}, which does not keep (batch, channels, rows, columns) of {padded}",
                "Keep the axes in this order, with the batch first.",
            )
        return replace(value, tensor_shape=tensor_shape)

    def _unique(self, wanted: str) -> str:
        name, count = wanted, 0
        while name in self.layers:
            count += 1
            name = f"{wanted}_{count}"
        return name


def float_array(tensor: Tensor) -> FloatArray:
    """A tensor's values as float32, on the host."""
    if tensor.is_quantized or tensor.is_complex():
        raise UnsupportedCall(f"has weights of type {tensor.dtype}", "Give the float network; nmdeploy quantises it.")
    array: FloatArray = tensor.detach().to("cpu", torch.float32).numpy().astype(np.float32, copy=True)
    return array


def per_channel(constant: float | Tensor, value: Value) -> FloatArray:
    """A number or tensor that is broadcast over a value, as one number a channel.

    Raises
    ------
    UnsupportedCall
        It varies over rows, columns or samples, or would enlarge the value.
    """
    channels = value.tensor_shape[1]
    spread = torch.as_tensor(constant)
    try:
        spread = torch.broadcast_to(spread, value.tensor_shape).reshape(value.tensor_shape[0], channels, -1)
    except RuntimeError as error:
        raise UnsupportedCall(f"broadcasts {value.tensor_shape} against {tuple(spread.shape)}") from error
    first = spread[:1, :, :1]
    if not bool(((spread == first) | (spread.isnan() & first.isnan())).all()):
        raise UnsupportedCall(
            "uses a constant that varies over rows, columns or samples",
            "Only one number a channel can be folded.",
        )
    return float_array(first.reshape(channels))
