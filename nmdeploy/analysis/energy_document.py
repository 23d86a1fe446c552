"""What `nmdeploy energy --format json` prints and `nmdeploy report --energy` reads."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from nmdeploy.analysis.energy_curve import EnergyPoint
from nmdeploy.analysis.json_document import DocumentKind
from nmdeploy.errors import DataFileError

ENERGY = DocumentKind(
    "nmdeploy-energy", 1, "energy report", "nmdeploy energy ARTIFACT --data X.npz --windows 8,16,32 --format json"
)


def read_windows(path: Path, network_sha256: str) -> tuple[EnergyPoint, ...]:
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
    document = ENERGY.read(path, network_sha256)
    try:
        points = TypeAdapter(tuple[EnergyPoint, ...]).validate_python(document.get("windows"))
    except ValidationError as error:
        first = error.errors()[0]
        raise DataFileError(f"{path}: damaged: windows.{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if not points:
        raise DataFileError(f"{path}: has no windows; write them with {ENERGY.written_by}")
    return points
