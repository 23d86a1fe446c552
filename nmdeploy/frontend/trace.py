"""From a torch module to a layer graph."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from nmdeploy.errors import UnsupportedNetworkError
from nmdeploy.frontend.conversion import Converter
from nmdeploy.frontend.problems import describe_problem
from nmdeploy.frontend.recording import Record, Recording, record
from nmdeploy.layers.graph import Layer, LayerGraph, build_layer_graph
from nmdeploy.layers.operators import Sigmoid, Softmax
from nmdeploy.layers.verify import verify


def trace(module: nn.Module, example_input: Tensor) -> LayerGraph:
    """Follow a module on an example and write down its layers.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode, taking one tensor. It is not changed.
    example_input : Tensor, floating point, (N, C, H, W), (N, C, L) or (N, F)
        Only its shape matters, unless the module looks at values.

    Returns
    -------
    LayerGraph
        Computes what the module computes, for any batch size. Weights are float32 copies.

    Raises
    ------
    UnsupportedNetworkError
        The example or parts of the network cannot be converted; all problems are listed.
    """
    module = _unwrap(module)
    _check_arguments(module, example_input)
    problems = _training_problems(module)
    with _evaluation_mode(module):
        recording = record(module, _batch_of_two(example_input))
        problems += recording.problems
        converter = Converter()
        outputs = _convert(recording, converter, problems)
    problems += converter.problems
    layers = _reachable(converter.builder.layers, outputs)
    if not problems:
        problems += _host_layer_problems(layers, outputs)
    if problems:
        raise UnsupportedNetworkError(list(dict.fromkeys(problems)))
    graph = build_layer_graph(layers, outputs)
    defects = verify(graph)
    if defects:
        raise UnsupportedNetworkError(defects)
    return graph


def _unwrap(module: Any) -> Any:
    while isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        module = module.module
    return getattr(module, "_orig_mod", module)  # what torch.compile was given


def _check_arguments(module: Any, example: Any) -> None:
    problem = None
    if isinstance(module, torch.jit.ScriptModule):
        problem = "the module is TorchScript, which hides its layers. Give the nn.Module that it was made from."
    elif not isinstance(module, nn.Module):
        problem = f"not a torch.nn.Module but {type(module).__name__}."
    elif not isinstance(example, Tensor):
        problem = f"the example input is not one tensor but {type(example).__name__}."
    elif not example.is_floating_point():
        problem = (
            f"the example input is {example.dtype}. Give it as the network takes it, in floating point; "
            "for pixels that are divided by 255 say scale=255."
        )
    elif example.ndim not in (2, 3, 4) or 0 in example.shape:
        problem = f"the example input has shape {tuple(example.shape)}. Give (N, C, H, W), (N, C, L) or (N, F)."
    if problem:
        raise UnsupportedNetworkError([problem])


def _batch_of_two(example: Tensor) -> Tensor:
    """Two samples: with one, torch's results do not tell a batch axis from any axis of size one."""
    with torch.inference_mode(False), torch.no_grad():
        return example.detach()[[0, min(1, len(example) - 1)]].clone()


def _training_problems(module: nn.Module) -> list[str]:
    in_training = [name or type(module).__name__ for name, part in module.named_modules() if part.training]
    if not in_training:
        return []
    some = ", ".join(in_training[:3]) + (", ..." if len(in_training) > 3 else "")
    return [describe_problem("network", f"is in training mode ({some})", "", "Call module.eval() before.")]


@contextlib.contextmanager
def _evaluation_mode(module: nn.Module) -> Iterator[None]:
    """Keep statistics from being updated; the mode is put back."""
    modes = {part: part.training for part in module.modules()}
    try:
        for part in modes:
            part.training = False
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def _convert(recording: Recording, converter: Converter, problems: list[str]) -> tuple[str, ...]:
    returned = list(_returned_records(recording.result, problems))
    # A forward that failed returns nothing; then all that was recorded is worth a look.
    live = _ancestors(returned) if returned else set(recording.records)
    for number, made in enumerate(recording.records):
        if number == 0:
            converter.convert_input(made)
        elif made in live:
            converter.convert(made)
    outputs: list[str] = []
    for made in returned:
        name = converter.output(made, set(outputs))
        if name is not None:
            outputs.append(name)
    if not returned and not problems:
        problems.append(
            describe_problem("network", "returns nothing that depends on its input", "", "Return a tensor.")
        )
    return tuple(outputs)


def _returned_records(result: Any, problems: list[str]) -> Iterator[Record]:
    """Tensors in the order in which tuples, lists and dicts hold them."""
    if isinstance(result, Record):
        yield result
    elif isinstance(result, tuple | list):
        for item in result:
            yield from _returned_records(item, problems)
    elif isinstance(result, dict):
        yield from _returned_records(list(result.values()), problems)
    elif result is not None:
        problems.append(
            describe_problem(
                "network",
                f"returns a {type(result).__name__} beside or in place of tensors",
                "",
                "Return tensors only.",
            )
        )


def _ancestors(records: list[Record]) -> set[Record]:
    found: set[Record] = set()
    open_ends = list(records)
    while open_ends:
        made = open_ends.pop()
        if made not in found:
            found.add(made)
            open_ends += _records_in((made.args, made.kwargs))
    return found


def _records_in(nested: Any) -> list[Record]:
    if isinstance(nested, Record):
        return [nested]
    if isinstance(nested, dict):
        nested = tuple(nested.values())
    return [made for item in nested for made in _records_in(item)] if isinstance(nested, tuple | list) else []


def _reachable(layers: dict[str, Layer], outputs: tuple[str, ...]) -> list[Layer]:
    needed = set(outputs)
    for layer in reversed(layers.values()):  # users come after their inputs
        if layer.name in needed:
            needed |= set(layer.inputs)
    return [layer for layer in layers.values() if layer.name in needed]


def _host_layer_problems(layers: list[Layer], outputs: tuple[str, ...]) -> list[str]:
    used = {source for layer in layers for source in layer.inputs}
    return [
        describe_problem(
            layer.name,
            f"{type(layer.operator).__name__} inside the network",
            layer.location,
            "The host computes it at an output; inside, replace it by ReLU, or end the network there.",
        )
        for layer in layers
        if isinstance(layer.operator, Softmax | Sigmoid) and layer.name in used
    ]
