"""The time step at which a run is, in a file that the worker writes and the parent looks at."""

from __future__ import annotations

import os
from pathlib import Path

BYTES = 8


class Heartbeat:
    """Written once a step; no step is due before `begin` and after `end`.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def begin(self) -> None:
        """From now on steps are due."""
        self.write(0)

    def end(self) -> None:
        """No more steps are due."""
        self.write(-1)

    def write(self, step: int) -> None:
        """Say that a step begins, counted from 1."""
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(self._file, step.to_bytes(BYTES, "little", signed=True), 0)

    def read(self) -> int | None:
        """The step that has begun, or None if none is due."""
        try:
            step = int.from_bytes(self._path.read_bytes(), "little", signed=True)
        except OSError:
            return None
        return step if step >= 0 else None
