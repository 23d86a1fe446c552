"""Run connected Lava processes to the end, and notice at once when one of them fails.

Lava itself waits for ever when one of its workers raises or dies while a neighbour waits for it. Here the run
is started without blocking, and the workers are watched.
"""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Sequence
from typing import Any

from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.magma.runtime.mgmt_token_enums import MGMT_RESPONSE, enum_equal

POLL_SECONDS = 0.01
ERROR_GRACE_SECONDS = 5.0
CHANNEL_SLOTS = 1  # all processes step together, so no message waits; Lava's 64 slots fill /dev/shm


class WorkerFailedError(Exception):
    """A Lava worker raised or died; the message shows its own exception."""


def execute(processes: Sequence[Any], steps: int) -> None:
    """Run processes for some steps, then end their workers.

    Parameters
    ----------
    processes : sequence of Lava processes
        They may form several networks that are not connected; these run one after another.
    steps : int

    Raises
    ------
    WorkerFailedError
        A worker raised or died.
    """
    for process in processes:
        if process.runtime is None:
            _execute_connected(process, steps)


def _execute_connected(process: Any, steps: int) -> None:
    process.create_runtime(
        run_cfg=Loihi2SimCfg(select_tag="fixed_pt"), compile_config={"pypy_channel_size": CHANNEL_SLOTS}
    )
    runtime = process.runtime
    try:
        runtime.start(RunSteps(num_steps=steps, blocking=False))
        _wait(runtime)
    finally:
        _release(runtime)


def _wait(runtime: Any) -> None:
    infrastructure = runtime._messaging_infrastructure
    ports = list(runtime.service_to_runtime)
    while ports:
        for port in [port for port in ports if port.probe()]:
            ports.remove(port)
            if not enum_equal(port.recv(), MGMT_RESPONSE.DONE):
                _raise_failure(infrastructure.actors)
        _raise_if_failed(infrastructure.actors)
        time.sleep(POLL_SECONDS)


def _raise_failure(workers: Sequence[Any]) -> None:
    """Wait for the exception of a worker that has announced one."""
    deadline = time.monotonic() + ERROR_GRACE_SECONDS
    while time.monotonic() < deadline:
        _raise_exception(workers)
        time.sleep(POLL_SECONDS)
    raise WorkerFailedError("a Lava worker failed without giving a reason")


def _raise_if_failed(workers: Sequence[Any]) -> None:
    # A worker sends its exception before it ends, so who has ended is asked first.
    ended = [worker for worker in workers if not worker.is_alive()]
    _raise_exception(workers)
    for worker in ended:
        if worker.exitcode != 0:
            raise WorkerFailedError(f"a Lava worker process {_ending(worker.exitcode)}")
    if ended:
        # Lava's service ends in order when a worker announces an exception, maybe before that has been sent.
        _raise_failure(workers)


def _raise_exception(workers: Sequence[Any]) -> None:
    for worker in workers:
        if worker.exception is not None:
            error, trace = worker.exception
            raise WorkerFailedError(f"{type(error).__name__}: {error}\n{last_call(trace)}")


def _ending(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    return f"was killed by {signal.Signals(-exit_code).name}"


def last_call(trace: str) -> str:
    """The last ``File "...", line ..., in ...`` of a formatted traceback, with the line of code."""
    lines = [line.strip() for line in trace.splitlines()]
    places = [index for index, line in enumerate(lines) if line.startswith('File "')]
    return "\n".join(lines[places[-1] : places[-1] + 2]) if places else ""


def describe(error: BaseException) -> str:
    """Type, message and last call of an exception."""
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return f"{type(error).__name__}: {error}\n{last_call(trace)}"


def _release(runtime: Any) -> None:
    """End all workers and free their shared memory.

    Lava's own `stop` blocks if a worker is stuck, and reading Vars after it crashes; the results are in
    files.
    """
    infrastructure = runtime._messaging_infrastructure
    for worker in infrastructure.actors:
        worker.kill()
    for worker in infrastructure.actors:
        worker.join()
    runtime.join()  # ends the threads of our ends of the channels
    infrastructure.smm.shutdown()
    runtime._is_started = False
    runtime._is_running = False
