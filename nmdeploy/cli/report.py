"""`nmdeploy report`: one offline page about an artifact."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hw_profiles.energy import load_preset
from nmdeploy.analysis.document import read_document
from nmdeploy.analysis.energy_document import read_windows
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.cli.preset_option import PresetOption
from nmdeploy.errors import NmdeployError
from nmdeploy.write_file import write_whole


def report_command(
    artifact: Annotated[Path, typer.Argument(help="Folder written by compile.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="HTML file to write.")] = Path("report.html"),
    preset: PresetOption = "int32",
    analysis: Annotated[
        Path | None, typer.Option(help="What nmdeploy analyze --json printed of this artifact, to be included.")
    ] = None,
    energy: Annotated[
        Path | None,
        typer.Option(help="What nmdeploy energy --windows ... --format json printed of this artifact, to be included."),
    ] = None,
) -> None:
    """Write a self-contained HTML page: layers, energy, cores, links, audit, provenance."""
    from nmdeploy.report.page import render_page  # jinja2 is needed by few commands

    chosen = load_preset(preset)
    compiled = read_artifact(artifact)
    digest = compiled.manifest.files["network.h5"]
    analyzed = None if analysis is None else read_document(analysis, digest)
    windows = None if energy is None else read_windows(energy, digest)
    page = render_page(compiled, artifact.resolve().stem, chosen, analysis=analyzed, windows=windows).encode()
    try:
        write_whole(output, page)
    except OSError as error:
        raise NmdeployError(f"{output}: cannot be written: {error}") from error
    print(f"{output}: {len(page) / 1000:,.0f} kB")
