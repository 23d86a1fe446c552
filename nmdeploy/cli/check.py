"""`nmdeploy check`: is the placement legal, and within its budgets? For people and for CI."""

from __future__ import annotations

import importlib
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from hw_profiles.energy import load_preset
from nmdeploy.check.baseline import read_tolerance
from nmdeploy.check.budget import read_budgets
from nmdeploy.check.explain import explain
from nmdeploy.check.formats.text import summary_line
from nmdeploy.check.measures import MEANINGS
from nmdeploy.check.outcome import Outcome
from nmdeploy.check.run import Gate, check
from nmdeploy.cli.console import pass_progress
from nmdeploy.cli.preset_option import PresetOption
from nmdeploy.errors import NmdeployError
from nmdeploy.write_file import write_whole


class CheckFormat(str, Enum):
    """How the outcome is printed."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"
    junit = "junit"
    markdown = "markdown"


FORMAT_NAMES = ", ".join(CheckFormat.__members__)
ONE_DOCUMENT = [CheckFormat.json.value, CheckFormat.sarif.value, CheckFormat.junit.value]
"""Formats whose output is one document, so that those of several artifacts cannot follow each other."""
PLAIN_MEASURES = ", ".join(name for name in MEANINGS if "." not in name)


def check_command(
    artifacts: Annotated[
        list[Path] | None, typer.Argument(metavar="ARTIFACT", help="Folder written by compile, or a file of it.")
    ] = None,
    output_format: Annotated[
        CheckFormat, typer.Option("--format", help=f"What is printed: {FORMAT_NAMES}.")
    ] = CheckFormat.text,
    output: Annotated[
        list[str] | None,
        typer.Option("-o", "--output", help="FILE: write there, not to stdout. FORMAT=FILE: in another format, too."),
    ] = None,
    budget: Annotated[
        list[str] | None,
        typer.Option(help=f"Most it may cost, as cores=120, or a .toml file. Measures: {PLAIN_MEASURES}."),
    ] = None,
    baseline: Annotated[Path | None, typer.Option(help="Earlier artifact than which nothing may be worse.")] = None,
    tolerance: Annotated[
        list[str] | None,
        typer.Option(help="How much worse than --baseline is accepted, as 5%, or hops=10% for one measure."),
    ] = None,
    preset: PresetOption = "int32",
    explained: Annotated[
        str | None, typer.Option("--explain", metavar="RULE", help="Say what a rule checks, as NMD204, and end.")
    ] = None,
) -> None:
    """Recount every limit with code that did not make the placement; exit 1 if one is broken or a budget missed."""
    if explained is not None:
        print(explain(explained))
        return
    if not artifacts:
        raise NmdeployError("check needs the folder of an artifact, as in nmdeploy check model.nmd")
    if tolerance and baseline is None:
        raise NmdeployError("--tolerance is for the comparison with --baseline, which is not given")
    chosen = load_preset(preset)
    folders = artifact_folders(artifacts)
    files = output_files(output or [], output_format)
    if len(folders) > 1 and (baseline is not None or files or output_format in ONE_DOCUMENT):
        for_one = ", ".join(ONE_DOCUMENT)
        raise NmdeployError(f"{len(folders)} artifacts: --baseline, --output and --format {for_one} are for one")
    gate = Gate(chosen, read_budgets(budget or []), baseline, read_tolerance(tolerance or []))
    outcomes = [reported(folder, gate, output_format, files) for folder in folders]
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(1)


def reported(folder: Path, gate: Gate, printed: CheckFormat, files: dict[Path, CheckFormat]) -> Outcome:
    """Check one artifact, print the outcome, and write it to files."""
    with pass_progress() as show:
        outcome = check(folder, gate, show)
    for path, of_file in files.items():
        try:
            write_whole(path, rendered(outcome, of_file).encode())
        except (OSError, ValueError) as error:  # ValueError: a path without a name, as ".." or "/"
            raise NmdeployError(f"{path}: cannot be written: {error}") from error
    if printed in files.values():
        print(summary_line(outcome))
    else:
        sys.stdout.write(rendered(outcome, printed))
    return outcome


def artifact_folders(paths: list[Path]) -> list[Path]:
    """Each artifact once; hooks name files that were changed, and mean the folders that hold them."""
    return list(dict.fromkeys(path.parent if path.is_file() else path for path in paths))


def output_files(given: list[str], printed: CheckFormat) -> dict[Path, CheckFormat]:
    """Files to write and their formats: ``FORMAT=FILE``, or ``FILE`` for the format that would be printed."""
    files = {}
    for text in given:
        name, equals, path = text.partition("=")
        if equals and name in CheckFormat.__members__:
            files[Path(path)] = CheckFormat[name]
        else:
            files[Path(text)] = printed
    return files


def rendered(outcome: Outcome, output_format: CheckFormat) -> str:
    """The outcome in a format, whose libraries only it needs."""
    name = "json_document" if output_format is CheckFormat.json else output_format.value
    module = importlib.import_module(f"nmdeploy.check.formats.{name}")
    text: str = module.render(outcome)
    return text
