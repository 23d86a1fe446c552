"""`nmdeploy analyze`: where a compiled network loses accuracy."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from nmdeploy.analysis.analyze import Analysis, AnalysisOptions, analyze
from nmdeploy.analysis.document import to_document
from nmdeploy.analysis.scores import decides
from nmdeploy.artifact.artifact import Artifact, read_artifact
from nmdeploy.cli.analysis_tables import layer_table, summary_table, window_table
from nmdeploy.cli.console import print_json, sample_progress, stdout_console, warn
from nmdeploy.cli.memory_size import memory_bytes
from nmdeploy.data_file import read_data
from nmdeploy.errors import NmdeployError
from nmdeploy.write_file import write_whole


class Windows(str, Enum):
    """Which windows the curve has."""

    every = "every"
    landmarks = "landmarks"


def analyze_command(
    artifact: Annotated[Path, typer.Argument(help="Folder written by compile.")],
    data: Annotated[Path, typer.Option(help=".npz with x, and y for the accuracy.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first samples.")] = None,
    timesteps: Annotated[int | None, typer.Option("--timesteps", "-T", min=1, help="Another window.")] = None,
    windows: Annotated[
        Windows, typer.Option(help="Of the curve: every number of steps, or 1, 2, 3, 4, 6, 8, 12, 16, 24, 32 ...")
    ] = Windows.every,
    sample_neurons: Annotated[int, typer.Option(min=0, help="Neurons whose spikes are shown.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of these neurons.")] = 0,
    memory: Annotated[
        str | None,
        typer.Option(help="What the simulation of the windows may take, as 4GiB; default: a quarter of what is free."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write an offline HTML page with all figures.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the analysis as JSON.")] = False,
) -> None:
    """Show accuracy over time steps, what each layer loses, firing rates, channels and spikes."""
    memory_limit = None if memory is None else memory_bytes(memory)
    compiled = read_artifact(artifact)
    dataset = read_data(data, limit)
    samples = compiled.manifest.preprocessing.apply(dataset.samples, compiled.network.input_shape)
    if output is not None and not output.absolute().parent.is_dir():
        # said before minutes of work are lost
        raise NmdeployError(f"{output}: cannot be written: its folder does not exist")
    if dataset.labels is not None and not decides(compiled.network):
        warn("the labels are not used: the outputs are maps or several, which decide nothing")
    steps = timesteps if timesteps is not None else compiled.network.timesteps
    analysis = analyze(
        compiled.network,
        compiled.float_network,
        samples,
        dataset.labels,
        AnalysisOptions(steps, windows.value, sample_neurons, seed, memory_limit),
        sample_progress,
    )
    if analysis.saturations > 0:
        warn(
            f"{analysis.saturations:,} membrane potentials were cut off: the result is not the converted network's. "
            f"The network was compiled for {compiled.network.timesteps} steps; compile for the steps that you analyze."
        )
    if output is not None:
        _write_page(output, analysis, compiled, artifact.resolve().stem, data.name)
    if as_json:
        print_json(to_document(analysis, compiled.manifest.files["network.h5"]))
        return
    console = stdout_console()
    console.print(summary_table(analysis))
    console.print(window_table(analysis))
    console.print(layer_table(analysis))
    if output is not None:
        print(f"{output}: {output.stat().st_size / 1000:,.0f} kB")


def _write_page(output: Path, analysis: Analysis, compiled: Artifact, title: str, data_name: str) -> None:
    from nmdeploy.report.analysis_page import render_analysis_page  # jinja2 and matplotlib are slow to import

    page = render_analysis_page(analysis, compiled, title, data_name)
    try:
        write_whole(output, page.encode())
    except OSError as error:
        raise NmdeployError(f"{output}: cannot be written: {error}") from error
