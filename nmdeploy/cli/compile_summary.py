"""What `nmdeploy compile` prints of its result: a table for people, JSON for scripts."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from rich.table import Table

from hw_profiles import HardwareProfile
from mapping.placement_quality import PlacementQuality
from nmdeploy.artifact.manifest import Options
from nmdeploy.cli.console import key_value_table, print_json, stdout_console, warn
from nmdeploy.compiled import Compiled


def summary(compiled: Compiled, profile: HardwareProfile, options: Options) -> dict[str, object]:
    """The summary that `--json` prints."""
    network = compiled.network
    entries = compiled.audit.entries
    return {
        "target": profile.name,
        "timesteps": options.timesteps,
        "latency_steps": network.latency_steps,
        "steps_per_sample": network.timesteps + network.gap_steps,
        "recipe": str(compiled.recipe),
        "method": compiled.recipe.method,
        "headroom": compiled.recipe.headroom,
        "neurons_model": options.neurons,
        "lead": options.lead,
        "populations_without_lead": len(compiled.recipe.neurons.without_lead),
        "refinement_steps": options.refinement_steps,
        "read_out_step": options.read_out_step,
        "compensation": options.compensation,
        "decoding": options.decoding,
        "weight_bits": options.weight_bits,
        "weight_rounding": options.weight_rounding,
        "cores": len(compiled.placement.cores),
        "cores_bound": compiled.core_bounds.of_any_mapping,
        "cores_bound_regular_tilings": compiled.core_bounds.of_regular_tilings,
        "chips": compiled.placement.chip_count,
        "objective": options.objective,
        "effort": options.effort,
        **compiled.quality.as_dict(),
        "neurons": sum(population.neuron_count for population in network.populations),
        "synapses": sum(projection.connectivity.synapse_count for projection in network.projections),
        "activations_converted": compiled.audit.activations_converted,
        "activations_total": compiled.audit.activations_total,
        "layers": _layers(compiled),
        "approximate_layers": [entry.layer for entry in entries if not entry.exact],
        "notes": list(compiled.audit.notes),
        "violations": [violation.as_dict() for violation in compiled.violations],
        "seconds": {name: round(seconds, 4) for name, seconds in compiled.seconds.items()},
    }


def _layers(compiled: Compiled) -> list[dict[str, str | int]]:
    """Cores that hold a part of each population, and the bound of these."""
    holding = Counter(name for core in compiled.placement.cores for name in {tile.population for tile in core.tiles})
    return [
        {
            "name": population.name,
            "neurons": population.neuron_count,
            "cores": holding[population.name],
            "cores_bound": compiled.core_bounds.layers[population.name],
        }
        for population in compiled.network.populations
    ]


def _layer_table(compiled: Compiled) -> Table:
    table = Table(title="cores (layers may share them)")
    table.add_column("layer")
    for column in ("neurons", "cores", "bound"):
        table.add_column(column, justify="right")
    for layer in _layers(compiled):
        table.add_row(
            str(layer["name"]), f"{layer['neurons']:,}", f"{layer['cores']:,}", f"{layer['cores_bound']:,}"
        )
    return table


def print_summary(compiled: Compiled, profile: HardwareProfile, options: Options, folder: Path, as_json: bool) -> None:
    """Print it to stdout, and notes and violations to stderr."""
    data = summary(compiled, profile, options)
    if as_json:
        print_json(data)
    else:
        for note in compiled.audit.notes:
            warn(note)
        rows = [
            ("artifact", str(folder)),
            ("target", f"{profile.name} ({profile.title})"),
            ("method", str(compiled.recipe)),
            ("weights", f"{options.weight_bits} bits, {options.weight_rounding} rounding"),
            (
                "time steps",
                f"{options.timesteps} (latency {data['latency_steps']} steps, "
                f"one sample every {data['steps_per_sample']} steps)",
            ),
            ("activations converted", f"{data['activations_converted']} of {data['activations_total']}"),
            ("neurons", f"{data['neurons']:,}"),
            ("synapses", f"{data['synapses']:,}"),
            ("cores", _cores(compiled)),
            ("placement", f"{options.objective}, effort {options.effort}: {placement_in_words(compiled.quality)}"),
            ("violations", str(len(compiled.violations))),
            ("seconds", ", ".join(f"{name} {seconds:.2f}" for name, seconds in compiled.seconds.items())),
        ]
        stdout_console().print(key_value_table("nmdeploy compile", rows))
        stdout_console().print(_layer_table(compiled))
    for violation in compiled.violations:
        print(violation, file=sys.stderr)


def _cores(compiled: Compiled) -> str:
    bounds, chips = compiled.core_bounds, compiled.placement.chip_count
    bound = f"bound {bounds.of_any_mapping:,}, of regular tilings {bounds.of_regular_tilings:,}"
    return f"{len(compiled.placement.cores):,} ({bound}) on {chips:,} chip(s)"


def placement_in_words(quality: PlacementQuality) -> str:
    """Hops beside their bound, and the busiest link."""
    metrics = quality.metrics
    known = quality.hop_energy_pj is not None
    energy = f", {quality.hop_energy_pj:,.0f} pJ for hops (estimate, figures of the target)" if known else ""
    return (
        f"{metrics.mean_hops:.2f} hops a message (bound >= {quality.mean_hops_bound:.2f}), "
        f"{metrics.messages:,.0f} messages an inference, busiest link {metrics.max_link_load:,.0f}{energy}"
    )
