"""The proxy for a tensor whose value on the example is known."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import partial
from typing import Any

from torch import Tensor, fx


class ValueProxy(fx.Proxy):
    """Stands for a tensor that depends on the input, and answers for its shape at once.

    Attributes
    ----------
    node
        The record of the call that gave the tensor.
    tracer
        What notes the calls on this proxy.
    """

    node: Any
    tracer: Any

    def __init__(self, node: Any, tracer: Any) -> None:
        super().__init__(node, tracer)

    @property
    def __class__(self) -> type:
        """Code that asks ``isinstance(x, torch.Tensor)`` must see a tensor."""
        return Tensor

    @__class__.setter
    def __class__(self, _: type) -> None:
        raise TypeError("a traced tensor keeps its class")

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.node.value, name)
        if callable(attribute) and not isinstance(attribute, Tensor):
            return partial(self._call_method, name)
        if isinstance(attribute, Tensor):
            return self.tracer.create_proxy("call_function", getattr, (self, name), {})
        return attribute

    def _call_method(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self.tracer.create_proxy("call_method", name, (self, *args), kwargs)

    def __len__(self) -> int:
        return len(self.node.value)

    def __iter__(self) -> Iterator[Any]:
        return iter([self._pick(index) for index in range(len(self))])

    def _pick(self, index: int) -> Any:
        return self.tracer.create_proxy("call_function", operator.getitem, (self, index), {})

    def __contains__(self, item: object) -> bool:
        self.tracer.complain("contains", "looks for a value in a tensor (data-dependent control flow)")
        return item in self.node.value

    def __setitem__(self, key: Any, value: Any) -> None:
        self.tracer.complain(
            "setitem",
            "assigns to a part of a tensor in place",
            "Build the tensor with torch.cat or F.pad instead.",
        )

    def __iadd__(self, other: Any) -> Any:
        return self._call_method("add_", other)

    def __isub__(self, other: Any) -> Any:
        return self._call_method("sub_", other)

    def __imul__(self, other: Any) -> Any:
        return self._call_method("mul_", other)

    def __itruediv__(self, other: Any) -> Any:
        return self._call_method("div_", other)

    def __int__(self) -> int:
        return int(self._number("int"))

    def __float__(self) -> float:
        return float(self._number("float"))

    def __index__(self) -> int:
        return operator.index(self._number("index"))

    def _number(self, name: str) -> Any:
        self.tracer.complain(name, f"turns values of tensors into Python numbers ({name})")
        return self.node.value.item()


def is_proxy(argument: object) -> bool:
    """Whether this is a proxy itself, not something that it stands for."""
    return issubclass(type(argument), fx.Proxy)  # isinstance would believe `__class__` either way
