"""The command line, `nmdeploy COMMAND`, with the commands that `nmdeploy.cli.lazy_commands` lists.

Exit codes: 0 ok, 1 violations found, 2 could not run.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hw_profiles import ProfileError
from hw_profiles.energy import EnergyPresetError
from mapping.violation import DoesNotFitError
from nmdeploy import __version__
from nmdeploy.cli.lazy_commands import LazyCommands
from nmdeploy.errors import NmdeployError

app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="From trained PyTorch networks to placed, bit-checked, energy-accounted networks on neuromorphic chips.",
)


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
    except (NmdeployError, ProfileError, EnergyPresetError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # the reader (head, less) has gone; nothing is left to say
        sys.stderr.close()
        sys.exit(0)
