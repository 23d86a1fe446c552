"""Run a module once in a process of its own and read the JSON that it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TIME_LIMIT_SECONDS = 600.0


class MeasurementError(Exception):
    """A measurement failed; the message holds the end of what it printed."""


def run_in_fresh_process(module: str, *arguments: str) -> dict[str, Any]:
    """The object that ``python -m module arguments`` prints on its last line.

    Whatever the module started and left behind is killed with it: Lava's workers survive an error of their parent.

    Raises
    ------
    MeasurementError
        It failed or took more than `TIME_LIMIT_SECONDS`.
    """
    command = [sys.executable, "-m", module, *arguments]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=errors, start_new_session=True)
        try:
            code = process.wait(TIME_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            raise MeasurementError(f"{' '.join(command)} took more than {TIME_LIMIT_SECONDS:g} s") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if code:
            errors.seek(0)
            printed = errors.read().decode(errors="replace").strip().splitlines()
            raise MeasurementError("\n".join([" ".join(command), *printed[-10:]]))
        output.seek(0)
        printed_object: dict[str, Any] = json.loads(output.read().decode().splitlines()[-1])
        return printed_object
