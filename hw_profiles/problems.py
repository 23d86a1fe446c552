"""All problems of a profile, each with its key and its line."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from hw_profiles.load import mistakes
from hw_profiles.toml_lines import TomlLines

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class ProfileProblem:
    """One thing that is wrong with a profile.

    Attributes
    ----------
    key : str
        With dots, entries of lists by their number; empty where the text is no TOML.
    line : int or None
        From 1: where the key stands, or where it should stand if it is missing.
    message : str
    """

    key: str
    line: int | None
    message: str


def profile_problems(text: str) -> list[ProfileProblem]:
    """List everything that is wrong with the TOML text of a profile, in order of the lines.

    Returns
    -------
    list of ProfileProblem
        Empty for a valid profile. A text that is no TOML has one problem, the first place that cannot be read.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        return [ProfileProblem("", int(place[1]) if place else None, f"not valid TOML: {error}")]
    lines = TomlLines(text)
    found = [ProfileProblem(key, lines.line_of(key), message) for key, message in mistakes(data)]
    return sorted(found, key=lambda problem: problem.line or 0)
