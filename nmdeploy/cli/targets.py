"""`nmdeploy targets`: the hardware profiles, with the source of every number, and profiles of one's own."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperGroup

from hw_profiles import available_targets, load_target, profile_schema, profile_text
from hw_profiles.problems import profile_problems
from nmdeploy.cli.console import print_json, stdout_console
from nmdeploy.cli.target_tables import figure_rows, support, target_rows

AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


class ShowByName(TyperGroup):
    """Takes the name of a target for `show` and that name."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command of the first argument."""
        if args and args[0] not in self.commands:
            args = ["show", *args]
        return super().resolve_command(ctx, args)


targets_app = typer.Typer(
    cls=ShowByName,
    help="List the chip profiles, show one (`targets NAME`), or check one of your own (`targets validate FILE`).",
)


@targets_app.callback(invoke_without_command=True)
def targets_command(context: typer.Context, as_json: AsJson = False) -> None:
    """List the profiles, unless one of the commands is given."""
    context.obj = as_json
    if context.invoked_subcommand is not None:
        return
    profiles = [load_target(name) for name in available_targets()]
    if as_json:
        print_json({profile.name: {"title": profile.title, **support(profile)} for profile in profiles})
        return
    table = Table(title="nmdeploy targets", title_justify="left")
    for heading in ("name", "cores", "a core holds", "neurons", "compile", "figures"):
        table.add_column(heading, overflow="fold")
    for profile in profiles:
        table.add_row(*target_rows(profile))
    stdout_console().print(table)


@targets_app.command("show")
def show_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A profile, or path of a .toml file.")],
    as_json: AsJson = False,
) -> None:
    """Show every number of a profile with its status and source; `targets NAME` is the same."""
    profile = load_target(name)
    if as_json or context.obj:
        print_json(profile.model_dump(mode="json"))
        return
    table = Table(title=f"{profile.name}: {profile.title}", title_justify="left")
    table.add_column("what", no_wrap=True)
    for heading in ("value", "unit", "status", "source"):
        table.add_column(heading, overflow="fold")
    for row in figure_rows("", profile):
        table.add_row(*row)
    console = stdout_console()
    console.print(table)
    console.print(profile.notes.strip())


@targets_app.command("validate")
def validate_command(
    context: typer.Context,
    profile: Annotated[str, typer.Argument(help="A .toml file, or the name of a profile.")],
    as_json: AsJson = False,
) -> None:
    """List all problems of a profile with their keys and lines; exit 1 if there are any, 2 if it cannot be read."""
    problems = profile_problems(profile_text(profile))
    if as_json or context.obj:
        listed = [{"key": item.key, "line": item.line, "message": item.message} for item in problems]
        print_json({"profile": profile, "valid": not problems, "problems": listed})
    else:
        for item in problems:
            place = profile if item.line is None else f"{profile}:{item.line}"
            print(f"{place}: {item.key}: {item.message}" if item.key else f"{place}: {item.message}")
        print(f"{profile}: {len(problems)} problems" if problems else f"{profile}: a valid profile")
    if problems:
        raise typer.Exit(1)


@targets_app.command("schema")
def schema_command() -> None:
    """Print the JSON schema of profiles, for editors of TOML."""
    print_json(profile_schema())
