"""From recorded calls to layers, by the rules."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.fx.node import map_aggregate

from nmdeploy.frontend.builder import LayerBuilder, Opaque, Value, layer_shape
from nmdeploy.frontend.problems import UnsupportedCall, describe_problem, way_out_of
from nmdeploy.frontend.recording import Record
from nmdeploy.frontend.rule_tables import FUNCTIONS, Call, Rule, module_call
from nmdeploy.layers.operators import Identity, Input


class Converter:
    """Converts records one after the other and keeps the problems.

    Attributes
    ----------
    builder : LayerBuilder
        Holds the layers.
    problems : list of str
        One line for each record that has no rule or does not fit it.
    """

    def __init__(self) -> None:
        self.builder = LayerBuilder()
        self.problems: list[str] = []
        self._values: dict[Record, Any] = {}

    def convert_input(self, record: Record) -> None:
        """Append the input layer."""
        self._values[record] = self._stand_in(record)

    def convert(self, record: Record) -> None:
        """Append the layers of one call; on a problem note it and append what later calls need to go on."""
        arguments = map_aggregate((record.args, record.kwargs), self._value_of)
        if record.target != "getitem" and any(isinstance(leaf, Opaque) for leaf in _leaves(arguments)):
            self._values[record] = Opaque()
            return
        self.builder.begin(record.name, record.location, record.value)
        try:
            self._values[record] = self._apply(record, *arguments)
        except UnsupportedCall as call:
            kind = record.target if isinstance(record.target, str) else type(record.target).__name__
            self.problems.append(describe_problem(record.name, f"{kind} {call.reason}", record.location, call.way_out))
            self._values[record] = self._stand_in(record)

    def output(self, record: Record, taken: set[str]) -> str | None:
        """Name of the layer that computes an output, an identity where the layer is an output already."""
        value = self._values[record]
        if not isinstance(value, Value):
            return None
        self.builder.begin("output", "", record.value)
        try:
            if value.layer in taken or any(value.padding):
                return self.builder.add(Identity(), value).layer
        except UnsupportedCall as call:
            self.problems.append(describe_problem(record.name, call.reason, record.location, call.way_out))
        return value.layer

    def _value_of(self, argument: Any) -> Any:
        return self._values[argument] if isinstance(argument, Record) else argument

    def _apply(self, record: Record, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        rule, fields = _find_rule(record)
        try:
            bound = inspect.signature(rule).bind(self.builder, *args, **fields, **kwargs)
        except TypeError as error:
            raise UnsupportedCall(f"is called in a way that is not supported ({error})") from error
        _check_roles(rule, bound.arguments)
        try:
            made = rule(*bound.args, **bound.kwargs)
        except (TypeError, ValueError, IndexError) as error:
            # torch takes more kinds of arguments than the rules foresee, NumPy scalars and one-element lists say
            raise UnsupportedCall(f"has an argument that is not supported ({error})") from error
        if isinstance(made, tuple) != isinstance(record.value, tuple):
            raise UnsupportedCall("returns several tensors", "Use only the first, return_indices=False say.")
        if isinstance(made, tuple):
            return tuple(map(self.builder.settle, made, record.value))
        return made if isinstance(made, Opaque) else self.builder.settle(made, record.value)

    def _stand_in(self, record: Record) -> Any:
        """What later rules need of a call without a rule: its shape. Such a graph is never returned."""
        self.builder.begin(record.name, record.location, record.value)
        results = record.value if isinstance(record.value, tuple) else (record.value,)
        values: list[Value | Opaque] = []
        for result in results:
            shape = layer_shape(tuple(result.shape)) if isinstance(result, Tensor) else None
            if shape is None or not result.is_floating_point():
                values.append(Opaque())
            else:
                values.append(self.builder.settle(self.builder.append(Input(), (), shape), result))
        return tuple(values) if isinstance(record.value, tuple) else values[0]


def _find_rule(record: Record) -> Call:
    if isinstance(record.target, str):
        if record.foreign or record.target not in FUNCTIONS:
            raise UnsupportedCall("has no rule", way_out_of(record.target))
        return FUNCTIONS[record.target], {}
    module = record.target
    if "forward" in vars(module) or _has_foreign_hooks(module):
        raise UnsupportedCall("has a hook, or a forward of its own", "Remove it: module._forward_hooks.clear().")
    call = module_call(module)
    if call is None:
        raise UnsupportedCall("has no rule", way_out_of(type(module).__name__))
    return call


def _has_foreign_hooks(module: nn.Module) -> bool:
    """Hooks may change any result; those of torch itself only prepare weights."""
    before = module._forward_pre_hooks.values()
    return bool(module._forward_hooks) or any(
        not type(hook).__module__.startswith("torch.nn.utils.") for hook in before
    )


def _check_roles(rule: Rule, arguments: dict[str, Any]) -> None:
    """A rule's annotations say which parameters are traced tensors and which must be constant."""
    parameters = inspect.signature(rule).parameters
    for name, argument in arguments.items():
        annotation = str(parameters[name].annotation)
        if annotation == "Value" and not isinstance(argument, Value):
            raise UnsupportedCall(f"has a constant for {name}, or several tensors in its place")
        if (
            "Value" not in annotation
            and annotation != "Operand"
            and any(isinstance(leaf, Value) for leaf in _leaves(argument))
        ):
            if parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
                continue  # `x.view_as(y)`, `x.type_as(y)`: only the shape or type of y counts
            raise UnsupportedCall(
                f"has a {name} that depends on the input", "Weights must be constant; keep it on the host."
            )


def _leaves(nested: Any) -> Iterator[Any]:
    if isinstance(nested, tuple | list):
        for item in nested:
            yield from _leaves(item)
    elif isinstance(nested, dict):
        yield from _leaves(list(nested.values()))
    elif not isinstance(nested, LayerBuilder):
        yield nested
