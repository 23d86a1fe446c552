"""Workflow commands of GitHub Actions: each makes an annotation at a line of `placement.json`.

Source: GitHub docs, "Workflow commands for GitHub Actions", and ``toolkit/packages/core/src/command.ts`` for what is
escaped. GitHub shows the first ten errors of a step beside the file; all of them stand in the log.
"""

from __future__ import annotations

from nmdeploy.check.formats.text import summary_line
from nmdeploy.check.outcome import Finding, Outcome

DATA_ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
PROPERTY_ESCAPES = {**DATA_ESCAPES, ":": "%3A", ",": "%2C"}


def render(outcome: Outcome) -> str:
    """One command for each finding, and a line for the log."""
    commands = [_command(finding, outcome.placement_path) for finding in outcome.findings]
    return "\n".join([*commands, _one_line(summary_line(outcome))]) + "\n"


def _command(finding: Finding, path: str) -> str:
    violation = finding.violation
    properties = {"file": path, "line": str(finding.line), "title": violation.rule}
    listed = ",".join(f"{name}={_escaped(value, PROPERTY_ESCAPES)}" for name, value in properties.items())
    message = str(violation).removeprefix(f"{violation.rule} ")
    return f"::{violation.severity} {listed}::{_escaped(message, DATA_ESCAPES)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)


def _one_line(text: str) -> str:
    """Names of files may hold line breaks, after which a command could stand."""
    return text.replace("\r", " ").replace("\n", " ")
