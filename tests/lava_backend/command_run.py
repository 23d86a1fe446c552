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

from .conftest import SHARED_MEMORY, in_use

WORKER = "nmdeploy.lava.worker"
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
        self._semaphores = set(SHARED_MEMORY.glob("sem.??????"))
        self.parent = psutil.Process(self._command.pid)
        self._seen = {}
        self._prefix = None

    def roles(self):
        """Living processes that the command has started, by what they do."""
        words = {}
        for process in self.parent.children(recursive=True):
            try:
                words[process] = process.cmdline() if process.status() != psutil.STATUS_ZOMBIE else []
            except psutil.NoSuchProcess:
                continue
            self._seen[process.pid] = process
        # Each Lava process is a fork of the main process; before them comes the one that holds the shared memory.
        forks = sorted((process for process in words if WORKER in words[process]), key=lambda process: process.pid)
        if forks:
            self._prefix = words[forks[0]][-1].lstrip("/")
        roles = dict(zip(forks, ("main", "memory"), strict=False))
        tracker = [process for process in words if "resource_tracker" in " ".join(words[process])]
        return {process: "worker" for process in forks} | roles | dict.fromkeys(tracker, "resource tracker")

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
            time.sleep(0.05)

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
            torn = [path for path in SHARED_MEMORY.glob("sem.??????") if path not in self._semaphores]
            memory += [str(path) for path in torn if not in_use(path)]
        return (*processes, *files, *memory)


def _lives(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
