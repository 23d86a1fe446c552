"""A run of the command line on Lava whose processes can be hit, and what it leaves behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from command_line import ROOT

SHARED_MEMORY = Path("/dev/shm")
START_SECONDS = 60
CLEAN_SECONDS = 3


@dataclass(frozen=True)
class Hit:
    """A signal that was sent: to which process, and when."""

    role: str
    moment: float


@dataclass(frozen=True)
class Outcome:
    """How the command ended after a hit."""

    hit: Hit | None
    code: int
    stdout: str
    stderr: str
    seconds: float
    left: tuple[str, ...]


class CommandRun:
    """``nmdeploy run ... --backend lava`` in a process of its own, with a folder of its own for temporary files."""

    def __init__(self, *arguments):
        self.folder = Path(tempfile.mkdtemp())  # short, as sockets lie in it
        self._command = subprocess.Popen(
            [sys.executable, "-m", "nmdeploy", "run", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(self.folder)},
        )
        self.parent = psutil.Process(self._command.pid)
        self._seen = {}
        self._prefix = None

    def roles(self):
        """Living processes that the command has started, by what they do."""
        found = {}
        for process in self.parent.children(recursive=True):
            try:
                role, state = _role(process, self.parent), process.status()
            except psutil.NoSuchProcess:
                continue
            self._seen[process.pid] = process
            if state != psutil.STATUS_ZOMBIE:
                found[process] = role
            if role == "main":
                self._prefix = process.cmdline()[-1].lstrip("/")
        return found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Kill what a failed test has left."""
        if self._command.poll() is None:
            self._command.kill()
            self._command.communicate()
            self._left()
        for process in self._seen.values():
            if _lives(process):
                process.kill()
        shutil.rmtree(self.folder)

    def wait_until_started(self):
        """Wait for the main process."""
        self._wait_until(lambda: self.roles())

    def wait_until_forked(self):
        """Wait for any process that the main process starts."""
        self._wait_until(lambda: len(self.roles()) > 1)

    def wait_until_running(self):
        """Wait until time steps pass: all processes are there."""
        self._wait_until(lambda: list(self.folder.glob("*/heartbeat")))

    def _wait_until(self, condition):
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"only {sorted(self.roles().values())} within {START_SECONDS} s"
            assert self._command.poll() is None, self._command.communicate()
            time.sleep(0.02)

    def finish(self, hit, *, within):
        """Wait for the command to end, and look at what is left of it."""
        begin = time.monotonic()
        try:
            stdout, stderr = self._command.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{hit}: still running after {within} s") from None
        seconds = time.monotonic() - begin
        return Outcome(hit, self._command.returncode, stdout, stderr, seconds, self._left())

    def _left(self):
        """What is still there when those who clean up after a killed command have had time to do so."""
        deadline = time.monotonic() + CLEAN_SECONDS
        while (left := self._left_now()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def _left_now(self):
        processes = [f"process {pid}" for pid, process in self._seen.items() if _lives(process)]
        files = [str(path) for path in self.folder.iterdir()]
        memory = []
        if self._prefix and SHARED_MEMORY.is_dir():
            memory = [str(path) for path in SHARED_MEMORY.glob(f"*{self._prefix}*")]
        return (*processes, *files, *memory)


def _role(process, parent):
    words = " ".join(process.cmdline())
    if "resource_tracker" in words:
        return "resource tracker"
    if "nmdeploy.lava.worker" not in words:
        return "other"
    if process.ppid() == parent.pid:
        return "main"
    # Forked by the main process: first the one that holds the shared memory, then one for each Lava process.
    forks = sorted(
        child.pid for child in process.parent().children() if "nmdeploy.lava.worker" in " ".join(child.cmdline())
    )
    return "memory" if process.pid == forks[0] else "worker"


def _lives(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
