"""Record the calls that a module makes on its input, each with its concrete result.

`torch.fx` intercepts the calls; unlike plain symbolic tracing every proxy carries the value that the call
gave for the example, so that sizes, computed kernel sizes and shape-dependent branches are plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.node import map_aggregate

from nmdeploy.frontend.locations import exception_location, trace_boundary, user_location
from nmdeploy.frontend.problems import describe_problem
from nmdeploy.frontend.value_proxy import ValueProxy, is_proxy

# What a tensor can be asked without looking at its data.
_SHAPE_QUERIES = {
    *("size", "dim", "ndimension", "numel", "nelement", "stride", "storage_offset", "element_size", "type"),
    *("is_contiguous", "is_floating_point", "is_complex", "is_tensor", "get_device"),
}
# Tensors that take no more than shape and type from their argument are constants.
_CONSTANT_MAKERS = {"zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "new_tensor"}


@dataclass(eq=False)
class Record:
    """One call on the input or on what was computed from it.

    Attributes
    ----------
    target : nn.Module or str
        The module, or the plain name of the function or method: "relu" for ``F.relu``, ``torch.relu_`` and
        ``x.relu()``.
    foreign : bool
        Whether the function comes from elsewhere than torch and Python's operators.
    args, kwargs
        As passed, with a `Record` wherever a computed tensor stood.
    value
        The concrete result: a tensor, or a tuple with tensors.
    name : str
        Qualified module name, or the enclosing module's name with the function's.
    location : str
        ``file:line`` of the call, or "".
    """

    target: nn.Module | str
    foreign: bool
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    value: Any
    name: str
    location: str
    version: int = 0
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recording:
    """All calls in order, the input first; `result` is what came out, with records for tensors."""

    records: list[Record]
    result: Any
    problems: list[str]


def record(module: nn.Module, example: Tensor) -> Recording:
    """Run a module once on an example and record every call that the result can depend on.

    Parameters
    ----------
    module : nn.Module
        Takes one tensor. Its parameters, buffers and attributes are left as they were.
    example : Tensor, floating point, batch first

    Returns
    -------
    Recording
        A module that raises ends the recording early, with the reason among the problems.
    """
    recorder = _Recorder(example)
    wrapper = _Root(module)
    with torch.inference_mode(False), torch.no_grad(), trace_boundary():
        try:
            recorder.trace(wrapper)
        except Exception as error:  # any code of the user's may fail in any way
            where = exception_location(error)
            text = f"{type(error).__name__}: {str(error).strip() or 'no message'}"
            recorder.problems.append(
                describe_problem(
                    type(module).__name__,
                    f"forward fails on a batch of shape {tuple(example.shape)}: {text}",
                    where,
                    "Check the shape of the example input, and that the network takes any batch size.",
                )
            )
    return Recording(recorder.records, recorder.resolve(wrapper.__dict__.get("result")), recorder.problems)


class _Root(nn.Module):
    """Calls the module as any caller would, so that default arguments apply and a single layer is a layer."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Any) -> None:
        self.__dict__["result"] = self.module(x)


class _Recorder(fx.Tracer):
    """A tracer whose proxies know their values."""

    def __init__(self, example: Tensor) -> None:
        super().__init__()
        self.example = example
        self.records: list[Record] = []
        self.problems: list[str] = []
        self.scopes: list[str] = [""]
        # Where an operation in place made an earlier record's value that of a later record.
        self.successors: dict[Record, Record] = {}

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """Parameters and buffers stay tensors: they do not depend on the input."""
        return attr_val

    def path_of_module(self, mod: nn.Module) -> str:
        """Qualified name in the user's module; the class name where it is not registered there."""
        path = (self.submodule_paths or {}).get(mod)
        if path is None or path == "module":
            return type(mod).__name__.lower() if self.is_leaf_module(mod, "") or path is None else ""
        return path.removeprefix("module.")

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Record stock layers, follow all others, and just compute what does not depend on the input."""
        if not _holds_proxy((args, kwargs)):
            return forward(*args, **kwargs)
        path = self.path_of_module(m)
        if self.is_leaf_module(m, path):
            return self._record(m, False, forward, path, args, kwargs)
        self.scopes.append(path)
        try:
            return forward(*args, **kwargs)
        finally:
            self.scopes.pop()

    def create_proxy(
        self, kind: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *_: Any, **__: Any
    ) -> Any:
        """Record a call of a function or method."""
        if kind == "placeholder":
            first = Record("input", False, (), {}, self.example, "input", "", self.example._version)
            self.records.append(first)
            return ValueProxy(first, self)
        name = (target if isinstance(target, str) else getattr(target, "__name__", str(target))).strip("_")
        if kind == "call_method":

            def evaluate(subject: Any, *rest: Any, **options: Any) -> Any:
                return getattr(subject, target)(*rest, **options)

            return self._record(name, False, evaluate, self._scoped(name), args, kwargs)
        home = (getattr(target, "__module__", None) or "torch").split(".")[0]
        foreign = home not in ("torch", "_operator", "operator", "builtins")
        return self._record(name, foreign, target, self._scoped(name), args, kwargs)

    def to_bool(self, obj: Any) -> bool:
        """Note the data-dependent branch and go on along the one that the example takes."""
        self.complain("bool", "decides on values of tensors which way to go (data-dependent control flow)")
        return bool(obj.node.value)

    def complain(self, name: str, reason: str, way_out: str = "") -> None:
        """Note a problem at the place where the user's code stands now."""
        way_out = way_out or "Compute it without looking at values, or keep that part on the host."
        problem = describe_problem(self._scoped(name), reason, user_location(), way_out)
        if problem not in self.problems:
            self.problems.append(problem)

    def resolve(self, argument: Any) -> Any:
        """Replace the proxies in a nested argument by their records."""
        return map_aggregate(argument, self._resolve_one)

    def _resolve_one(self, argument: Any) -> Any:
        if not is_proxy(argument):
            return argument
        found: Record = argument.node
        while found in self.successors:
            found = self.successors[found]
        if isinstance(found.value, Tensor) and found.value._version != found.version:
            self.complain(
                found.name,
                "was changed in place through another view of it",
                "Use the out-of-place operation.",
            )
        return found

    def _scoped(self, name: str) -> str:
        return f"{self.scopes[-1]}.{name}" if self.scopes[-1] else name

    def _record(
        self,
        target: nn.Module | str,
        foreign: bool,
        evaluate: Callable[..., Any],
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        args, kwargs = self.resolve((args, kwargs))
        concrete_args, concrete_kwargs = map_aggregate((args, kwargs), _concrete)
        value = evaluate(*concrete_args, **concrete_kwargs)
        if isinstance(value, list):
            value = tuple(value)
        if not _holds_tensor(value):
            if not foreign and target not in _SHAPE_QUERIES:
                self.complain(str(target), f"turns values of tensors into Python numbers ({target})")
            return value
        if target in _CONSTANT_MAKERS:
            return value
        made = Record(target, foreign, args, kwargs, value, name, user_location())
        self.records.append(made)
        if isinstance(value, Tensor):
            made.version = value._version
            self._follow_in_place(made)
            return ValueProxy(made, self)
        return self._unpack(made)

    def _follow_in_place(self, made: Record) -> None:
        for earlier in self.records[:-1]:
            if earlier.value is made.value and earlier.version != made.version:
                self.successors.setdefault(earlier, made)

    def _unpack(self, made: Record) -> tuple[Any, ...]:
        parts: list[Any] = []
        for index, part in enumerate(made.value):
            if isinstance(part, Tensor):
                name = f"{made.name}.{index}"
                child = Record("getitem", False, (made, index), {}, part, name, made.location, part._version)
                self.records.append(child)
                part = ValueProxy(child, self)
            parts.append(part)
        return tuple(parts)


def _concrete(argument: Any) -> Any:
    return argument.value if isinstance(argument, Record) else argument


def _holds(nested: object, matches: Callable[[object], bool]) -> bool:
    found: list[object] = []

    def look(argument: Any) -> Any:
        if matches(argument):
            found.append(argument)
        return argument

    map_aggregate(nested, look)
    return bool(found)


def _holds_proxy(nested: object) -> bool:
    return _holds(nested, is_proxy)


def _holds_tensor(value: object) -> bool:
    return _holds(value, lambda item: isinstance(item, Tensor))
