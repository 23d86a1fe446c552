"""What the parent asks of the Lava worker, and how the worker says that it failed: files in a job folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

SHARED_MEMORY = Path("/dev/shm")
JOB_FILE = "job.json"
SAMPLES_FILE = "samples.npz"
FAILURE_FILE = "failure.json"
HEARTBEAT_FILE = "heartbeat"
RECORD_FOLDER = "record"


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes
    ----------
    network_file : str
        Absolute path.
    timesteps, batch, windows : int
    record_spike_trains : bool
    stock : bool
        Whether to run Lava's own processes instead of ours.
    placement_file : str or None
        Absolute path; if given, one process runs for each core of this placement.
    """

    network_file: str
    timesteps: int
    batch: int
    windows: int
    record_spike_trains: bool
    stock: bool
    placement_file: str | None

    def write(self, folder: Path) -> None:
        """Write to a job folder."""
        (folder / JOB_FILE).write_text(json.dumps(asdict(self), indent=1))

    @staticmethod
    def read(folder: Path) -> Job:
        """Read from a job folder."""
        return Job(**json.loads((folder / JOB_FILE).read_text()))


@dataclass(frozen=True)
class Failure:
    """Why the worker ended without a result.

    Attributes
    ----------
    kind : {"missing", "user", "worker"}
        A package cannot be imported; an error that the user caused; an exception anywhere else.
    error_type : str
        Name of the exception class.
    message : str
    """

    kind: Literal["missing", "user", "worker"]
    error_type: str
    message: str

    def write(self, folder: Path) -> None:
        """Write to a job folder."""
        (folder / FAILURE_FILE).write_text(json.dumps(asdict(self)))

    @staticmethod
    def read(folder: Path) -> Failure | None:
        """Read from a job folder; None if there is none or it is incomplete."""
        try:
            return Failure(**json.loads((folder / FAILURE_FILE).read_text()))
        except (OSError, ValueError):
            return None
