"""The disposable child process in which Lava runs: ``python -m nmdeploy.lava.worker JOB_FOLDER MEMORY_PREFIX``."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from nmdeploy.lava.child import end_group, remove_job
from nmdeploy.lava.job import HEARTBEAT_FILE, RECORD_FOLDER, SAMPLES_FILE, Failure, Job


def main() -> None:
    """Run the job, leave its results in the folder, and end; Lava may hang at interpreter exit."""
    folder, shared_memory_prefix = Path(sys.argv[1]), sys.argv[2]
    ready = threading.Event()
    threading.Thread(target=_follow_parent, args=(ready, folder, shared_memory_prefix), daemon=True).start()
    failure = run_job(folder, shared_memory_prefix, ready)
    if failure is not None:
        failure.write(folder)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if failure is None else 1)


def run_job(folder: Path, shared_memory_prefix: str, ready: threading.Event) -> Failure | None:
    """Run the job in a folder as soon as it is ready; returns why it failed, if it did."""
    try:
        _run(folder, shared_memory_prefix, ready)
    except Exception as error:
        return _failure_of(error)
    return None


def _follow_parent(ready: threading.Event, folder: Path, shared_memory_prefix: str) -> None:
    """Wait for the parent's byte, and end our process group and clean up when the parent is gone.

    The parent holds the other end of our standard input.
    """
    while os.read(sys.stdin.fileno(), 1):
        ready.set()
    group = os.getpgid(0)
    if os.fork() == 0:  # who outlives the group, so that nobody is left to create files while they are removed
        os.setsid()
        end_group(group)
        remove_job(folder, shared_memory_prefix)
        os._exit(0)


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, ImportError):
        return Failure("missing", type(error).__name__, str(error))
    from nmdeploy.errors import NmdeployError
    from nmdeploy.lava.execution import describe
    from nmdeploy.lava.watched_runtime import WorkerFailedError

    if isinstance(error, NmdeployError):
        return Failure("user", type(error).__name__, str(error))
    message = str(error) if isinstance(error, WorkerFailedError) else describe(error)
    return Failure("worker", type(error).__name__, message)


def _run(folder: Path, shared_memory_prefix: str, ready: threading.Event) -> None:
    # Imported here so that a missing package becomes a failure with a reason.
    from functools import partial
    from multiprocessing import process, shared_memory

    import numpy as np

    from nmdeploy.artifact.artifact import read_placement
    from nmdeploy.artifact.network_file import read_network
    from nmdeploy.lava.batches import Batches, window_currents
    from nmdeploy.lava.emit_cores import emit_cores
    from nmdeploy.lava.emit_layers import emit_layers
    from nmdeploy.lava.execution import execute
    from nmdeploy.lava.heartbeat import Heartbeat
    from nmdeploy.lava.program import LavaProgram
    from nmdeploy.lava.recording import recordings_of
    from nmdeploy.lava.stock import build_stock

    ready.wait()
    job = Job.read(folder)
    shared_memory._SHM_NAME_PREFIX = shared_memory_prefix  # type: ignore[attr-defined]
    process.current_process()._config["semprefix"] = shared_memory_prefix  # type: ignore[attr-defined]
    network = read_network(Path(job.network_file))
    with np.load(folder / SAMPLES_FILE) as file:
        samples = file["x"]
    currents = window_currents(network, samples, Batches(len(samples), job.batch, job.windows))
    extent = (job.batch, job.windows, job.timesteps)
    recordings = recordings_of(network, folder / RECORD_FOLDER, extent, job.record_spike_trains)
    emit: Callable[..., LavaProgram] = build_stock if job.stock else emit_layers
    if job.placement_file is not None:
        emit = partial(emit_cores, placement=read_placement(Path(job.placement_file)))
    program = emit(
        network,
        currents,
        batch=job.batch,
        windows=job.windows,
        timesteps=job.timesteps,
        recordings=recordings,
    )
    execute(program.processes, program.steps_for(job.windows), Heartbeat(folder / HEARTBEAT_FILE))


if __name__ == "__main__":
    main()
