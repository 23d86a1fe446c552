"""The command line: `nmdeploy compile | run | analyze | check | energy | report | export | targets`.

Exit codes: 0 ok, 1 violations found, 2 could not run.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hw_profiles import ProfileError
from mapping.violation import DoesNotFitError
from nmdeploy import __version__
from nmdeploy.cli.analyze import analyze_command
from nmdeploy.cli.check import check_command
from nmdeploy.cli.compile import compile_command
from nmdeploy.cli.energy import energy_command
from nmdeploy.cli.export import export_command
from nmdeploy.cli.report import report_command
from nmdeploy.cli.run import run_command
from nmdeploy.cli.targets import targets_app
from nmdeploy.errors import NmdeployError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="From trained PyTorch networks to placed, bit-checked, energy-accounted networks on neuromorphic chips.",
)
app.command("compile")(compile_command)
app.command("run")(run_command)
app.command("analyze")(analyze_command)
app.command("check")(check_command)
app.command("energy")(energy_command)
app.command("report")(report_command)
app.command("export")(export_command)
app.add_typer(targets_app, name="targets")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"nmdeploy {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the program as a whole."""


def main() -> None:
    """Entry point: turns errors that a user can cause into a message and an exit code."""
    try:
        app()
    except DoesNotFitError as error:
        print(f"error: the network does not fit the chip:\n{error}", file=sys.stderr)
        sys.exit(1)
    except (NmdeployError, ProfileError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # the reader (head, less) has gone; nothing is left to say
        sys.stderr.close()
        sys.exit(0)
