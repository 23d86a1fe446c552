"""The model file: a traced network and what is known about its data, loaded without any class or code."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nmdeploy.errors import ModelFileError, NmdeployError
from nmdeploy.frontend.graph_format import decode_graph, encode_graph, take
from nmdeploy.frontend.trace import trace
from nmdeploy.model import Model
from nmdeploy.preprocessing import Layout, Preprocessing
from nmdeploy.write_file import write_whole

FORMAT = "nmdeploy model"
VERSION = 1


def save(
    module: nn.Module,
    example_input: Tensor,
    path: str | os.PathLike[str],
    *,
    scale: float = 1.0,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    layout: Layout = "NCHW",
    calibration: Tensor | NDArray[np.generic] | None = None,
    classes: Sequence[str] | None = None,
) -> None:
    """Trace a network and write it with its preprocessing to a model file.

    The file holds lists, strings, numbers and tensors only: it loads with ``weights_only=True``,
    needs none of the network's code, and never executes any. A crash leaves the file that was there before.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode, taking one tensor.
    example_input : Tensor, floating point, (N, C, H, W), (N, C, L) or (N, F)
        As the network takes it, so after preprocessing.
    path : path
        Where to write.
    scale, mean, std : float, or one float a channel for mean and std
        Data samples x reach the network as ``((x / scale) - mean) / std``.
    layout : {"NCHW", "NHWC", "NHW", "NCL", "NF"}
        Axes of data samples; "NCHW" stands for channels first whatever the number of axes.
    calibration : array or Tensor, optional
        Data samples in `layout`, not yet normalised, by which activations are scaled; some hundred will do.
    classes : sequence of str, optional
        Names of the classes, in the order of the network's outputs.

    Raises
    ------
    UnsupportedNetworkError
        Parts of the network cannot be converted; all are listed.
    NmdeployError
        An option is wrong, or does not fit the network.
    ModelFileError
        The file cannot be written.
    """
    graph = trace(module, example_input)
    preprocessing = Preprocessing(
        float(scale), _numbers(mean, 0.0), _numbers(std, 1.0), layout_for(layout, example_input.ndim)
    )
    samples = None if calibration is None else _sample_array(calibration)
    model = Model(graph, preprocessing, tuple(classes or ()), samples)
    _check_consistency(model)
    contents = {
        "format": FORMAT,
        "version": VERSION,
        "graph": encode_graph(graph),
        "preprocessing": {
            "scale": preprocessing.scale,
            "mean": list(preprocessing.mean),
            "std": list(preprocessing.std),
            "layout": preprocessing.layout,
        },
        "classes": list(model.classes),
        "calibration": None if samples is None else torch.from_numpy(samples),
    }
    buffer = io.BytesIO()  # a file name given to torch.save would become part of the bytes
    torch.save(contents, buffer)
    try:
        write_whole(Path(path), buffer.getvalue())
    except OSError as error:
        raise ModelFileError(f"cannot write {path}: {error.strerror or error}") from error


def read_model_file(contents: object) -> Model:
    """Make a model of what a model file holds.

    Parameters
    ----------
    contents
        What `torch.load` gave; nothing about it is trusted.

    Returns
    -------
    Model

    Raises
    ------
    ModelFileError
        The contents are of another format, of a newer version, or damaged.
    """
    if not is_model_contents(contents):
        raise ModelFileError("not a model file of nmdeploy")
    version = take(contents, "version", int, "the file")
    if version > VERSION:
        raise ModelFileError(
            f"the model file has format version {version}, this nmdeploy reads up to {VERSION}. Update nmdeploy."
        )
    if version < 1:
        raise ModelFileError(f"the model file is damaged: format version {version}")
    graph = decode_graph(take(contents, "graph", dict, "the file"))
    classes = take(contents, "classes", list, "the file")
    if not all(isinstance(name, str) for name in classes):
        raise ModelFileError("the model file is damaged: classes are not all names")
    samples = take(contents, "calibration", (Tensor, type(None)), "the file")
    try:
        preprocessing = _decode_preprocessing(take(contents, "preprocessing", dict, "the file"))
        calibration = None if samples is None else _sample_array(samples)
        model = Model(graph, preprocessing, tuple(classes), calibration)
        _check_consistency(model)
    except ModelFileError:
        raise
    except NmdeployError as error:
        raise ModelFileError(f"the model file is damaged: {error}") from error
    return model


def is_model_contents(contents: object) -> bool:
    """Whether this says of itself that it is the contents of a model file."""
    return isinstance(contents, dict) and contents.get("format") == FORMAT


def layout_for(layout: Layout, axes: int) -> Layout:
    """Channels first for inputs of this many axes, where the layout just says so."""
    return cast(Layout, {2: "NF", 3: "NCL"}.get(axes, layout)) if layout == "NCHW" else layout


def _numbers(values: float | Sequence[float] | None, default: float) -> tuple[float, ...]:
    if values is None:
        return (default,)
    return tuple(float(value) for value in np.atleast_1d(np.asarray(values, np.float64)))


def _sample_array(samples: Tensor | NDArray[np.generic]) -> NDArray[np.generic]:
    if isinstance(samples, Tensor) and (samples.layout != torch.strided or samples.is_quantized):
        raise NmdeployError("calibration samples must be a plain array")
    array = samples.detach().cpu().resolve_conj().numpy() if isinstance(samples, Tensor) else np.asarray(samples)
    if array.dtype != np.uint8:
        if array.dtype.kind not in "fiu":
            raise NmdeployError(f"calibration samples are {array.dtype}, not numbers")
        array = array.astype(np.float32)
    return np.ascontiguousarray(array)


def _check_consistency(model: Model) -> None:
    shape = model.layers.input_layer.shape
    model.preprocessing.check_channels(shape[0])
    if model.calibration is not None:
        if model.calibration.ndim == 0 or len(model.calibration) == 0:
            raise NmdeployError("there are no calibration samples in the array")
        try:
            model.preprocessing.apply(model.calibration, shape)
        except NmdeployError as error:
            raise NmdeployError(f"calibration: {error}") from error
    sizes = {model.layers.layer(name).shape[0] for name in model.layers.outputs}
    if model.classes and len(model.layers.outputs) == 1 and len(model.classes) not in sizes:
        raise NmdeployError(f"{len(model.classes)} class names for {sizes.pop()} outputs")


def _decode_preprocessing(contents: dict[str, Any]) -> Preprocessing:
    where = "preprocessing"
    number_lists = {}
    for name in ("mean", "std"):
        number_lists[name] = tuple(take(contents, name, list, where))
        if not all(isinstance(value, float) for value in number_lists[name]):
            raise ModelFileError(f"the model file is damaged: {name} are not all numbers")
    scale, layout = take(contents, "scale", float, where), take(contents, "layout", str, where)
    return Preprocessing(scale, number_lists["mean"], number_lists["std"], cast(Layout, layout))
