"""`nmdeploy energy`: operations and energy per layer, core, chip and projection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from hw_profiles.energy import EnergyPreset, load_preset, presets_for
from nmdeploy.analysis.energy_curve import EnergyPoint, energy_curve
from nmdeploy.analysis.windows import Expected
from nmdeploy.artifact.artifact import Artifact, read_artifact
from nmdeploy.cli.console import print_json, sample_progress, stdout_console
from nmdeploy.cli.energy_options import Counting, EnergyFormat, Grouping, InputConvention, read_windows
from nmdeploy.cli.energy_paper import Paper, print_paper, refuse_beside_paper
from nmdeploy.cli.energy_result import EnergyResult, as_csv, to_document
from nmdeploy.cli.energy_tables import all_tables
from nmdeploy.cli.memory_size import memory_bytes
from nmdeploy.cli.preset_option import PresetOption
from nmdeploy.data_file import read_data
from nmdeploy.energy.comparison import compare_formats
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.counts import OperationCounts
from nmdeploy.energy.report import EnergyReport
from nmdeploy.errors import NmdeployError
from nmdeploy.simulator import simulate
from nmdeploy.spiking.evaluate import evaluate


def energy_command(
    context: typer.Context,
    artifact: Annotated[Path | None, typer.Argument(help="Folder written by compile.")] = None,
    data: Annotated[
        Path | None, typer.Option(help=".npz with x; default: the counts of the calibration samples.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first samples of --data.")] = None,
    preset: PresetOption = "int32",
    counting: Annotated[Counting, typer.Option(help="effective leaves weights of zero out.")] = Counting.dense,
    input_convention: Annotated[
        InputConvention,
        typer.Option("--input", help="cached: multiplied once, added every step; every-step: as papers count."),
    ] = InputConvention.cached,
    grouping: Annotated[Grouping, typer.Option("--by", help="Rows of the table.")] = Grouping.layer,
    top: Annotated[int | None, typer.Option(min=1, help="Only the rows with most energy.")] = None,
    windows: Annotated[
        str | None,
        typer.Option(help="With --data: also energy, accuracy and latency of windows of so many steps, as 8,16,32."),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(help="What the simulation of --data may take, as 4GiB; default: a quarter of what is free."),
    ] = None,
    output_format: Annotated[
        EnergyFormat, typer.Option("--format", help="table, json, csv or md.")
    ] = EnergyFormat.table,
    paper: Annotated[
        Paper | None, typer.Option(help="Instead of an artifact: a paper's comparison, each assumption on its line.")
    ] = None,
) -> None:
    """Estimate the energy of one inference from exact operation counts."""
    if paper is not None:
        refuse_beside_paper(context)
        print_paper(paper, output_format.value)
        return
    if artifact is None:
        raise NmdeployError("energy needs the folder of an artifact, or --paper NAME")
    chosen = load_preset(preset)
    for option, given in (("--memory", memory), ("--windows", windows), ("--limit", limit)):
        if given is not None and data is None:
            raise NmdeployError(f"{option} is for the simulation of --data, which is not given")
    memory_limit = None if memory is None else memory_bytes(memory)
    compiled = read_artifact(artifact)
    steps = [] if windows is None else read_windows(windows, compiled.network.timesteps)
    counts, points = compiled.counts, list[EnergyPoint]()
    if data is not None:
        dataset = read_data(data, limit)
        samples = compiled.manifest.preprocessing.apply(dataset.samples, compiled.network.input_shape)
        counts = _count(compiled, samples, memory_limit)
        if steps:
            expected = Expected(samples, evaluate(compiled.float_network, samples), dataset.labels)
            points = _curve(compiled, expected, steps, chosen, counting, input_convention, memory_limit)
    report = EnergyReport(counts, chosen, counting.value, input_convention.value)
    result = EnergyResult(
        report=report,
        comparisons=compare_formats(counts, counting.value, input_convention.value),
        by_preset=tuple(
            EnergyReport(counts, one, counting.value, input_convention.value)
            for one in presets_for(compiled.profile.name)
        ),
        windows=tuple(points),
        source="calibration samples" if data is None else data.name,
        target=compiled.profile.name,
        network_sha256=compiled.manifest.files["network.h5"],
    )
    _print(result, grouping, top, output_format)


def _print(result: EnergyResult, grouping: Grouping, top: int | None, output_format: EnergyFormat) -> None:
    if output_format is EnergyFormat.csv:
        print(as_csv(result.report, grouping, top), end="")
        return
    if output_format is EnergyFormat.json:
        print_json(to_document(result, grouping, top))
        return
    tables = all_tables(result, grouping, top)
    if output_format is EnergyFormat.md:
        print("\n".join(table.as_markdown() for table in tables), end="")
        return
    console = stdout_console()
    for table in tables:
        console.print(table.for_terminal())
        for remark in table.remarks:
            console.print(remark, highlight=False, markup=False)


def _count(compiled: Artifact, samples: NDArray[np.float32], memory_limit: int | None) -> OperationCounts:
    with sample_progress("simulator", len(samples)) as progress:
        result = simulate(compiled.network, samples, memory_bytes=memory_limit, progress=progress)
    return count_operations(
        compiled.network,
        compiled.placement,
        compiled.profile,
        samples,
        result.spike_counts,
        float_layers=compiled.counts.float_layers,
        program=compiled.program,
    )


def _curve(
    compiled: Artifact,
    expected: Expected,
    windows: list[int],
    preset: EnergyPreset,
    counting: Counting,
    convention: InputConvention,
    memory_limit: int | None,
) -> list[EnergyPoint]:
    with sample_progress("windows", len(expected.samples) * len(windows)) as progress:
        return energy_curve(
            compiled.network,
            compiled.placement,
            compiled.profile,
            expected,
            windows,
            preset,
            counting=counting.value,
            input_convention=convention.value,
            memory_bytes=memory_limit,
            progress=progress,
            program=compiled.program,
        )
