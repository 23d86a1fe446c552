"""One self-contained page, which its content security policy keeps from fetching anything."""

from __future__ import annotations

from collections.abc import Sequence

from hw_profiles.energy import EnergyPreset, energy_presets
from mapping.bounds import cores_lower_bound
from mapping.placement_quality import placement_quality
from mapping.verify import RULES, verify
from nmdeploy.analysis.analyze import Analysis
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.energy.report import NOTE, EnergyReport, EnergyRow, energy_report
from nmdeploy.report.analysis_page import analysis_section
from nmdeploy.report.core_quantities import core_quantities
from nmdeploy.report.core_table import core_table
from nmdeploy.report.layer_graph import layer_graph
from nmdeploy.report.link_map import link_map
from nmdeploy.report.mesh_map import chips_drawn, mesh_maps
from nmdeploy.report.pareto_figure import TradeOff, pareto_figure
from nmdeploy.report.stacked_bars import LayerEnergies, stacked_bars
from nmdeploy.report.templates import inline_script, template


def render_page(
    artifact: Artifact,
    title: str,
    preset: str = "int32",
    analysis: Analysis | None = None,
    trade_offs: Sequence[TradeOff] | None = None,
) -> str:
    """Render the report.

    Parameters
    ----------
    artifact : Artifact
    title : str
        Usually the name of the artifact.
    preset : str
        Energy preset of the tables by layer and core.
    analysis : Analysis, optional
        Of this artifact, to be part of the report.
    trade_offs : sequence of TradeOff, optional
        Energy, accuracy and latency of several windows, to be drawn.

    Returns
    -------
    str
        HTML.
    """
    presets = energy_presets()
    energy = energy_report(artifact.counts, presets[preset])
    network = artifact.network
    violations = verify(network, artifact.placement, artifact.profile)
    quality = None  # measured on legal placements only
    if not any(violation.severity == "error" for violation in violations):
        quality = placement_quality(network, artifact.placement, artifact.profile, artifact.counts.spikes_per_inference)
    # the counts have them in the order of the placement
    rows = {row.name: row for row in energy.layers}
    layers = [rows[population.name] for population in network.populations]
    cores_of = {population.name: _cores(artifact, population.name) for population in network.populations}
    return template("page.html").render(
        title=title,
        artifact=artifact,
        network=network,
        neurons=sum(population.neuron_count for population in network.populations),
        synapses=sum(projection.connectivity.synapse_count for projection in network.projections),
        cores_bound=cores_lower_bound(network, artifact.profile),
        violations=violations,
        quality=quality,
        links=None if quality is None else link_map(quality.metrics.link_loads),
        rules=len(RULES),
        energy=energy,
        layers=layers,
        by_preset=[energy_report(artifact.counts, one) for one in presets.values()],
        spikes={population.name: _spikes(artifact, population.name) for population in network.populations},
        cores_of=cores_of,
        graph=layer_graph(network, cores_of),
        chips=_chips(artifact, energy),
        stacked=stacked_bars(_energies_by_kind(layers, energy.preset)),
        trade_off=None if trade_offs is None else pareto_figure(trade_offs),
        note=NOTE,
        script=inline_script("tooltip.js"),
        **({"analysis": None} if analysis is None else analysis_section(analysis)),
    )


def _chips(artifact: Artifact, energy: EnergyReport) -> list[dict[str, object]]:
    """Maps and table of each chip that is drawn."""
    quantities = core_quantities(artifact, energy)
    return [
        {
            "number": chip,
            "maps": mesh_maps(artifact, quantities, chip),
            "table": core_table([core for core in artifact.placement.cores if core.address.chip == chip], quantities),
        }
        for chip in chips_drawn(artifact, quantities)
    ]


def _energies_by_kind(layers: Sequence[EnergyRow], preset: EnergyPreset) -> LayerEnergies:
    """Energy in pJ of each layer's accumulates and multiply-accumulates."""
    kinds = (("accumulates (AC)", "ac", preset.ac_pj), ("multiply-accumulates (MAC)", "mac", preset.mac_pj))
    return [(row.name, [(kind, getattr(row, field) * price_pj) for kind, field, price_pj in kinds]) for row in layers]


def _spikes(artifact: Artifact, population: str) -> float:
    counts = artifact.counts
    return sum(tile.spikes for tile in counts.tiles if tile.population == population) / counts.samples


def _cores(artifact: Artifact, population: str) -> int:
    return sum(any(tile.population == population for tile in core.tiles) for core in artifact.placement.cores)
