"""What `compile` does for chips that it maps to and does nothing more for."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import typer
from rich.table import Table

from hw_profiles.analog_profile import AnalogProfile
from hw_profiles.layer_core_profile import LayerCoreProfile
from mapping.analog_core import number_neurons, synapses_per_neuron
from mapping.layer_cores import MEMORY_CODES, layer_demands
from nmdeploy.analog_mapping import analog_populations
from nmdeploy.cli.console import print_json, stdout_console
from nmdeploy.errors import NmdeployError
from nmdeploy.layer_mapping import LayerMapping, map_layers
from nmdeploy.layers.graph import LayerGraph

MAPPING_ONLY = "mapping only: nothing is quantised, simulated or emitted for this target, and no artifact is written"


def map_only(graph: LayerGraph, profile: LayerCoreProfile | AnalogProfile, output: Path | None, as_json: bool) -> None:
    """Map a network and print what lies where.

    Raises
    ------
    NmdeployError
        An artifact was asked for, or parts of the network cannot be converted.
    DoesNotFitError
        Lists all reasons.
    typer.Exit
        With 1, if the verifier found a violation.
    """
    if output is not None:
        raise NmdeployError(f"-o {output}: there is no artifact for target {profile.name}: {MAPPING_ONLY}")
    if isinstance(profile, AnalogProfile):
        report_circuits(graph, profile, as_json)
    else:
        report_layers(map_layers(graph, profile), profile, as_json)
    if not as_json:
        print(MAPPING_ONLY)


def report_circuits(graph: LayerGraph, profile: AnalogProfile, as_json: bool) -> None:
    """Print which neuron circuits each population takes."""
    populations = analog_populations(graph)
    numbers = number_neurons(populations, profile)
    if as_json:
        listed = [{**asdict(population), "circuits": numbers[population.name]} for population in populations]
        print_json({"target": profile.name, "mapping_only": True, "populations": listed, "violations": []})
        return
    table = Table(title=f"{profile.name} ({profile.title})", title_justify="left")
    for heading in ("population", "neuron circuits", "synapses of a neuron, at most"):
        table.add_column(heading, overflow="fold")
    for population in populations:
        first, end = numbers[population.name]
        synapses = f"{population.synapses_per_neuron} of {synapses_per_neuron(profile)}"
        table.add_row(population.name, f"{first} to {end - 1} of {profile.neurons.value}", synapses)
    stdout_console().print(table)


def report_layers(mapping: LayerMapping, profile: LayerCoreProfile, as_json: bool) -> None:
    """Print which core computes which layer; exit 1 if the verifier found a violation."""
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
