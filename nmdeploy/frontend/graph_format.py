"""Layer graphs as plain dicts of lists, strings, numbers and tensors, and back with every check.

Operators are written by the names and types of their dataclass fields, so that a new operator needs no code
here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from nmdeploy.errors import ModelFileError
from nmdeploy.layers.graph import Layer, LayerGraph, build_layer_graph
from nmdeploy.layers.operators import FloatArray, Operator
from nmdeploy.layers.verify import verify

_OPERATORS: dict[str, type[Operator]] = {kind.__name__: kind for kind in get_args(Operator)}
_LARGEST = 2**31  # of any size in a file; keeps arithmetic on shapes within what ranges can count


def encode_graph(graph: LayerGraph) -> dict[str, Any]:
    """A layer graph as plain data; `decode_graph` is the inverse."""
    return {"layers": [_encode_layer(layer) for layer in graph.layers], "outputs": list(graph.outputs)}


def decode_graph(contents: object) -> LayerGraph:
    """Read what `encode_graph` wrote.

    Parameters
    ----------
    contents
        Anything; nothing about it is trusted.

    Returns
    -------
    LayerGraph
        Without problems in the sense of `nmdeploy.layers.verify`.

    Raises
    ------
    ModelFileError
        A field is missing or of the wrong type, an operator is unknown, or the graph is not well formed.
    """
    layers = [
        _decode_layer(item, f"layer {number}") for number, item in enumerate(take(contents, "layers", list, "graph"))
    ]
    names = [layer.name for layer in layers]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ModelFileError(f"the model file is damaged: several layers are named {', '.join(repeated)}")
    outputs = _texts(take(contents, "outputs", list, "graph"), "outputs")
    graph = build_layer_graph(layers, outputs)
    problems = verify(graph)
    if problems:
        raise ModelFileError("the model file is damaged:\n  " + "\n  ".join(problems))
    return graph


def take(contents: object, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    """A field of a dict, of the type that it must have.

    Raises
    ------
    ModelFileError
        There is no dict, no such field, or it has another type.
    """
    if not isinstance(contents, dict) or key not in contents:
        raise ModelFileError(f"the model file is damaged: {where} has no {key!r}")
    value = contents[key]
    if not isinstance(value, kind):
        raise ModelFileError(f"the model file is damaged: {key!r} of {where} is a {type(value).__name__}")
    return value


def _encode_layer(layer: Layer) -> dict[str, Any]:
    operator = layer.operator
    return {
        "name": layer.name,
        "operator": type(operator).__name__,
        "fields": {field.name: _encode_value(getattr(operator, field.name)) for field in fields(operator)},
        "inputs": list(layer.inputs),
        "shape": list(layer.shape),
        "location": layer.location,
    }


def _encode_value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.array(value, dtype=np.float32))
    return list(value) if isinstance(value, tuple) else value


def _decode_layer(contents: object, where: str) -> Layer:
    name = take(contents, "name", str, where)
    where = f"layer {name}"
    kind = take(contents, "operator", str, where)
    if kind not in _OPERATORS:
        raise ModelFileError(
            f"{where} has the unknown operator {kind!r}; a newer nmdeploy may have written this file. Update nmdeploy."
        )
    given = take(contents, "fields", dict, where)
    values = {}
    for field in fields(_OPERATORS[kind]):
        try:
            values[field.name] = _DECODERS[str(field.type)](take(given, field.name, object, where))
        except TypeError as error:
            raise ModelFileError(f"the model file is damaged: {field.name} of {where} {error}") from error
    try:
        rows = _whole_numbers(3)(take(contents, "shape", list, where))
    except TypeError as error:
        raise ModelFileError(f"the model file is damaged: shape of {where} {error}") from error
    inputs = _texts(take(contents, "inputs", list, where), f"inputs of {where}")
    location = take(contents, "location", str, where)
    return Layer(name, _OPERATORS[kind](**values), inputs, (rows[0], rows[1], rows[2]), location)


def _texts(items: list[Any], where: str) -> tuple[str, ...]:
    if not all(isinstance(item, str) for item in items):
        raise ModelFileError(f"the model file is damaged: {where} are not all names")
    return tuple(items)


def _array(value: object) -> FloatArray:
    if not isinstance(value, Tensor) or value.dtype != torch.float32 or value.layout != torch.strided:
        raise TypeError("is not a float32 tensor")
    array: FloatArray = value.detach().cpu().numpy().copy()
    return array


def _whole_number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= _LARGEST:
        raise TypeError("is not a whole number within 32 bits")
    return value


def _whole_numbers(count: int) -> Callable[[object], tuple[int, ...]]:
    def decode(value: object) -> tuple[int, ...]:
        if not isinstance(value, list) or len(value) != count:
            raise TypeError(f"is not a list of {count} whole numbers")
        return tuple(_whole_number(item) for item in value)

    return decode


def _number(value: object) -> float:
    if not isinstance(value, float):
        raise TypeError("is not a number")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("is neither true nor false")
    return value


_DECODERS: dict[str, Callable[[object], Any]] = {
    "FloatArray": _array,
    "int": _whole_number,
    "float": _number,
    "float | None": lambda value: None if value is None else _number(value),
    "bool": _truth,
    "tuple[int, int]": _whole_numbers(2),
    "tuple[int, int, int]": _whole_numbers(3),
    "tuple[int, int, int, int]": _whole_numbers(4),
}
