"""From a model file of any accepted kind to a model."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nmdeploy.errors import ModelFileError
from nmdeploy.frontend.file_kinds import RESAVE, require_torch_pickle
from nmdeploy.frontend.model_file import is_model_contents, layout_for, read_model_file
from nmdeploy.frontend.restricted_pickle import RestrictedPickle
from nmdeploy.frontend.trace import trace
from nmdeploy.frontend.user_factory import build_from_state_dict, current_directory_importable
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.model import Model
from nmdeploy.preprocessing import Layout, Preprocessing

# Where training scripts keep the weights in a checkpoint.
_CHECKPOINT_KEYS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights")


def load_model(
    path: str | os.PathLike[str],
    *,
    model_factory: str | None = None,
    input_shape: tuple[int, ...] | None = None,
    scale: float | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    layout: Layout | None = None,
    trust: bool = False,
) -> Model:
    """Load a model file: one written by `nmdeploy.save`, a pickled module of stock layers, or a state dict.

    The content decides what the file is. Nothing in the file is executed, unless `trust` is set.

    Parameters
    ----------
    path : path
    model_factory : str, optional
        ``package.module:factory``, which builds the network of a state dict.
    input_shape : tuple of int, optional
        (C, H, W), (C, L) or (F,); needed unless the file was written by `nmdeploy.save`.
    scale, mean, std, layout : optional
        Preprocessing as in `nmdeploy.save`; what is given here overrides what the file says.
    trust : bool
        Load pickles of any classes, which may execute any code.

    Returns
    -------
    Model

    Raises
    ------
    ModelFileError
        The file is missing, damaged, refused, or does not go with the options.
    UnsupportedNetworkError
        Parts of the network cannot be converted; all are listed.
    NmdeployError
        A preprocessing option is wrong, or does not fit the network.
    """
    path = Path(path)
    require_torch_pickle(path)
    contents = _unpickle(path, trust)
    if is_model_contents(contents):
        if model_factory is not None:
            raise ModelFileError(f"{path} holds the traced network; leave --model out")
        model = read_model_file(contents)
        _check_input_shape(model.layers, input_shape)
    else:
        module = _module_of(path, contents, model_factory)
        try:
            example = _example(path, input_shape, module)
            layers = trace(module, example)
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
            if module is not contents:
                raise
            # a whole pickled module whose bytes were damaged can lack any of its parts
            raise ModelFileError(f"{path} holds a damaged module ({type(error).__name__}: {error})") from error
        model = Model(layers, Preprocessing(layout=layout_for("NCHW", example.ndim)))
    return replace(model, preprocessing=_override(model, scale, mean, std, layout))


def _unpickle(path: Path, trust: bool) -> Any:
    admitted = RestrictedPickle()
    # torch.load takes any object with `Unpickler` and `load`, but only with weights_only off.
    options: dict[str, Any] = {"map_location": "cpu", "weights_only": False}
    failure: Exception | None = None
    contents = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if trust:
                with current_directory_importable():
                    contents = torch.load(path, **options)
            else:
                contents = torch.load(path, pickle_module=admitted, **options)
    except Exception as error:  # a damaged pickle fails in any way
        failure = error
    if admitted.refused:
        raise ModelFileError(
            f"{path} needs code that is not part of torch's layers: {', '.join(admitted.refused)}. "
            f"Loading it could execute anything. Save it where that code is at hand: {RESAVE} "
            "Or, if you trust whoever made the file, pass --trust."
        )
    if failure is not None:
        reason = str(failure).strip().splitlines()
        first = reason[0] if reason else ""
        raise ModelFileError(
            f"{path} is damaged or no file of torch.save ({type(failure).__name__}: {first})"
        ) from failure
    return contents


def _module_of(path: Path, contents: object, model_factory: str | None) -> nn.Module:
    if isinstance(contents, nn.Module):
        if model_factory is not None:
            raise ModelFileError(f"{path} holds a whole module; leave --model out")
        return contents
    state = _state_dict(contents)
    if state is None:
        raise ModelFileError(
            f"{path} holds a {type(contents).__name__}, neither a module nor a state dict. Use {RESAVE}"
        )
    if model_factory is None:
        raise ModelFileError(
            f"{path} is a state dict: weights without an architecture. Pass --model package.module:factory, "
            f"a function that builds the network, and --input-shape; or save both together: {RESAVE}"
        )
    return build_from_state_dict(model_factory, state)


def _state_dict(contents: object) -> dict[str, Tensor] | None:
    """The weights in a state dict or a checkpoint around one."""
    if not isinstance(contents, dict) or not contents:
        return None
    if all(isinstance(key, str) and isinstance(value, Tensor) for key, value in contents.items()):
        return contents
    for key in _CHECKPOINT_KEYS:
        found = contents.get(key)
        if isinstance(found, nn.Module):
            return found.state_dict()
        state = _state_dict(found)
        if state is not None:
            return state
    return None


def _example(path: Path, input_shape: tuple[int, ...] | None, module: nn.Module) -> Tensor:
    if input_shape is None:
        raise ModelFileError(f"{path} does not say what the network takes. Pass --input-shape, 3,32,32 say.")
    if len(input_shape) not in (1, 2, 3) or min(input_shape) < 1:
        raise ModelFileError(f"--input-shape {input_shape} is not (C, H, W), (C, L) or (F,)")
    types = {parameter.dtype for parameter in module.parameters() if parameter.is_floating_point()}
    return torch.zeros((1, *input_shape), dtype=types.pop() if len(types) == 1 else torch.float32)


def _check_input_shape(layers: LayerGraph, input_shape: tuple[int, ...] | None) -> None:
    if input_shape is None:
        return
    expected = layers.input_layer.shape
    if len(input_shape) == 2:
        input_shape = (input_shape[0], 1, input_shape[1])
    if (*input_shape, 1, 1)[: max(3, len(input_shape))] != expected:
        raise ModelFileError(f"the network in the file takes {expected}, not --input-shape {input_shape}")


def _override(
    model: Model,
    scale: float | None,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    layout: Layout | None,
) -> Preprocessing:
    given: dict[str, Any] = {
        "scale": None if scale is None else float(scale),
        "mean": None if mean is None else tuple(map(float, mean)),
        "std": None if std is None else tuple(map(float, std)),
        "layout": layout,
    }
    changed = replace(model.preprocessing, **{name: value for name, value in given.items() if value is not None})
    changed.check_channels(model.layers.input_layer.shape[0])
    return changed
