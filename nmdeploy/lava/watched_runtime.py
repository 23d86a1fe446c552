"""Lava's runtime, watched: a process of it that raises or dies is noticed at once, at any moment.

Lava itself waits for ever when one of its processes raises or dies while another waits for it. Here nothing
waits without looking at all of them: neither for the processes to be built nor for the run to end.
"""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Callable
from multiprocessing import resource_tracker
from typing import Any

from lava.magma.compiler.builders.py_builder import PyProcessBuilder
from lava.magma.core.process.message_interface_enum import ActorType
from lava.magma.runtime.message_infrastructure.multiprocessing import MultiProcessing
from lava.magma.runtime.mgmt_token_enums import MGMT_RESPONSE, enum_equal
from lava.magma.runtime.runtime import Runtime
from lava.magma.runtime.runtime_services.runtime_service import LoihiPyRuntimeService

from nmdeploy.lava.heartbeat import Heartbeat

POLL_SECONDS = 0.01
EXCEPTION_SECONDS = 2.0  # within which an exception follows its announcement
START_SECONDS = 60.0  # within which the next process is built


class WorkerFailedError(Exception):
    """A process of the run raised, died or does not start; the message says which and why."""


class WatchedRuntime(Runtime):
    """A runtime of which every wait ends when one of its processes fails.

    Parameters
    ----------
    executable : lava.magma.compiler.executable.Executable
    heartbeat : Heartbeat, optional
        To be written in each step.
    """

    def __init__(self, executable: Any, heartbeat: Heartbeat | None) -> None:
        super().__init__(executable, ActorType.MultiProcessing)
        self._names = [
            f"the Lava process {process.name!r}"
            for process, builder in executable.proc_builders.items()
            if isinstance(builder, PyProcessBuilder)
        ]
        for builder in executable.runtime_service_builders.values():
            self._names.append("Lava's runtime service")
            if heartbeat is not None:
                builder.rs_class = _beating(heartbeat)

    def _build_message_infrastructure(self) -> None:
        self._messaging_infrastructure = _WatchedProcesses(self.check)
        self._messaging_infrastructure.start()

    def _start_ports(self) -> None:
        super()._start_ports()
        self._await_built()
        self.exception_q: list[Any] = []  # all have answered, so Lava need not wait for them

    def _await_built(self) -> None:
        waiting = list(self.exception_q)
        deadline = time.monotonic() + START_SECONDS
        while waiting:
            for answers in list(waiting):
                try:
                    error = answers.get_nowait()
                except queue.Empty:
                    continue
                if error is not None:
                    raise WorkerFailedError(_shown(error, error.trace))
                waiting.remove(answers)
                deadline = time.monotonic() + START_SECONDS
            self.check()
            if time.monotonic() > deadline:
                raise WorkerFailedError(f"{len(waiting)} processes do not start within {START_SECONDS:g} s")
            time.sleep(POLL_SECONDS)

    def wait(self) -> None:
        """Wait until the run has ended.

        Raises
        ------
        WorkerFailedError
        """
        ports = list(self.service_to_runtime)
        while ports:
            for port in [port for port in ports if port.probe()]:
                ports.remove(port)
                if not enum_equal(port.recv(), MGMT_RESPONSE.DONE):
                    self._await_exception()
            self.check()
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Look at all processes.

        Raises
        ------
        WorkerFailedError
            One of them has raised or ended.
        """
        infrastructure = self._messaging_infrastructure
        # A process sends its exception before it ends, so who has ended is asked first.
        endings = [(name, worker.exitcode) for name, worker in zip(self._names, infrastructure.actors, strict=False)]
        self._raise_exception()
        endings.append(("the process that holds Lava's shared memory", infrastructure.holder_exit_code()))
        endings.append(("Python's resource tracker", _resource_tracker_exit_code()))
        ended = [(name, code) for name, code in endings if code is not None]
        for name, code in ended:
            if code != 0:
                raise WorkerFailedError(f"{name} {_ending(code)}")
        if ended:
            # Lava's service ends in order when a worker announces an exception, maybe before that has been sent.
            self._await_exception()

    def _await_exception(self) -> None:
        deadline = time.monotonic() + EXCEPTION_SECONDS
        while time.monotonic() < deadline:
            self._raise_exception()
            time.sleep(POLL_SECONDS)
        raise WorkerFailedError("a Lava process ended without giving a reason")

    def _raise_exception(self) -> None:
        for worker in self._messaging_infrastructure.actors:
            if worker.exception is not None:
                raise WorkerFailedError(_shown(*worker.exception))

    def release(self) -> None:
        """End all processes and free their shared memory.

        Lava's own `stop` blocks if a process is stuck, and reading Vars after it crashes; the results are in
        files.
        """
        infrastructure = self._messaging_infrastructure
        if infrastructure is None or infrastructure.smm is None:
            return
        for worker in infrastructure.actors:
            worker.kill()
        for worker in infrastructure.actors:
            worker.join()
        self.join()  # ends the threads of our ends of the channels
        infrastructure.smm.shutdown()
        self._is_started = False
        self._is_running = False


class _WatchedProcesses(MultiProcessing):
    """Lava's operating system processes, all looked at before another one is started."""

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__()
        self._check = check

    def build_actor(self, *arguments: Any, **options: Any) -> Any:
        """Start one more."""
        self._check()
        return super().build_actor(*arguments, **options)

    def holder_exit_code(self) -> int | None:
        """Of the process that holds the shared memory; None while it lives."""
        process = self.smm._manager._process
        code: int | None = process.exitcode
        return code


def _beating(heartbeat: Heartbeat) -> type[LoihiPyRuntimeService]:
    """A runtime service that writes the heartbeat when a time step begins."""

    class BeatingService(LoihiPyRuntimeService):
        step = 0

        def _send_pm_cmd(self, phase: Any) -> None:
            if enum_equal(phase, LoihiPyRuntimeService.Phase.SPK):
                self.step += 1
                heartbeat.write(self.step)
            super()._send_pm_cmd(phase)

    return BeatingService


def _resource_tracker_exit_code() -> int | None:
    pid = resource_tracker._resource_tracker._pid  # type: ignore[attr-defined]
    if pid is None:
        return None
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def _ending(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    return f"was killed by {signal.Signals(-exit_code).name}"


def _shown(error: BaseException, trace: str) -> str:
    return f"{type(error).__name__}: {error}\n{last_call(trace)}"


def last_call(trace: str) -> str:
    """The last ``File "...", line ..., in ...`` of a formatted traceback, with the line of code."""
    lines = [line.strip() for line in trace.splitlines()]
    places = [index for index, line in enumerate(lines) if line.startswith('File "')]
    return "\n".join(lines[places[-1] : places[-1] + 2]) if places else ""
