"""`nmdeploy targets`: the hardware profiles, with the source of every number."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.table import Table

from hw_profiles import HardwareProfile, available_profiles, load_profile
from hw_profiles.profile import Choice, Flag, Models, Quantity
from nmdeploy.cli.console import print_json, stdout_console


def targets_command(
    name: Annotated[str | None, typer.Argument(help="A profile, or path of a .toml file; default: list all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List the profiles, or show one with the source and status of every number."""
    if name is None:
        profiles = {known: load_profile(known) for known in available_profiles()}
        if as_json:
            print_json({known: profile.title for known, profile in profiles.items()})
        else:
            for known, profile in profiles.items():
                print(f"{known}: {profile.title}\n    {summary(profile)}")
        return
    profile = load_profile(name)
    if as_json:
        print_json(profile.model_dump(mode="json"))
        return
    table = Table(title=f"{profile.name}: {profile.title}", title_justify="left")
    for heading in ("what", "value", "status", "source"):
        table.add_column(heading, overflow="fold")
    for row in figure_rows("", profile):
        table.add_row(*row)
    console = stdout_console()
    console.print(table)
    console.print(profile.notes.strip())


def summary(profile: HardwareProfile) -> str:
    """What tells targets apart, and how sure their figures are."""
    statuses = Counter(status for _, _, status, _ in figure_rows("", profile) if status)
    figures = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
    neurons = ", ".join(profile.neuron_models.names)
    return f"neurons: {neurons}; {profile.mesh.cores_per_chip} cores a chip; figures: {figures}"


def figure_rows(prefix: str, model: BaseModel) -> list[tuple[str, str, str, str]]:
    """Name, value, status and source of every figure; "none" for what the chip does not have or limit."""
    rows: list[tuple[str, str, str, str]] = []
    for field, value in model:
        if value is None:
            rows.append((prefix + field, "none", "", ""))
        elif isinstance(value, Quantity):
            rows.append((prefix + field, str(value.value), value.status, value.source))
        elif isinstance(value, Flag):
            rows.append((prefix + field, "yes" if value.value else "no", value.status, value.source))
        elif isinstance(value, (Choice, Models)):
            shown = value.values if isinstance(value, Choice) else value.names
            rows.append((prefix + field, ", ".join(map(str, shown)), value.status, value.source))
        elif isinstance(value, BaseModel):
            rows += figure_rows(f"{prefix}{field}.", value)
    return rows
