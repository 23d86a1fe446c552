"""Errors that a user can cause; the command line prints them without a traceback and exits with 2."""

from __future__ import annotations


class NmdeployError(Exception):
    """Bad input, a bad option or a missing backend; the message says what, where and the way out."""


class UnsupportedNetworkError(NmdeployError):
    """The network has parts that cannot be converted.

    Attributes
    ----------
    problems : tuple of str
        One line for each unsupported node, with its place in the source where known and the way out.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        heading = "the network cannot be converted:" if len(problems) == 1 else f"{len(problems)} problems:"
        super().__init__("\n  ".join([heading, *problems]))


class ModelFileError(NmdeployError):
    """The model file is missing, damaged, or of a kind that is refused."""


class DataFileError(NmdeployError):
    """The data file is missing, damaged, or does not fit the network."""


class ArtifactError(NmdeployError):
    """The artifact is missing, incomplete, or was changed after it was written."""


class QuantizationError(NmdeployError):
    """A value does not fit its field on the chip."""


class ExportError(NmdeployError):
    """The network does not fit the file format, or the file cannot be written."""


class BackendError(NmdeployError):
    """A simulation backend is missing, failed, or ran out of time."""
