"""How model files are read, as said on the command line."""

from __future__ import annotations

from enum import Enum

from nmdeploy.errors import NmdeployError


class DataLayout(str, Enum):
    """Axes of data files."""

    NCHW = "NCHW"
    NHWC = "NHWC"
    NHW = "NHW"
    NCL = "NCL"
    NF = "NF"


def numbers_of(option: str, text: str | None) -> tuple[float, ...] | None:
    """Numbers separated by commas.

    Raises
    ------
    NmdeployError
    """
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise NmdeployError(f"{option} {text}: expected numbers separated by commas") from error


def shape_of(text: str | None) -> tuple[int, ...] | None:
    """The shape of one sample.

    Raises
    ------
    NmdeployError
    """
    if text is None:
        return None
    try:
        shape = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise NmdeployError(f"--input-shape {text}: expected whole numbers separated by commas") from error
    if min(shape) < 1:
        raise NmdeployError(f"--input-shape {text}: every size must be at least 1")
    return shape
