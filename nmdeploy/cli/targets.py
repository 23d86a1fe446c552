"""`nmdeploy targets`: the hardware profiles, with the source of every number."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import BaseModel
from rich.table import Table

from hw_profiles import available_profiles, load_profile
from hw_profiles.profile import Choice, Models, Quantity
from nmdeploy.cli.console import print_json, stdout_console


def targets_command(
    name: Annotated[str | None, typer.Argument(help="A profile, or path of a .toml file; default: list all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the profiles, or show one with the source and status of every number."""
    if name is None:
        profiles = {known: load_profile(known).title for known in available_profiles()}
        if as_json:
            print_json(profiles)
        else:
            for known, title in profiles.items():
                print(f"{known}: {title}")
        return
    profile = load_profile(name)
    if as_json:
        print_json(profile.model_dump(mode="json"))
        return
    table = Table(title=f"{profile.name}: {profile.title}", title_justify="left")
    for heading in ("what", "value", "status", "source"):
        table.add_column(heading, overflow="fold")
    for row in _rows("", profile):
        table.add_row(*row)
    console = stdout_console()
    console.print(table)
    console.print(profile.notes.strip())


def _rows(prefix: str, model: BaseModel) -> list[tuple[str, str, str, str]]:
    rows: list[tuple[str, str, str, str]] = []
    for field, value in model:
        if isinstance(value, Quantity):
            rows.append((prefix + field, str(value.value), value.status, value.source))
        elif isinstance(value, (Choice, Models)):
            shown = value.values if isinstance(value, Choice) else value.names
            rows.append((prefix + field, ", ".join(map(str, shown)), value.status, value.source))
        elif isinstance(value, BaseModel):
            rows += _rows(f"{prefix}{field}.", value)
    return rows
