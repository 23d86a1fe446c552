"""`nmdeploy check`: is the placement legal? For people and for CI."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from mapping.bounds import cores_lower_bound
from mapping.verify import RULES, verify
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.cli.console import print_json


class CheckFormat(str, Enum):
    """How violations are printed."""

    text = "text"
    json = "json"


def check_command(
    artifact: Annotated[Path, typer.Argument(help="Folder written by compile.")],
    output_format: Annotated[CheckFormat, typer.Option("--format", help="text or json.")] = CheckFormat.text,
) -> None:
    """Recount every limit with code that did not make the placement; exit 1 if one is broken."""
    compiled = read_artifact(artifact)
    violations = verify(compiled.network, compiled.placement, compiled.profile)
    cores = len(compiled.placement.cores)
    if output_format is CheckFormat.json:
        print_json(
            {
                "violations": [violation.as_dict() for violation in violations],
                "rules_checked": len(RULES),
                "cores_used": cores,
                "cores_bound": cores_lower_bound(compiled.network, compiled.profile),
                "chips_used": compiled.placement.chip_count,
            }
        )
    else:
        for violation in violations:
            print(violation)
        errors = sum(violation.severity == "error" for violation in violations)
        place = f"{cores} cores on {compiled.placement.chip_count} chip(s) of {compiled.profile.name}"
        print(
            f"{artifact}: {errors} violations, {len(violations) - errors} warnings; {len(RULES)} rules over {place}"
        )
    if any(violation.severity == "error" for violation in violations):
        raise typer.Exit(1)
