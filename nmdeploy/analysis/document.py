"""An analysis as a JSON document, which `nmdeploy analyze --json` prints and `nmdeploy report --analysis` reads."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from nmdeploy.analysis.analyze import Analysis
from nmdeploy.analysis.json_document import DocumentKind

ANALYSIS = DocumentKind("nmdeploy-analysis", 1, "analysis", "nmdeploy analyze ARTIFACT --data X.npz --json")


def to_document(analysis: Analysis, network_sha256: str) -> dict[str, object]:
    """For JSON; holds no time and no path, so equal analyses give equal documents.

    Parameters
    ----------
    analysis : Analysis
    network_sha256 : str
        Digest of the `network.h5` analysed.
    """
    return {**ANALYSIS.head(network_sha256), **asdict(analysis)}


def read_document(path: Path, network_sha256: str) -> Analysis:
    """Read what `to_document` gave, as a JSON file.

    Parameters
    ----------
    path : Path
    network_sha256 : str
        Of the network that it must be of.

    Raises
    ------
    DataFileError
        The file is missing, no analysis, damaged, or of another network.
    """
    return ANALYSIS.read(path, network_sha256, Analysis)
