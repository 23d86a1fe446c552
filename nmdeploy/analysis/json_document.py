"""JSON documents that one command prints and another reads, each of one network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from nmdeploy.errors import DataFileError

Record = TypeVar("Record")


@dataclass(frozen=True)
class DocumentKind:
    """What a document must be.

    Attributes
    ----------
    format : str
    format_version : int
    what : str
        In messages, with its article.
    written_by : str
        The command that prints it.
    """

    format: str
    format_version: int
    what: str
    written_by: str

    def head(self, network_sha256: str) -> dict[str, object]:
        """First fields; `network_sha256` is the digest of the `network.h5` that the document is of."""
        return {"format": self.format, "format_version": self.format_version, "network_sha256": network_sha256}

    def read(self, path: Path, network_sha256: str, record: type[Record]) -> Record:
        """Read a document.

        Parameters
        ----------
        path : Path
        network_sha256 : str
            Of the network that it must be of.
        record : type
            Dataclass whose fields are among those of the document.

        Raises
        ------
        DataFileError
            The file is missing, no such document, damaged, or of another network.
        """
        try:
            document: Any = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataFileError(f"{path}: cannot be read: {error}") from error
        except (ValueError, RecursionError) as error:
            raise DataFileError(f"{path}: not valid JSON: {error}") from error
        if not isinstance(document, dict) or document.get("format") != self.format:
            raise DataFileError(f"{path}: is no {self.what}; write one with {self.written_by}")
        if document.get("format_version") != self.format_version:
            raise DataFileError(
                f"{path}: format version {document.get('format_version')}; this nmdeploy reads {self.format_version}"
            )
        if document.get("network_sha256") != network_sha256:
            raise DataFileError(f"{path}: is the {self.what} of another network")
        try:
            return TypeAdapter(record).validate_python(document)
        except ValidationError as error:
            first = error.errors()[0]
            raise DataFileError(f"{path}: damaged: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
