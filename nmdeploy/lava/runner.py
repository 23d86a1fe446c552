"""Run a network file on Lava, from any Python: Lava itself lives in a child process."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nmdeploy.errors
from mapping.network import ChipNetwork
from nmdeploy.artifact.artifact import read_placement
from nmdeploy.artifact.network_file import read_network
from nmdeploy.errors import BackendError, NmdeployError
from nmdeploy.lava.batches import Batches, default_batch
from nmdeploy.lava.child import TimeLimitExceededError, job_folder, last_output_line, run_child
from nmdeploy.lava.heartbeat import Heartbeat
from nmdeploy.lava.job import HEARTBEAT_FILE, RECORD_FOLDER, SAMPLES_FILE, Failure, Job
from nmdeploy.lava.liveness import Liveness
from nmdeploy.lava.recording import Recording, recordings_of
from nmdeploy.simulator import SimulationResult, simulate
from nmdeploy.simulator.window import count_type

PYTHON_VARIABLE = "NMDEPLOY_LAVA_PYTHON"
SATURATIONS_UNKNOWN = -1
STEP_SECONDS = 4.0  # what any step may take
OPERATIONS_PER_SECOND = 1e7
STOCK_OPERATIONS_PER_SECOND = 2e6
INSTALL = (
    'Install Lava into a Python 3.10 with: pip install "nmdeploy[lava]", and name that Python with '
    f"--lava-python PATH or in {PYTHON_VARIABLE}. Or use --backend simulator, which computes the same spikes."
)


def run_on_lava(
    network_file: Path,
    samples: NDArray[np.float32],
    *,
    timesteps: int | None = None,
    batch: int | None = None,
    record_spike_trains: bool = False,
    stock: bool = False,
    placement_file: Path | None = None,
    time_limit_seconds: float = 3600.0,
    step_limit_seconds: float | None = None,
    lava_python: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> SimulationResult:
    """Run samples through a network on Lava; the results equal those of `nmdeploy.simulator.simulate`.

    Parameters
    ----------
    network_file : Path
        As written by `nmdeploy.artifact.network_file.write_network`.
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    timesteps : int, optional
        Length of the window instead of the network's own.
    batch : int, optional
        Samples side by side; chosen by the free shared memory if not given. Stock processes take one.
    record_spike_trains : bool
        Keep every spike; needs memory for samples x timesteps x neurons bytes.
    stock : bool
        Use the processes that Lava brings along; their saturations are not known, and `SATURATIONS_UNKNOWN`
        is given.
    placement_file : Path, optional
        The placement of the network, as in an artifact: one process runs for each of its cores, and not one for
        each population and each projection. Not for stock processes.
    time_limit_seconds : float
        For the whole run.
    step_limit_seconds : float, optional
        For one time step; if not given, ten times and more what a step of this network may take.
    lava_python : str, optional
        Interpreter that has Lava; else the environment variable NMDEPLOY_LAVA_PYTHON, else this interpreter.
    progress : callable, optional
        Called with the number of samples just finished.

    Raises
    ------
    BackendError
        Lava is missing, a process of the run raised, died or hangs, the run took too long, or the network is not
        for Lava's processes.
    DataFileError
        An input current does not fit the chip's bias field.
    ArtifactError
        The network file or the placement file cannot be read.
    """
    network = read_network(network_file)
    placement = None if placement_file is None else read_placement(placement_file)
    if not len(samples):
        return simulate(network, samples, timesteps=timesteps, record_spike_trains=record_spike_trains)
    steps = network.timesteps if timesteps is None else timesteps
    batches = Batches.of(len(samples), 1 if stock else batch or default_batch(network, placement))
    prefix = f"/n{secrets.token_hex(3)}_"
    job = Job(
        network_file=str(network_file.resolve()),
        placement_file=None if placement_file is None else str(placement_file.resolve()),
        timesteps=steps,
        batch=batches.batch,
        windows=batches.windows,
        record_spike_trains=record_spike_trains,
        stock=stock,
    )
    python = lava_python or os.environ.get(PYTHON_VARIABLE) or sys.executable
    with job_folder(prefix) as folder:
        command = [python, "-m", "nmdeploy.lava.worker", str(folder), prefix]
        extent = (batches.batch, batches.windows, steps)
        recordings = recordings_of(network, folder / RECORD_FOLDER, extent, record_spike_trains)
        if step_limit_seconds is None:
            step_limit_seconds = default_step_limit(network, batches.batch, stock)
        liveness = Liveness(Heartbeat(folder / HEARTBEAT_FILE), step_limit_seconds)
        report = None if progress is None else _Progress(network, recordings, batches, progress)

        def prepare() -> None:
            job.write(folder)
            np.savez(folder / SAMPLES_FILE, x=samples)
            (folder / RECORD_FOLDER).mkdir()

        def watch(pid: int) -> None:
            liveness.check(pid)
            if report is not None:
                report()

        _run_worker(command, folder, time_limit_seconds, prepare, watch)
        if report is not None:
            report()
        _require_complete(recordings)
        return _result(network, recordings, len(samples), stock)


def default_step_limit(network: ChipNetwork, batch: int, stock: bool) -> float:
    """Seconds after which a time step hangs: the slowest processes on a busy machine stay far below."""
    operations = sum(projection.connectivity.synapse_count for projection in network.projections) + sum(
        population.neuron_count for population in network.populations
    )
    slowest = STOCK_OPERATIONS_PER_SECOND if stock else OPERATIONS_PER_SECOND
    return STEP_SECONDS + batch * operations / slowest


def _require_complete(recordings: dict[str, Recording]) -> None:
    unfinished = [name for name, found in recordings.items() if found.windows_finished < found.windows]
    if unfinished:
        raise BackendError(f"the Lava run ended without all results of {', '.join(unfinished)}")


def _run_worker(
    command: list[str],
    folder: Path,
    time_limit_seconds: float,
    prepare: Callable[[], None],
    watch: Callable[[int], None],
) -> None:
    python = command[0]
    try:
        exit_code = run_child(command, folder, time_limit_seconds, prepare, watch)
    except OSError as error:
        if error.filename != python:
            raise BackendError(f"the Lava run failed: {folder} cannot be written: {error}") from error
        raise BackendError(f"{python} cannot be started: {error.strerror}. {INSTALL}") from error
    except TimeLimitExceededError as error:
        raise BackendError(
            f"Lava: {error}. Run fewer samples (--limit) or time steps, or allow more time."
        ) from error
    failure = Failure.read(folder)
    if failure is not None:
        raise _error_of(failure, python)
    if exit_code != 0:
        raise _unexplained(exit_code, last_output_line(folder), python)


def _error_of(failure: Failure, python: str) -> NmdeployError:
    if failure.kind == "missing":
        return BackendError(f"{python} cannot run Lava: {failure.message}. {INSTALL}")
    if failure.kind == "user":
        error_class = getattr(nmdeploy.errors, failure.error_type, BackendError)
        error: NmdeployError = error_class(failure.message)
        return error
    return BackendError(f"the Lava run failed: {failure.message}{_remedy(failure.message)}")


def _remedy(message: str) -> str:
    killed = "killed by SIGKILL" in message
    return ". The machine may have run out of memory; try fewer samples (--limit)." if killed else ""


def _unexplained(exit_code: int, output: str, python: str) -> BackendError:
    if "No module named" in output:
        return BackendError(f"{python} cannot run Lava: {output}. {INSTALL}")
    if exit_code < 0:
        message = f"the Lava run failed: its main process was killed by {signal.Signals(-exit_code).name}"
        return BackendError(message + _remedy(message))
    return BackendError(f"the Lava run failed: its main process ended with exit code {exit_code}. {output}".rstrip())


def _result(
    network: ChipNetwork, recordings: dict[str, Recording], samples: int, stock: bool
) -> SimulationResult:
    potentials = [recordings[population.name].read("potentials")[:samples] for population in network.outputs]
    steps = next(iter(recordings.values())).timesteps
    saturations = sum(int(recording.read("saturations")[:samples].sum()) for recording in recordings.values())
    recorded = any(recording.spike_trains for recording in recordings.values())
    return SimulationResult(
        potentials=np.concatenate(potentials, axis=2, dtype=np.int64)
        if potentials
        else np.zeros((samples, steps, 0), np.int64),
        spike_counts={
            name: np.array(recording.read("counts")[:samples], dtype=count_type(steps))
            for name, recording in recordings.items()
        },
        spike_trains={
            name: np.array(recording.read("trains")[:samples], dtype=np.int8)
            for name, recording in recordings.items()
        }
        if recorded
        else {},
        saturations=SATURATIONS_UNKNOWN if stock else saturations,
        steps=np.full(samples, steps, dtype=np.int64),
    )


@dataclass
class _Progress:
    """Reports the samples that the population that ends last has finished."""

    network: ChipNetwork
    recordings: dict[str, Recording]
    batches: Batches
    report: Callable[[int], None]
    reported: int = 0

    def __call__(self) -> None:
        last = max(self.network.populations, key=lambda population: population.firing_start_step)
        try:
            windows = self.recordings[last.name].windows_finished
        except FileNotFoundError:
            return  # not created yet
        finished = min(windows * self.batches.batch, self.batches.samples)
        if finished > self.reported:
            self.report(finished - self.reported)
            self.reported = finished
