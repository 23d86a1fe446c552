"""Data files: `.npz` with samples `x` and labels `y`."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmdeploy.errors import DataFileError


@dataclass(frozen=True)
class DataSet:
    """Samples as they lie in the file, and labels if it has them.

    Attributes
    ----------
    samples : array, (samples, ...)
        Axes as in the model's declared layout.
    labels : int64 array, (samples,), or None
    """

    samples: NDArray[np.generic]
    labels: NDArray[np.int64] | None


def read_data(path: Path, limit: int | None = None) -> DataSet:
    """Read a data file.

    Parameters
    ----------
    path : Path
        `.npz` with `x`, uint8 or float, and optionally `y`, integers.
    limit : int, optional
        Take only the first samples.

    Raises
    ------
    DataFileError
        The file is missing, damaged, empty, or of another form.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataFileError(f"{path}: is no .npz archive")
            if "x" not in archive:
                raise DataFileError(f"{path}: holds no array 'x' (it holds {', '.join(archive.files) or 'nothing'})")
            samples = archive["x"][:limit]
            labels = archive["y"][:limit] if "y" in archive else None
    except FileNotFoundError as error:
        raise DataFileError(f"{path}: no such file") from error
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DataFileError(f"{path}: cannot be read as .npz: {error}") from error
    if samples.ndim < 2 or not len(samples):
        raise DataFileError(f"{path}: x has shape {samples.shape}; at least one sample is needed")
    if samples.dtype.kind not in "uif":
        raise DataFileError(f"{path}: x is of type {samples.dtype}, not a number")
    if labels is not None and (labels.shape != (len(samples),) or labels.dtype.kind not in "ui"):
        raise DataFileError(f"{path}: y must hold one integer label a sample, not {labels.dtype} {labels.shape}")
    return DataSet(samples, None if labels is None else labels.astype(np.int64))
