"""`nmdeploy energy`: operations and energy per layer and per core."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hw_profiles.energy import energy_presets
from nmdeploy.artifact.artifact import Artifact, read_artifact
from nmdeploy.cli.console import print_json, sample_progress, stdout_console
from nmdeploy.cli.energy_paper import Paper, print_paper, refuse_beside_paper
from nmdeploy.cli.memory_size import memory_bytes
from nmdeploy.data_file import read_data
from nmdeploy.energy.counts import OperationCounts, count_operations
from nmdeploy.energy.report import NOTE, EnergyReport, EnergyRow, energy_report
from nmdeploy.errors import NmdeployError
from nmdeploy.simulator import simulate


class EnergyFormat(str, Enum):
    """How the report is printed."""

    table = "table"
    json = "json"
    md = "md"


class Counting(str, Enum):
    """Whether synapses of weight zero count."""

    dense = "dense"
    effective = "effective"


class InputConvention(str, Enum):
    """How often the input is multiplied."""

    cached = "cached"
    every_step = "every-step"


class Grouping(str, Enum):
    """Rows of the table."""

    layer = "layer"
    core = "core"


def energy_command(
    context: typer.Context,
    artifact: Annotated[Path | None, typer.Argument(help="Folder written by compile.")] = None,
    data: Annotated[
        Path | None, typer.Option(help=".npz with x; default: the counts of the calibration samples.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first samples of --data.")] = None,
    preset: Annotated[str, typer.Option(help=f"One of: {', '.join(energy_presets())}.")] = "int32",
    counting: Annotated[Counting, typer.Option(help="effective leaves weights of zero out.")] = Counting.dense,
    input_convention: Annotated[
        InputConvention,
        typer.Option("--input", help="cached: multiplied once, added every step; every-step: as papers count."),
    ] = InputConvention.cached,
    grouping: Annotated[Grouping, typer.Option("--by", help="Rows of the table.")] = Grouping.layer,
    memory: Annotated[
        str | None,
        typer.Option(help="What the simulation of --data may take, as 4GiB; default: a quarter of what is free."),
    ] = None,
    output_format: Annotated[
        EnergyFormat, typer.Option("--format", help="table or json; md for --paper.")
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
    if artifact is None or output_format is EnergyFormat.md:
        raise NmdeployError("energy needs the folder of an artifact and --format table or json, or --paper NAME")
    presets = energy_presets()
    if preset not in presets:
        raise NmdeployError(f"unknown preset '{preset}'. Known presets: {', '.join(presets)}")
    if memory is not None and data is None:
        raise NmdeployError("--memory is for the simulation of --data, which is not given")
    memory_limit = None if memory is None else memory_bytes(memory)
    compiled = read_artifact(artifact)
    counts = compiled.counts if data is None else _count(compiled, data, limit, memory_limit)
    report = energy_report(counts, presets[preset], counting.value, input_convention.value)
    if output_format is EnergyFormat.json:
        print_json(report.as_dict())
        return
    source = "calibration samples" if data is None else str(data)
    console = stdout_console()
    console.print(_table(report, grouping, source))
    trained = report.float_network
    console.print(f"trained network, same preset: {trained.mac:,.0f} MAC, {trained.energy_pj:,.0f} pJ")
    console.print(_ratio(report))
    console.print(f"preset {report.preset.name}: {report.preset.source} ({report.preset.status}; {report.preset.node})")
    console.print(NOTE)


def _count(compiled: Artifact, data: Path, limit: int | None, memory_limit: int | None) -> OperationCounts:
    dataset = read_data(data, limit)
    samples = compiled.manifest.preprocessing.apply(dataset.samples, compiled.network.input_shape)
    with sample_progress("simulator", len(samples)) as progress:
        result = simulate(compiled.network, samples, memory_bytes=memory_limit, progress=progress)
    return count_operations(
        compiled.network,
        compiled.placement,
        samples,
        result.spike_counts,
        compiled.network.timesteps,
        compiled.counts.float_macs,
    )


def _table(report: EnergyReport, grouping: Grouping, source: str) -> Table:
    table = Table(
        title=(
            f"Energy per inference, ESTIMATE, preset {report.preset.name} (AC {report.preset.ac_pj} pJ, "
            f"MAC {report.preset.mac_pj} pJ)\nT = {report.timesteps}, mean over {report.samples} samples of {source}; "
            f"{report.counting} synapses, input {report.input_convention}"
        ),
        title_justify="left",
    )
    table.add_column(grouping.value)
    for heading in ("AC", "MAC", "pJ", "share"):
        table.add_column(heading, justify="right")
    rows = report.layers if grouping is Grouping.layer else report.cores
    for row in rows:
        table.add_row(*_cells(row, report.total))
    table.add_section()
    table.add_row(*_cells(report.total, report.total), style="bold")
    return table


def _cells(row: EnergyRow, total: EnergyRow) -> tuple[str, ...]:
    share = row.energy_pj / total.energy_pj if total.energy_pj else 0.0
    return row.name, f"{row.ac:,.1f}", f"{row.mac:,.1f}", f"{row.energy_pj:,.1f}", f"{share:.1%}"


def _ratio(report: EnergyReport) -> str:
    if not report.total.energy_pj:
        return "the spiking network does no operation"
    ratio = report.float_network.energy_pj / report.total.energy_pj
    return (
        f"the trained network takes {ratio:.3g} times the energy of the spiking one"
        if ratio >= 1
        else f"the spiking network takes {1 / ratio:.3g} times the energy of the trained one"
    ) + f" (arithmetic only, T = {report.timesteps} included)"
