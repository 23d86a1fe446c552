"""Run connected Lava processes to the end, and notice at once when one of them fails."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from typing import Any

from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg

from nmdeploy.lava.heartbeat import Heartbeat
from nmdeploy.lava.watched_runtime import WatchedRuntime, WorkerFailedError, last_call

CAUSE_SECONDS = 1.0  # within which a process that broke a connection is seen to have ended
CHANNEL_SLOTS = 1  # all processes step together, so no message waits; Lava's 64 slots fill /dev/shm


def execute(processes: Sequence[Any], steps: int, heartbeat: Heartbeat | None = None) -> None:
    """Run processes for some steps, then end their workers.

    Parameters
    ----------
    processes : sequence of Lava processes
        They may form several networks that are not connected; these run one after another.
    steps : int
    heartbeat : Heartbeat, optional
        Tells others how far the run is.

    Raises
    ------
    WorkerFailedError
        A worker raised or died.
    """
    for process in processes:
        if process.runtime is None:
            _execute_connected(process, steps, heartbeat)


def _execute_connected(process: Any, steps: int, heartbeat: Heartbeat | None) -> None:
    executable = process.compile(
        Loihi2SimCfg(select_tag="fixed_pt"), compile_config={"pypy_channel_size": CHANNEL_SLOTS}
    )
    runtime = WatchedRuntime(executable, heartbeat)
    executable.assign_runtime_to_all_processes(runtime)
    try:
        runtime.initialize()
        if heartbeat is not None:
            heartbeat.begin()
        runtime.start(RunSteps(num_steps=steps, blocking=False))
        runtime.wait()
    except WorkerFailedError:
        raise
    except Exception:
        _raise_cause(runtime)
        raise
    finally:
        if heartbeat is not None:
            heartbeat.end()
        runtime.release()


def _raise_cause(runtime: WatchedRuntime) -> None:
    """Raise what made Lava trip, if a dead process did."""
    deadline = time.monotonic() + CAUSE_SECONDS
    while time.monotonic() < deadline:
        runtime.check()
        time.sleep(0.05)


def describe(error: BaseException) -> str:
    """Type, message and last call of an exception."""
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return f"{type(error).__name__}: {error}\n{last_call(trace)}"
