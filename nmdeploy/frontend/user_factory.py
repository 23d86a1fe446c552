"""A state dict's network, built by the user's own code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from nmdeploy.errors import ModelFileError

_WRAPPER_PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and of torch.compile


def build_from_state_dict(model_factory: str, state: dict[str, Tensor]) -> nn.Module:
    """Call the factory and fill in the weights.

    Parameters
    ----------
    model_factory : str
        ``package.module:factory``; the factory takes no arguments and returns an nn.Module. The current
        directory is searched, too.
    state : dict of str to Tensor

    Returns
    -------
    nn.Module
        In evaluation mode, which a state dict cannot tell.

    Raises
    ------
    ModelFileError
        There is no such factory, it fails, or its network has other weights than the file.
    """
    with current_directory_importable():
        module = _call_factory(model_factory)
    try:
        module.load_state_dict(_without_wrappers(state))
    except Exception as error:  # torch raises RuntimeError; a network of the user's may override the method
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ModelFileError(
            f"the weights in the file do not fit {type(module).__name__} as {model_factory} builds it:\n  "
            + "\n  ".join(line if len(line) <= 400 else line[:400] + " ..." for line in lines[:8])
        ) from error
    return module.eval()


@contextmanager
def current_directory_importable() -> Iterator[None]:
    """Python puts the current directory on its path for scripts, but not for installed commands."""
    sys.path.insert(0, "")
    try:
        importlib.invalidate_caches()
        yield
    finally:
        sys.path.remove("")


def _call_factory(model_factory: str) -> nn.Module:
    module_name, separator, name = model_factory.partition(":")
    if not (module_name and separator and name):
        raise ModelFileError(f"--model {model_factory!r} is not of the form package.module:factory")
    try:
        factory: Any = importlib.import_module(module_name)
        for part in name.split("."):
            factory = getattr(factory, part)
        module = factory()
    except Exception as error:  # the user's code may fail in any way
        raise ModelFileError(f"--model {model_factory}: {type(error).__name__}: {error}") from error
    if not isinstance(module, nn.Module):
        raise ModelFileError(f"--model {model_factory} gives a {type(module).__name__}, not a torch.nn.Module")
    return module


def _without_wrappers(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in _WRAPPER_PREFIXES:
        if state and all(key.startswith(prefix) for key in state):
            return _without_wrappers({key.removeprefix(prefix): value for key, value in state.items()})
    return state
