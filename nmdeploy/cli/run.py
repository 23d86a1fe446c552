"""`nmdeploy run`: samples through the compiled network, on the simulator or on Lava."""

from __future__ import annotations

import io
import time
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from hw_profiles.energy import energy_presets
from nmdeploy.accuracy_curve import CurvePoint, accuracy_curve, windows_are_prefixes
from nmdeploy.artifact.artifact import PLACEMENT_FILE, Artifact, read_artifact
from nmdeploy.cli.console import key_value_table, print_json, sample_progress, stdout_console, warn
from nmdeploy.cli.memory_size import memory_bytes
from nmdeploy.cli.run_tables import curve_table, early_exit_table
from nmdeploy.data_file import DataSet, read_data
from nmdeploy.decode import decode
from nmdeploy.energy.early_exit import EarlyExitSaving, early_exit_saving
from nmdeploy.errors import BackendError, DataFileError, NmdeployError
from nmdeploy.simulator import SimulationResult, simulate
from nmdeploy.spiking.evaluate import evaluate
from nmdeploy.write_file import write_whole

# Of the energies before and after early exit; `nmdeploy energy` has them all.
EARLY_EXIT_PRESET = "int32"


class Backend(str, Enum):
    """Where the network is run."""

    simulator = "simulator"
    lava = "lava"
    lava_stock = "lava-stock"


class Granularity(str, Enum):
    """What one Lava process holds."""

    layer = "layer"
    core = "core"


def run_command(
    artifact: Annotated[Path, typer.Argument(help="Folder written by compile.")],
    data: Annotated[Path, typer.Option(help=".npz with x, and y for the accuracy.")],
    backend: Annotated[
        Backend, typer.Option(help="simulator; lava: our Lava processes; lava-stock: Lava's own (needs --reset zero).")
    ] = Backend.simulator,
    granularity: Annotated[
        Granularity, typer.Option(help="Of --backend lava: a process for each layer, or one for each used core.")
    ] = Granularity.layer,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first samples.")] = None,
    timesteps: Annotated[int | None, typer.Option("--timesteps", "-T", min=1, help="Another window.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write potentials, predictions and spike counts to this .npz.")
    ] = None,
    lava_python: Annotated[
        str | None, typer.Option(help="Interpreter that has Lava; also NMDEPLOY_LAVA_PYTHON.")
    ] = None,
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds after which a Lava run is given up.")] = 3600.0,
    step_limit: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds after which one time step on Lava is given up.")
    ] = None,
    curve: Annotated[
        bool, typer.Option("--curve", help="Accuracy when read out after each step, from this one run.")
    ] = False,
    early_exit: Annotated[
        int | None,
        typer.Option(min=1, metavar="STEPS", help="What is saved by leaving at a proved decision; check every STEPS."),
    ] = None,
    memory: Annotated[
        str | None, typer.Option(help="What the simulator may take, as 4GiB; default: a quarter of what is free.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Run samples and report accuracy, agreement with the float network, spikes and saturations."""
    for option, value in (("--early-exit", early_exit), ("--memory", memory)):
        if value is not None and backend is not Backend.simulator:
            raise BackendError(f"{option} is for --backend simulator, not for {backend.value}")
    memory_limit = None if memory is None else memory_bytes(memory)
    if granularity is Granularity.core and backend is not Backend.lava:
        raise BackendError(f"--granularity core is for --backend lava, not for {backend.value}")
    compiled = read_artifact(artifact)
    dataset = read_data(data, limit)
    samples = compiled.manifest.preprocessing.apply(dataset.samples, compiled.network.input_shape)
    steps = timesteps if timesteps is not None else compiled.network.timesteps
    left_early = None if early_exit is None else _leave_early(compiled, samples, steps, early_exit, memory_limit)
    begin = time.perf_counter()
    with sample_progress(backend.value, len(samples)) as progress:
        if backend is Backend.simulator:
            result = simulate(compiled.network, samples, timesteps=steps, memory_bytes=memory_limit, progress=progress)
        else:
            from nmdeploy.lava.runner import run_on_lava  # not needed by the simulator

            result = run_on_lava(
                artifact / "network.h5",
                samples,
                timesteps=steps,
                stock=backend is Backend.lava_stock,
                placement_file=artifact / PLACEMENT_FILE if granularity is Granularity.core else None,
                time_limit_seconds=time_limit,
                step_limit_seconds=step_limit,
                lava_python=lava_python,
                progress=progress,
            )
    seconds = time.perf_counter() - begin
    float_predictions = evaluate(compiled.float_network, samples).argmax(axis=1)
    predictions = decode(compiled.network, result.potentials).argmax(axis=1)
    report = _report(compiled, dataset, result, predictions, float_predictions, steps)
    report = {"backend": backend.value, **report, "seconds": round(seconds, 3)}
    if result.saturations > 0:
        warn(
            f"{result.saturations:,} membrane potentials were cut off: the result is not the converted network's. "
            f"The network was compiled for {compiled.network.timesteps} steps; compile for the steps that you run."
        )
    if output is not None:
        _write_output(output, result, predictions)
    points = accuracy_curve(compiled.network, result.potentials, dataset.labels, float_predictions) if curve else None
    saving = None
    if left_early is not None and early_exit is not None:
        network, preset = compiled.network, energy_presets()[EARLY_EXIT_PRESET]
        saving = early_exit_saving(
            network,
            compiled.placement,
            compiled.profile,
            samples,
            result,
            left_early,
            early_exit,
            preset,
            compiled.program,
        )
    _print(report, points, saving, are_windows=windows_are_prefixes(compiled.network), as_json=as_json)


def _leave_early(
    compiled: Artifact, samples: NDArray[np.float32], steps: int, check_interval: int, memory_limit: int | None
) -> SimulationResult:
    """The run in which every sample leaves when its decision is proved."""
    if check_interval >= steps:
        raise NmdeployError(f"--early-exit {check_interval}: a window of {steps} steps has nothing to check then")
    with sample_progress("early exit", len(samples)) as progress:
        return simulate(
            compiled.network,
            samples,
            timesteps=steps,
            check_interval=check_interval,
            memory_bytes=memory_limit,
            progress=progress,
        )


def _print(
    report: dict[str, object],
    points: list[CurvePoint] | None,
    saving: EarlyExitSaving | None,
    *,
    are_windows: bool,
    as_json: bool,
) -> None:
    if as_json:
        if points is not None:
            report["curve"] = [asdict(point) for point in points]
            report["curve_of"] = "windows" if are_windows else "early read-out"
        if saving is not None:
            report["early_exit"] = saving.as_dict()
        print_json(report)
        return
    console = stdout_console()
    console.print(key_value_table("nmdeploy run", [(key, _shown(value)) for key, value in report.items()]))
    if points is not None:
        console.print(curve_table(points, are_windows=are_windows))
    if saving is not None:
        console.print(early_exit_table(saving))


def _report(
    compiled: Artifact,
    dataset: DataSet,
    result: SimulationResult,
    predictions: NDArray[np.int64],
    float_predictions: NDArray[np.int64],
    steps: int,
) -> dict[str, object]:
    count = len(predictions)
    correct = None if dataset.labels is None else int((predictions == dataset.labels).sum())
    float_correct = None if dataset.labels is None else int((float_predictions == dataset.labels).sum())
    spikes = sum(int(counts.sum()) for counts in result.spike_counts.values())
    return {
        "samples": count,
        "timesteps": steps,
        "latency_steps": steps + compiled.network.latency_steps - compiled.network.timesteps,
        "accuracy": None if correct is None else correct / count,
        "correct": correct,
        "float_accuracy": None if float_correct is None else float_correct / count,
        "agreement": float((predictions == float_predictions).mean()),
        "spikes_per_inference": spikes / count,
        "saturations": None if result.saturations < 0 else result.saturations,  # Lava's own neurons do not tell
    }


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4f}" if abs(value) < 10 else f"{value:,.1f}"
    return "unknown" if value is None else str(value)


def _write_output(path: Path, result: SimulationResult, predictions: NDArray[np.int64]) -> None:
    arrays = {f"spike_counts/{name}": counts for name, counts in result.spike_counts.items()}
    contents = io.BytesIO()
    np.savez_compressed(contents, potentials=result.potentials, predictions=predictions, **arrays)
    try:
        write_whole(path, contents.getvalue())
    except OSError as error:
        raise DataFileError(f"{path}: cannot be written: {error}") from error
