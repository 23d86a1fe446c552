"""Choices of `nmdeploy energy`."""

from __future__ import annotations

from enum import Enum

from nmdeploy.errors import NmdeployError


class EnergyFormat(str, Enum):
    """How the report is printed."""

    table = "table"
    json = "json"
    csv = "csv"
    md = "md"


class Counting(str, Enum):
    """Whether synapses of weight zero count."""

    dense = "dense"
    effective = "effective"


class InputConvention(str, Enum):
    """How often the input is multiplied."""

    cached = "cached"
    every_step = "every-step"


class Grouping(str, Enum):
    """Rows of the table."""

    layer = "layer"
    core = "core"
    chip = "chip"
    projection = "projection"
    tile = "tile"

MOST_DIGITS = 9


def read_windows(text: str, longest: int) -> list[int]:
    """The numbers of steps in a list like ``8,16,32``, each once, ascending.

    Raises
    ------
    NmdeployError
        One is no number from 1 to `longest`.
    """
    windows = set()
    for part in text.split(","):
        if not part.strip().isdecimal() or len(part) > MOST_DIGITS or not 1 <= int(part) <= longest:
            raise NmdeployError(
                f"--windows {text}: '{part.strip()}' is no number of steps from 1 to {longest}, which the network was"
                " compiled for"
            )
        windows.add(int(part))
    return sorted(windows)
