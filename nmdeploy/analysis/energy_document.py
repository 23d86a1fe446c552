"""What `nmdeploy energy --format json` prints and `nmdeploy report --energy` reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nmdeploy.analysis.energy_curve import EnergyPoint
from nmdeploy.analysis.json_document import DocumentKind
from nmdeploy.errors import DataFileError

ENERGY = DocumentKind(
    "nmdeploy-energy", 1, "energy report", "nmdeploy energy ARTIFACT --data X.npz --windows 8,16,32 --format json"
)


@dataclass(frozen=True)
class EnergyWindows:
    """Windows of several lengths, and what their energies are of.

    Attributes
    ----------
    windows : tuple of EnergyPoint
    preset, left_out : str
    counting, input_convention : str
    samples : int
    source : str
        Where the samples were read.
    """

    windows: tuple[EnergyPoint, ...]
    preset: str
    left_out: str
    counting: str
    input_convention: str
    samples: int
    source: str


def read_windows(path: Path, network_sha256: str) -> EnergyWindows:
    """Energy, accuracy and latency of the windows in an energy report.

    Parameters
    ----------
    path : Path
    network_sha256 : str
        Of the network that it must be of.

    Raises
    ------
    DataFileError
        The file is missing, no energy report, damaged, without windows, or of another network.
    """
    found = ENERGY.read(path, network_sha256, EnergyWindows)
    if not found.windows:
        raise DataFileError(f"{path}: has no windows; write them with {ENERGY.written_by}")
    return found
