"""An analysis as a JSON document, which `nmdeploy analyze --json` prints and `nmdeploy report --analysis` reads."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from nmdeploy.analysis.analyze import Analysis
from nmdeploy.errors import DataFileError

FORMAT = "nmdeploy-analysis"
FORMAT_VERSION = 1


def to_document(analysis: Analysis, network_sha256: str) -> dict[str, object]:
    """For JSON; holds no time and no path, so equal analyses give equal documents.

    Parameters
    ----------
    analysis : Analysis
    network_sha256 : str
        Digest of the `network.h5` analysed.
    """
    head = {"format": FORMAT, "format_version": FORMAT_VERSION, "network_sha256": network_sha256}
    return {**head, **asdict(analysis)}


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
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:
        raise DataFileError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DataFileError(f"{path}: is no analysis; write one with nmdeploy analyze ARTIFACT --data X.npz --json")
    if document.get("format_version") != FORMAT_VERSION:
        raise DataFileError(
            f"{path}: format version {document.get('format_version')}; this nmdeploy reads {FORMAT_VERSION}"
        )
    if document.get("network_sha256") != network_sha256:
        raise DataFileError(f"{path}: is the analysis of another network")
    try:
        return TypeAdapter(Analysis).validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataFileError(f"{path}: damaged: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
