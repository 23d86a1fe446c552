"""`nmdeploy compare`: what changed from one artifact to another. It judges nothing: `check --baseline` does."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hw_profiles.energy import load_preset
from nmdeploy.cli.console import pass_progress, print_json, stdout_console
from nmdeploy.cli.preset_option import PresetOption
from nmdeploy.compare.differences import Comparison, compare_artifacts
from nmdeploy.compare.facts import SECTIONS
from nmdeploy.compare.markdown import render
from nmdeploy.compare.wording import HEADINGS, cells, remarks, verdict


class CompareFormat(str, Enum):
    """How the comparison is printed."""

    table = "table"
    json = "json"
    md = "md"


def compare_command(
    old: Annotated[Path, typer.Argument(metavar="A", help="Folder written by compile, or a file of it.")],
    new: Annotated[Path, typer.Argument(metavar="B", help="Another one, of whatever network and target.")],
    preset: PresetOption = "int32",
    output_format: Annotated[CompareFormat, typer.Option("--format", help="table, json or md.")] = CompareFormat.table,
) -> None:
    """Show what changed from A to B; exit 0 whatever it is (check --baseline is the gate)."""
    chosen = load_preset(preset)
    folders = [path.parent if path.is_file() else path for path in (old, new)]
    with pass_progress() as show:
        comparison = compare_artifacts(folders[0], folders[1], chosen, show)
    if output_format is CompareFormat.json:
        print_json(comparison.as_dict())
    elif output_format is CompareFormat.md:
        sys.stdout.write(render(comparison))
    else:
        _print_tables(stdout_console(), comparison)


def _print_tables(console: Console, comparison: Comparison) -> None:
    console.print(f"A: {comparison.old}\nB: {comparison.new}\n{verdict(comparison)}", markup=False, soft_wrap=True)
    for section, found in comparison.by_section.items():
        table = Table(title=f"\n{SECTIONS[section]}", title_justify="left")
        for heading in HEADINGS:
            table.add_column(heading, justify="right" if heading else "left", overflow="fold")
        for difference in found:
            table.add_row(*map(escape, cells(difference)))
        console.print(table)
    for remark in remarks(comparison):
        console.print(remark, markup=False)
