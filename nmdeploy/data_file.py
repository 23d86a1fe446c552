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
    arrays = _arrays(path)
    if "x" not in arrays:
        raise DataFileError(f"{path}: holds no array 'x' (it holds {', '.join(arrays) or 'nothing'})")
    samples, labels = arrays["x"], arrays.get("y")
    if samples.dtype.kind not in "uif":
        raise DataFileError(f"{path}: x is of type {samples.dtype}, not a number")
    if samples.ndim < 2 or not samples.size:
        raise DataFileError(f"{path}: x has shape {samples.shape}; at least one sample is needed")
    if labels is None:
        return DataSet(samples[:limit], None)
    if labels.shape != (len(samples),) or labels.dtype.kind not in "ui":
        raise DataFileError(f"{path}: y must hold one integer label a sample, not {labels.dtype} {labels.shape}")
    return DataSet(samples[:limit], labels[:limit].astype(np.int64))


def _arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays `x` and `y`, and the names of all others."""
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise DataFileError(f"{path}: is no .npz archive")
        with np.load(path, allow_pickle=False) as archive:
            # what is no array in the archive comes as bytes
            return {name: np.asarray(archive[name]) if name in ("x", "y") else np.empty(0) for name in archive.files}
    except DataFileError:
        raise
    except FileNotFoundError as error:
        raise DataFileError(f"{path}: no such file") from error
    except Exception as error:  # a damaged archive fails in any way
        raise DataFileError(f"{path}: cannot be read as .npz: {error}") from error
