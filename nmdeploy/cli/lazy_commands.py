"""The commands, each imported only when it is called: `check` starts without what `compile` imports."""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = (
    "compile", "advise", "run", "analyze", "check", "compare", "energy", "report", "export", "targets", "presets",
)  # fmt: skip
"""In the order of the help; ``nmdeploy.cli.NAME`` has a group ``NAME_app``, or else a function ``NAME_command``."""


class LazyCommands(TyperGroup):
    """A group whose commands are `COMMANDS`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # The base class lists these names, and suggests one of them for a misspelt one.
        self.commands: dict[str, Any] = dict.fromkeys(COMMANDS)

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands, in order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"nmdeploy.cli.{cmd_name}")
        alone = typer.Typer()
        if hasattr(module, f"{cmd_name}_app"):
            alone.add_typer(getattr(module, f"{cmd_name}_app"), name=cmd_name)
        else:
            alone.command(cmd_name)(getattr(module, f"{cmd_name}_command"))
        return typer.main.get_group(alone).commands[cmd_name]
