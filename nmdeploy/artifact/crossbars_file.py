"""`crossbars.h5`: the program of a chip of crossbars, in HDF5.

Layout: the groups ``/columns`` and ``/axons`` hold a compressed dataset for each field of
`mapping.crossbar_program.Columns` and `Axons`, of the type named there.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mapping.crossbar_program import Axons, Columns, CrossbarProgram
from nmdeploy.errors import ArtifactError

FORMAT = "nmdeploy-crossbars"
FORMAT_VERSION = 1
TYPES: dict[str, dict[str, str]] = {
    "columns": {
        "core": "int32",
        "column": "int16",
        "population": "int16",
        "neuron": "int32",
        "target_core": "int32",
        "target_axon": "int16",
        "delay": "int16",
    },
    "axons": {
        "core": "int32",
        "axon": "int16",
        "axon_type": "int8",
        "projection": "int16",
        "source_neuron": "int32",
        "copy": "int16",
    },
}
"""Types of the arrays; in a file they are little-endian."""


def write_crossbar_program(path: Path, program: CrossbarProgram) -> None:
    """Write a program to an HDF5 file; equal programs give equal bytes.

    Parameters
    ----------
    path : Path
        Overwritten.
    program : CrossbarProgram
    """
    content = io.BytesIO()  # HDF5 crashes if it runs out of disk space; Python does not
    with h5py.File(content, "w") as file:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        for table_name, types in TYPES.items():
            group, table = file.create_group(table_name), getattr(program, table_name)
            for name, kind in types.items():
                array = getattr(table, name)
                stored = np.dtype(kind).newbyteorder("<")
                # HDF5 compresses in chunks, and an empty array has none
                options = {"compression": "gzip", "compression_opts": 4, "shuffle": True} if len(array) else {}
                group.create_dataset(name, data=array, dtype=stored, **options)
    path.write_bytes(content.getbuffer())


def read_crossbar_program(path: Path) -> CrossbarProgram:
    """Read a program.

    Raises
    ------
    ArtifactError
        The file is missing, truncated, damaged, or no program of a known version.
    """
    try:
        with h5py.File(path, "r") as file:
            _check_version(path, file.attrs)
            tables = {name: _read_table(file[name], types) for name, types in TYPES.items()}
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, MemoryError) as error:
        raise ArtifactError(f"{path}: damaged crossbar program: {error}") from error
    return CrossbarProgram(Columns(**tables["columns"]), Axons(**tables["axons"]))


def _check_version(path: Path, attributes: Any) -> None:
    if attributes.get("format") != FORMAT:
        raise ArtifactError(f"{path}: no nmdeploy crossbar program")
    version = attributes.get("format_version")
    if version != FORMAT_VERSION:
        raise ArtifactError(
            f"{path}: format version {version}; this nmdeploy reads {FORMAT_VERSION}. Compile the model again."
        )


def _read_table(group: Any, types: dict[str, str]) -> dict[str, Any]:
    fields = {}
    lengths = set()
    for name, kind in types.items():
        dataset = group[name]
        if dataset.ndim != 1 or dataset.dtype != np.dtype(kind):
            raise ValueError(f"{name} has shape {dataset.shape} and type {dataset.dtype}, not one axis of {kind}")
        fields[name] = dataset[()].astype(kind)
        lengths.add(dataset.shape[0])
    if len(lengths) != 1:
        raise ValueError(f"arrays of {', '.join(map(str, sorted(lengths)))} entries")
    return fields
