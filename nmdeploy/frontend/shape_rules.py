"""Rules for what moves values without computing: flatten, slices, splits, concatenation, padding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from nmdeploy.frontend.builder import LayerBuilder, Opaque, Value, layer_shape
from nmdeploy.frontend.problems import UnsupportedCall
from nmdeploy.layers.operators import Concatenate, Flatten, Pad, Slice

Axis = tuple[int, int, int]


def reshape(builder: LayerBuilder, input: Value, *_: Any, **__: Any) -> Value:
    """``view``, ``flatten``, ``squeeze`` and the like: what matters is the shape that came out."""
    before, after = input.tensor_shape, tuple(builder.result.shape)
    if not after or after[0] != before[0]:
        raise UnsupportedCall(
            f"turns {before} into {after}, which mixes the samples of a batch",
            "Keep the batch axis first: x.flatten(1), or x.view(x.size(0), -1).",
        )
    if layer_shape(after) == input.shape:
        return input
    if len(after) == 2:
        return builder.add(Flatten(), input)
    raise UnsupportedCall(
        f"turns {before} into {after}",
        "Only flattening to (batch, features), and adding or dropping trailing axes of size one, are "
        "supported; let the example input have the final axes.",
    )


def same(builder: LayerBuilder, input: Value, *_: Any, **__: Any) -> Value:
    """``contiguous``, ``clone``, ``detach``, ``to``: the same values."""
    if builder.result.dtype not in (torch.float32, torch.float64):
        raise UnsupportedCall(f"converts to {builder.result.dtype}", "Keep float32 until nmdeploy quantises.")
    return input


def attribute(builder: LayerBuilder, input: Value, name: str) -> Value:
    """``x.data``."""
    if name != "data":
        raise UnsupportedCall(f"reads x.{name}", "Only x.data is supported.")
    return input


def getitem(builder: LayerBuilder, input: Value | Opaque | tuple[Value | Opaque, ...], index: Any) -> Value | Opaque:
    """Slices of channels, rows and columns, and picking from a tuple of results."""
    if isinstance(input, tuple):
        part: Value | Opaque = input[index]
        return part
    if isinstance(input, Opaque):
        return input
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(not isinstance(part, slice | int) and part is not ... for part in parts):
        raise UnsupportedCall(f"indexes with {index}", "Only slices and whole numbers are supported.")
    rank = len(input.tensor_shape)
    if ... in parts:
        at = parts.index(...)
        parts[at : at + 1] = [slice(None)] * (rank - len(parts) + 1)
    parts += [slice(None)] * (rank - len(parts))
    ranges = [_range(part, size) for part, size in zip(parts, input.tensor_shape, strict=True)]
    if isinstance(parts[0], int) or ranges[0] != (0, input.tensor_shape[0], 1):
        raise UnsupportedCall("takes a part of the batch", "Let the network treat all samples alike.")
    return _cut(builder, input, ranges[1:])


def _range(part: slice | int, size: int) -> Axis:
    if isinstance(part, int):
        return (part % size, part % size + 1, 1)
    start, stop, step = part.indices(size)
    return (start, stop, step)


def _cut(builder: LayerBuilder, input: Value, ranges: Sequence[Axis], part: str = "") -> Value:
    """Slice the axes that the tensor has; absent rows or columns are whole."""
    one: Axis = (0, 1, 1)
    if len(ranges) == 1:
        channels, rows, columns = ranges[0], one, one
    elif len(ranges) == 2:
        channels, rows, columns = ranges[0], one, ranges[1]
    else:
        channels, rows, columns = ranges
    if (channels, rows, columns) == tuple((0, size, 1) for size in input.shape):
        return input
    return builder.add(Slice(channels, rows, columns), input, part=part)


def split(builder: LayerBuilder, input: Value, *_: Any, **__: Any) -> tuple[Value, ...]:
    """``torch.chunk`` and ``torch.split``: consecutive slices, as wide as the parts that came out."""
    parts: tuple[Tensor, ...] = builder.result
    shape = input.tensor_shape
    axes = [axis for axis in range(len(shape)) if any(part.shape[axis] != shape[axis] for part in parts)]
    if not axes:
        return (input,) * len(parts)
    axis = axes[0]
    if axis == 0:
        raise UnsupportedCall("splits the batch", "Let the network treat all samples alike.")
    pieces, start = [], 0
    for number, part in enumerate(parts):
        ranges: list[Axis] = [(0, size, 1) for size in shape[1:]]
        ranges[axis - 1] = (start, start + part.shape[axis], 1)
        start += part.shape[axis]
        pieces.append(_cut(builder, input, ranges, part=str(number)))
    return tuple(pieces)


def concatenate(builder: LayerBuilder, tensors: Sequence[Value | Tensor], dim: int = 0) -> Value:
    """``torch.cat`` along the channels; constant zeros at either end become padding."""
    values = [tensor for tensor in tensors if isinstance(tensor, Value)]
    rank = len(values[0].tensor_shape)
    if dim % rank != 1:
        raise UnsupportedCall(f"joins along axis {dim}", "Only the channels, dim=1, can be joined.")
    constants = [tensor for tensor in tensors if isinstance(tensor, Tensor)]
    if any(bool(constant.any()) for constant in constants):
        raise UnsupportedCall("joins with a constant that is not zero", "Only zeros can be joined.")
    is_value = [isinstance(tensor, Value) for tensor in tensors]
    first, last = is_value.index(True), len(is_value) - 1 - is_value[::-1].index(True)
    if not all(is_value[first : last + 1]):
        raise UnsupportedCall("joins with zeros in between", "Put the zeros at an end.")
    before, after = (
        sum(tensor.shape[1] for tensor in ends if isinstance(tensor, Tensor))
        for ends in (tensors[:first], tensors[last + 1 :])
    )
    padded = bool(before or after)
    joined = values[0] if len(values) == 1 else builder.add(Concatenate(), *values, part="joined" if padded else "")
    return builder.add(Pad((before, after), (0, 0), (0, 0)), joined) if padded else joined


def pad(
    builder: LayerBuilder,
    input: Value,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Value:
    """``F.pad`` with zeros, negative widths cropping; -inf and replication are left to a max pool behind."""
    widths = [(int(pad[at]), int(pad[at + 1])) for at in range(0, len(pad), 2)][::-1]
    rank = len(input.tensor_shape)
    if len(widths) > rank - 1 and widths[0] != (0, 0):
        raise UnsupportedCall("pads the batch axis", "Let the network treat all samples alike.")
    widths = widths[-(rank - 1) :]
    widths = [(0, 0)] * (rank - 1 - len(widths)) + widths
    crops = [
        (max(-before, 0), size - max(-after, 0), 1)
        for (before, after), size in zip(widths, input.tensor_shape[1:], strict=True)
    ]
    grown = [(max(before, 0), max(after, 0)) for before, after in widths]
    grows = any(any(axis) for axis in grown)
    cropped = _cut(builder, input, crops, part="crop" if grows else "")
    if not grows:
        return cropped
    if rank == 2:
        channels, rows, columns = grown[0], (0, 0), (0, 0)
    elif rank == 3:
        channels, rows, columns = grown[0], (0, 0), grown[1]
    else:
        channels, rows, columns = grown
    if mode == "constant" and not value:
        return builder.add(Pad(channels, rows, columns), cropped)
    if channels == (0, 0) and (mode == "replicate" or (mode == "constant" and value == -math.inf)):
        return replace(cropped, padding=(*rows, *columns))
    raise UnsupportedCall(f"pads with {mode if mode != 'constant' else value}", "Pad with zeros.")
