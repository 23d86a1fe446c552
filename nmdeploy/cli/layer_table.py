"""What `compile` prints for chips that it maps whole layers to and does nothing more for."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import typer
from rich.table import Table

from hw_profiles.layer_core_profile import LayerCoreProfile
from mapping.layer_cores import MEMORY_CODES, layer_demands
from nmdeploy.cli.console import print_json, stdout_console
from nmdeploy.errors import NmdeployError
from nmdeploy.layer_mapping import LayerMapping

MAPPING_ONLY = "mapping only: nothing is quantised, simulated or emitted for this target, and no artifact is written"


def report_layers(mapping: LayerMapping, profile: LayerCoreProfile, output: Path | None, as_json: bool) -> None:
    """Print which core computes which layer; exit 1 if the verifier found a violation.

    Raises
    ------
    NmdeployError
        An artifact was asked for.
    """
    if output is not None:
        raise NmdeployError(f"-o {output}: there is no artifact for target {profile.name}: {MAPPING_ONLY}")
    if as_json:
        print_json(
            {
                "target": profile.name,
                "mapping_only": True,
                "cores": len(set(mapping.cores.values())),
                "layers": [
                    {**asdict(layer), "core": mapping.cores[layer.name], **asdict(layer_demands(layer))}
                    for layer in mapping.layers
                ],
                "violations": [violation.as_dict() for violation in mapping.violations],
            }
        )
    else:
        stdout_console().print(layer_table(mapping, profile))
        print(MAPPING_ONLY)
    for violation in mapping.violations:
        print(violation, file=sys.stderr)
    if mapping.violations:
        raise typer.Exit(1)


def layer_table(mapping: LayerMapping, profile: LayerCoreProfile) -> Table:
    """A row a layer, with what it takes of each memory of its core."""
    table = Table(title=f"{profile.name} ({profile.title})", title_justify="left")
    for heading in ("layer", "convolution", "core", *(memory.replace("_", " ") for memory in MEMORY_CODES)):
        table.add_column(heading, overflow="fold")
    for layer in mapping.layers:
        number = mapping.cores[layer.name]
        demands, core = layer_demands(layer), profile.cores[number]
        pooled = f" of sums over {layer.source_pooling} x {layer.source_pooling}" if layer.source_pooling > 1 else ""
        shape = f"{layer.input_shape[0]} to {layer.channels}, {layer.kernel[0]} x {layer.kernel[1]}{pooled}"
        memories = (
            f"{getattr(demands, memory):,} of {getattr(core, memory).value:,}" for memory in MEMORY_CODES
        )
        table.add_row(layer.name, shape, str(number), *memories)
    return table
