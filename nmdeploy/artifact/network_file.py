"""`network.h5`: the chip network, and the float network that it stands for, in HDF5.

Layout: ``/chip`` and ``/float`` each hold their scalars as attributes and the groups ``populations/00000`` ...,
``projections/00000`` ... (``/chip`` also ``input_projections``) in order; arrays are datasets, the rest attributes.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph
from mapping.neuron_models import CountMemory, PoolCounts
from nmdeploy.errors import ArtifactError
from nmdeploy.spiking.network import FloatPopulation, FloatProjection, SpikingNetwork, build_spiking_network

FORMAT = "nmdeploy-network"
FORMAT_VERSION = 3
NESTED: dict[str, Callable[..., Any]] = {
    "connectivity": Connectivity,
    "count_memory": CountMemory,
    "pool_counts": PoolCounts,
}
CHIP_SCALARS = (
    "input_shape",
    "timesteps",
    "synapse_exponent",
    "threshold_exponent",
    "state_max",
    "bias_mantissa_max",
    "bias_exponent_max",
    "refinement_steps",
    "read_out_step",
)


def write_network(path: Path, network: ChipNetwork, float_network: SpikingNetwork | None = None) -> None:
    """Write networks to an HDF5 file; equal networks give equal bytes.

    Parameters
    ----------
    path : Path
        Overwritten.
    network : ChipNetwork
    float_network : SpikingNetwork, optional
        The network before quantisation, for float accuracies.
    """
    content = io.BytesIO()  # HDF5 crashes if it runs out of disk space; Python does not
    with h5py.File(content, "w") as file:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        chip = file.create_group("chip")
        for name in CHIP_SCALARS:
            chip.attrs[name] = getattr(network, name)
        _write_all(chip, "populations", network.populations)
        _write_all(chip, "projections", network.projections)
        _write_all(chip, "input_projections", network.input_projections)
        if float_network is not None:
            group = file.create_group("float")
            group.attrs["input_shape"] = float_network.input_shape
            _write_all(group, "populations", float_network.populations)
            _write_all(group, "projections", float_network.projections)
    path.write_bytes(content.getbuffer())


def read_network(path: Path) -> ChipNetwork:
    """Read the chip network.

    Raises
    ------
    ArtifactError
        The file is missing, truncated, or no network of a known version.
    """
    with _opened(path) as file:
        network: ChipNetwork = _guarded(path, lambda: _read_chip(file["chip"]))
        return network


def read_float_network(path: Path) -> SpikingNetwork:
    """Read the float network; raises as `read_network`."""
    with _opened(path) as file:
        network: SpikingNetwork = _guarded(path, lambda: _read_float(file["float"]))
        return network


def _write_all(parent: Any, name: str, items: Any) -> None:
    group = parent.create_group(name)
    for index, item in enumerate(items):
        _write_fields(group.create_group(f"{index:05d}"), item)


def _write_fields(group: Any, item: Any) -> None:
    for name in item.__dataclass_fields__:
        value = getattr(item, name)
        if is_dataclass(value):
            _write_fields(group.create_group(name), value)
        elif isinstance(value, np.ndarray):
            group.create_dataset(name, data=value)
        elif value is not None:
            group.attrs[name] = value


def _opened(path: Path) -> Any:
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read: {error}") from error
    if file.attrs.get("format") != FORMAT:
        file.close()
        raise ArtifactError(f"{path}: no nmdeploy network")
    version = file.attrs.get("format_version")
    if version != FORMAT_VERSION:
        file.close()
        raise ArtifactError(
            f"{path}: format version {version}; this nmdeploy reads {FORMAT_VERSION}. Compile the model again."
        )
    return file


def _guarded(path: Path, read: Any) -> Any:
    try:
        return read()
    except (KeyError, TypeError, ValueError, OSError, RuntimeError) as error:
        raise ArtifactError(f"{path}: damaged network file: {error}") from error


def _read_chip(chip: Any) -> ChipNetwork:
    scalars = {name: _plain(chip.attrs[name]) for name in CHIP_SCALARS}
    populations = [
        Population(**{"negative_threshold": None, **_read_fields(group)}) for group in chip["populations"].values()
    ]
    projections = [Projection(**_read_fields(group)) for group in chip["projections"].values()]
    inputs = tuple(InputProjection(**_read_fields(group)) for group in chip["input_projections"].values())
    return ChipNetwork(**scalars, graph=build_graph(populations, projections), input_projections=inputs)


def _read_float(group: Any) -> SpikingNetwork:
    populations = [FloatPopulation(**{"ceiling": None, **_read_fields(item)}) for item in group["populations"].values()]
    projections = [FloatProjection(**_read_fields(item)) for item in group["projections"].values()]
    return build_spiking_network(_plain(group.attrs["input_shape"]), populations, projections)


def _read_fields(group: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {name: _plain(value) for name, value in group.attrs.items()}
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            fields[name] = NESTED[name](**_read_fields(item))
        else:
            fields[name] = item[()]
    return fields


def _plain(value: Any) -> Any:
    """A Python value from an HDF5 attribute: arrays become tuples of int."""
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    return value.item() if isinstance(value, np.generic) else value
