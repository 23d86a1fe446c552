"""On which line of a TOML text a key stands; the parser itself does not tell."""

from __future__ import annotations

import sys
from bisect import bisect_left
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class TomlLines:
    """Finds keys by parsing the first lines of a text: more and more keys stand in them.

    Parameters
    ----------
    text : str
        Valid TOML.
    """

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True)
        self._parsed: dict[int, dict[str, Any] | None] = {}

    def line_of(self, key: str) -> int:
        """Line, from 1, on which a key or table first stands.

        Parameters
        ----------
        key : str
            With dots; entries of lists by their number. Of a key that is not there, the table that it should stand
            in is looked up instead, and for a whole missing table the first line.
        """
        parts = key.split(".")
        whole = self._first(len(self._lines))
        while parts and not contains(whole, parts):
            parts.pop()
        if not parts:
            return 1
        counts = range(len(self._lines) + 1)
        enough = bisect_left(counts, True, key=lambda count: contains(self._first(count), parts))
        # a value may be written over several lines: the key stands after the last lines that are TOML without it
        while enough > 1 and self._parse(enough - 1) is None:
            enough -= 1
        return enough

    def _first(self, count: int) -> dict[str, Any]:
        """Contents of the first `count` lines, fewer where these end within a value."""
        while (data := self._parse(count)) is None:
            count -= 1
        return data

    def _parse(self, count: int) -> dict[str, Any] | None:
        if count not in self._parsed:
            try:
                self._parsed[count] = tomllib.loads("".join(self._lines[:count]))
            except tomllib.TOMLDecodeError:
                self._parsed[count] = None
        return self._parsed[count]


def contains(data: object, parts: list[str]) -> bool:
    """Whether a key, in its parts, stands in parsed TOML."""
    for part in parts:
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and part.isdigit() and int(part) < len(data):
            data = data[int(part)]
        else:
            return False
    return True
