"""A contestant in a process of its own: it waits for its turn, so that turns can be interleaved."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TIME_LIMIT_SECONDS = 600.0


class ContestantError(Exception):
    """A contestant ended or did not answer; the message holds the end of what it printed."""


class Contestant:
    """A process that answers requests, see `benchmarks.serve`.

    Parameters
    ----------
    python : str
        Its interpreter.
    threads : int
        Cores that it may use.
    module : str
    *arguments : str
    """

    def __init__(self, python: str, threads: int, module: str, *arguments: str) -> None:
        command = [python, "-m", "benchmarks.pinned", str(threads), module, *arguments]
        self._module = module
        self._received = b""
        self._resources = ExitStack()
        self._log = self._resources.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 the stack closes it
        self._process = self._resources.enter_context(
            subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, bufsize=0
            )
        )
        self._resources.callback(self._process.kill)
        try:
            self._read_reply()
        except ContestantError:
            self._resources.close()
            raise

    def __enter__(self) -> Contestant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    @property
    def process_id(self) -> int:
        """Of the contestant's process."""
        return self._process.pid

    def ask(self, **request: object) -> dict[str, Any]:
        """Send a request and wait for the reply.

        Raises
        ------
        ContestantError
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            raise self._failure("ended") from None
        return self._read_reply()

    def _read_reply(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while b"\n" not in self._received:
            ready, _, _ = select.select([self._process.stdout], [], [], TIME_LIMIT_SECONDS)
            if not ready:
                raise self._failure(f"gave no answer within {TIME_LIMIT_SECONDS:g} s")
            part = os.read(self._process.stdout.fileno(), 65536)
            if not part:
                raise self._failure("ended")
            self._received += part
        line, _, self._received = self._received.partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _failure(self, what: str) -> ContestantError:
        self._log.seek(0)
        printed = self._log.read().decode(errors="replace").strip().splitlines()
        return ContestantError("\n".join([f"{self._module} {what}", *printed[-10:]]))
