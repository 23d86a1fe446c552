"""Unpickle tensors and stock torch layers, and nothing that could execute code.

Given to ``torch.load`` as its ``pickle_module``. A class outside the allow-list is replaced by an inert
stand-in, so that loading goes on and all refused classes can be named together.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from typing import Any, BinaryIO, ClassVar

import torch
from torch import Tensor, nn


def _allowed_globals() -> dict[tuple[str, str], Any]:
    stock = {
        value
        for value in vars(nn).values()
        if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__.startswith("torch.nn.modules.")
    }
    allowed: dict[tuple[str, str], Any] = {(kind.__module__, kind.__name__): kind for kind in stock}
    # Callables that build tensors; torch's own safe loading admits the same.
    for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"):
        allowed["torch._utils", name] = getattr(torch._utils, name)
    allowed["torch.nn.parameter", "Parameter"] = nn.Parameter
    for name, value in vars(torch).items():
        if isinstance(value, torch.dtype) or (isinstance(value, type) and name.endswith("Storage")):
            allowed["torch", name] = value
    for value in (torch.Size, torch.Tensor, torch.device):
        allowed["torch", value.__name__] = value
    allowed["torch.storage", "UntypedStorage"] = torch.UntypedStorage
    allowed["collections", "OrderedDict"] = OrderedDict
    for module in ("builtins", "__builtin__"):  # the second in pickles of protocol 2
        allowed[module, "set"] = set
    return allowed


_ALLOWED = _allowed_globals()


class _StandIn:
    """Takes whatever a pickle does to an object of a refused class, and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> _StandIn:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass

    def __setitem__(self, _: Any, __: Any) -> None:
        pass

    def append(self, _: Any) -> None:
        """Ignore an element of a refused list."""

    def extend(self, _: Any) -> None:
        """Ignore the elements of a refused list."""

    def add(self, _: Any) -> None:
        """Ignore an element of a refused set."""


class RestrictedPickle:
    """A stand-in for the module `pickle` that admits allow-listed classes only.

    Attributes
    ----------
    refused : dict of str to None
        Qualified names of all classes and functions that were asked for and not admitted, in order.
    """

    __name__ = "nmdeploy.restricted_pickle"

    def __init__(self) -> None:
        self.refused: dict[str, None] = {}
        refused = self.refused

        # The unpickler written in Python, because that in C sets states on classes, too, for everybody.
        class Unpickler(pickle._Unpickler):
            dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

            def find_class(self, module: str, name: str) -> Any:
                if (module, name) in _ALLOWED:
                    return _ALLOWED[module, name]
                refused[f"{module}.{name}"] = None
                return _StandIn

            def load_build(self) -> None:
                subject = self.stack[-2]  # type: ignore[attr-defined]
                if not isinstance(subject, nn.Module | Tensor | OrderedDict | _StandIn):
                    raise pickle.UnpicklingError(f"the pickle sets the state of a {type(subject).__name__}")
                pickle._Unpickler.load_build(self)  # type: ignore[attr-defined]

            dispatch[pickle.BUILD[0]] = load_build

        self.Unpickler = Unpickler

    def load(self, file: BinaryIO, **options: Any) -> Any:
        """`pickle.load`."""
        return self.Unpickler(file, **options).load()
