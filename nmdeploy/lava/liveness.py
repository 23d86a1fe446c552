"""Whether the processes of a Lava run go on: none of them stopped, and time steps that pass."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

from nmdeploy.errors import BackendError
from nmdeploy.lava.heartbeat import Heartbeat

SCAN_SECONDS = 0.25
SCAN_SHARE = 0.25  # of the time, where a scan takes long
STOPPED_SCANS = 3
GAP_SECONDS_MAX = 0.2
STEP_SECONDS_PER_PROCESS = 0.02


class Liveness:
    """Judges a run from outside.

    A process in the stopped state for most of a second is an error, and so is a time step that takes longer than
    the limit. Time counts only while this process itself gets to look, so that a machine that sleeps or is
    overloaded is not taken for a run that hangs; time in which the run waits for the disk does not count.

    Parameters
    ----------
    heartbeat : Heartbeat
        That of the run.
    step_limit_seconds : float
        For one time step; each process of the run adds `STEP_SECONDS_PER_PROCESS`.
    """

    def __init__(self, heartbeat: Heartbeat, step_limit_seconds: float) -> None:
        self._heartbeat = heartbeat
        self._step_limit_seconds = step_limit_seconds
        self._step: int | None = None
        self._step_seconds = 0.0
        self._checked = self._next_scan = time.monotonic()
        self._stopped_scans: dict[int, int] = {}

    def check(self, pid: int) -> None:
        """Look at a process and all that it started; to be called often.

        Raises
        ------
        BackendError
            They do not go on.
        """
        now = time.monotonic()
        passed, self._checked = min(now - self._checked, GAP_SECONDS_MAX), now
        step = self._heartbeat.read()
        self._step_seconds = self._step_seconds + passed if step is not None and step == self._step else 0.0
        self._step = step
        if now >= self._next_scan:
            self._scan(pid)
            scanned = time.monotonic()
            self._next_scan = scanned + max(SCAN_SECONDS, (scanned - now) / SCAN_SHARE)

    def _scan(self, pid: int) -> None:
        states = _states(pid)
        self._stopped_scans = {
            process: self._stopped_scans.get(process, 0) + 1
            for process, state in states.items()
            if state == psutil.STATUS_STOPPED
        }
        for process, scans in self._stopped_scans.items():
            if scans >= STOPPED_SCANS:
                raise BackendError(f"the Lava run hangs: its process {process} was stopped (SIGSTOP)")
        if psutil.STATUS_DISK_SLEEP in states.values():
            self._step_seconds = 0.0
        limit = self._step_limit_seconds + STEP_SECONDS_PER_PROCESS * len(states)
        if self._step_seconds > limit:
            raise BackendError(
                f"the Lava run hangs: time step {self._step} takes longer than {limit:.3g} s. If the machine is that "
                "slow, allow more with --step-limit."
            )


def _states(pid: int) -> dict[int, str]:
    """State of a process and of all that it started, by process id."""
    states: dict[int, str] = {}
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                states[process.pid] = process.status()
    return states
