"""What all commands print with: data on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


def stdout_console() -> Console:
    """For tables; wide enough not to cut them when the output goes to a file."""
    return Console() if sys.stdout.isatty() else Console(width=120)


def print_json(data: object) -> None:
    """One JSON document on stdout."""
    print(json.dumps(data, indent=1, allow_nan=False))


def warn(message: str) -> None:
    """A warning on stderr."""
    print(f"warning: {message}", file=sys.stderr)


@contextmanager
def pass_progress() -> Iterator[Callable[[str], None]]:
    """Show the pass that runs, on a terminal only.

    Yields
    ------
    callable
        To be called with the name of each pass.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda name: None
        return
    with console.status("") as status:
        yield lambda name: status.update(f"{name} ...")


@contextmanager
def sample_progress(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar over samples, on a terminal only.

    Yields
    ------
    callable
        To be called with the number of samples just finished.
    """
    console = Console(stderr=True)
    columns = (TextColumn(description), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(description, total=total)
        yield lambda done: progress.advance(task, done)


def key_value_table(title: str, rows: list[tuple[str, str]]) -> Table:
    """A table of two columns without a heading."""
    table = Table(title=escape(title), show_header=False, title_justify="left")
    table.add_column("what", style="bold")
    table.add_column("value")
    for row in rows:
        table.add_row(*map(escape, row))
    return table
