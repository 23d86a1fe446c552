"""Run the passes of the compiler: announced, timed, and stopped after one if asked to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class StoppedAfterPassError(Exception):
    """The user asked to stop after a pass; holds the seconds of the passes that ran."""

    def __init__(self, name: str, seconds: dict[str, float]) -> None:
        super().__init__(name)
        self.seconds = seconds


class PassRunner:
    """Runs, announces and times passes, and stops after one if asked to.

    Parameters
    ----------
    announce : callable
        Called with the name of each pass before it runs.
    stop_after : str, optional
        One of the names that passes are run with.
    """

    def __init__(self, announce: Callable[[str], None], stop_after: str | None = None) -> None:
        self._announce = announce
        self._stop_after = stop_after
        self.seconds: dict[str, float] = {}

    def run(self, name: str, work: Callable[[], T]) -> T:
        """Run one pass.

        Raises
        ------
        StoppedAfterPassError
            It was the last one asked for.
        """
        self._announce(name)
        begin = time.perf_counter()
        result = work()
        self.seconds[name] = time.perf_counter() - begin
        if name == self._stop_after:
            raise StoppedAfterPassError(name, self.seconds)
        return result
