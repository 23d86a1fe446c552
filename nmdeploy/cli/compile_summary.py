"""What `nmdeploy compile` prints of its result: a table for people, JSON for scripts."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from hw_profiles import MeshProfile
from mapping.placement_quality import PlacementQuality
from nmdeploy.artifact.manifest import Options
from nmdeploy.cli.console import key_value_table, print_json, stdout_console, warn
from nmdeploy.compiled import Compiled


def summary(compiled: Compiled, profile: MeshProfile, options: Options) -> dict[str, object]:
    """The summary that `--json` prints."""
    network = compiled.network
    return {
        "target": profile.name,
        "timesteps": options.timesteps,
        "latency_steps": network.latency_steps,
        "steps_per_sample": _steps_per_sample(compiled),
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
        "approximate_layers": compiled.audit.approximate_layers,
        "sums": [asdict(entry) for entry in compiled.audit.sums],
        "notes": list(compiled.audit.notes),
        "violations": [violation.as_dict() for violation in compiled.violations],
        "seconds": {name: round(seconds, 4) for name, seconds in compiled.seconds.items()},
    }


def _steps_per_sample(compiled: Compiled) -> int:
    """Steps from one sample to the next; potentials of crossbars are loaded all at once, when a sample is through."""
    network = compiled.network
    return network.latency_steps if compiled.program is not None else network.timesteps + network.gap_steps


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
        if not population.on_host
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


def _sum_table(compiled: Compiled) -> Table:
    table = Table(title="sums of inputs on crossbars, deviations in spikes of the layer over the window")
    table.add_column("layer")
    table.add_column("sum")
    for column in ("bound", "mean", "largest", "partial sums not sent in full"):
        table.add_column(column, justify="right")
    for entry in compiled.audit.sums:
        if entry.exact:
            table.add_row(entry.population, "exact", "0", "0", "0", "-")
            continue
        deviations = (entry.bound_spikes, entry.mean_deviation_spikes, entry.largest_deviation_spikes)
        table.add_row(
            entry.population,
            f"in {entry.parts} part{'s' if entry.parts > 1 else ''}, approximate",
            *(f"{one:.2f}" for one in deviations),
            f"{entry.unsent_share:.2%}",
        )
    return table


def print_summary(compiled: Compiled, profile: MeshProfile, options: Options, folder: Path, as_json: bool) -> None:
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
            ("weights", f"{_weights(options)}, {options.weight_rounding} rounding"),
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
        if compiled.audit.sums:
            stdout_console().print(_sum_table(compiled))
    for violation in compiled.violations:
        print(violation, file=sys.stderr)


def _weights(options: Options) -> str:
    return "as fine as each layer needs" if options.weight_bits is None else f"{options.weight_bits} bits"


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
