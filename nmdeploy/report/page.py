"""One self-contained page, which its content security policy keeps from fetching anything."""

from __future__ import annotations

from hw_profiles import HardwareProfile
from hw_profiles.energy import EnergyPreset, presets_for
from mapping.placement_quality import placement_quality
from nmdeploy.analysis.analyze import Analysis
from nmdeploy.analysis.energy_document import EnergyWindows
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.artifact.legality import cores_bound_of, rules_of, violations_of
from nmdeploy.energy.comparison import compare_formats
from nmdeploy.energy.report import NOTE, EnergyReport, EnergyRow
from nmdeploy.report.analysis_page import analysis_section
from nmdeploy.report.core_quantities import core_quantities
from nmdeploy.report.core_table import core_table
from nmdeploy.report.layer_map import layer_map
from nmdeploy.report.link_map import link_map
from nmdeploy.report.mesh_map import chips_drawn, mesh_maps
from nmdeploy.report.pareto_figure import pareto_figure
from nmdeploy.report.stacked_bars import LayerEnergies, stacked_bars
from nmdeploy.report.templates import inline_script, template


def render_page(
    artifact: Artifact,
    title: str,
    preset: EnergyPreset,
    analysis: Analysis | None = None,
    windows: EnergyWindows | None = None,
) -> str:
    """Render the report.

    Parameters
    ----------
    artifact : Artifact
    title : str
        Usually the name of the artifact.
    preset : EnergyPreset
        Of the tables by layer and core, and of the maps.
    analysis : Analysis, optional
        Of this artifact, to be part of the report.
    windows : EnergyWindows, optional
        Energy, accuracy and latency of several windows of this artifact, to be drawn.

    Returns
    -------
    str
        HTML.
    """
    energy = EnergyReport(artifact.counts, preset)
    network = artifact.network
    violations = violations_of(artifact)
    quality = None  # measured on legal placements only
    if not any(violation.severity == "error" for violation in violations):
        quality = placement_quality(network, artifact.placement, artifact.profile, artifact.counts.spikes_per_inference)
    layers = _in_order(artifact, energy)
    by_preset = [EnergyReport(artifact.counts, one) for one in presets_for(artifact.profile.name)]
    cores_of = {population.name: _cores(artifact, population.name) for population in network.populations}
    return template("page.html").render(
        title=title,
        artifact=artifact,
        network=network,
        neurons=sum(population.neuron_count for population in network.populations),
        synapses=sum(projection.connectivity.synapse_count for projection in network.projections),
        cores_bound=cores_bound_of(artifact),
        violations=violations,
        quality=quality,
        links=None if quality is None else link_map(quality.metrics.link_loads),
        rules=len(rules_of(artifact)),
        has_trees=isinstance(artifact.profile, HardwareProfile) and artifact.profile.multicast is not None,
        energy=energy,
        layers=layers,
        comparisons=compare_formats(artifact.counts, energy.counting, energy.input_convention),
        by_preset=by_preset,
        spikes={row.name: row.events["spike"] for row in layers},
        cores_of=cores_of,
        layer_map=layer_map(network, cores_of),
        chips=_chips(artifact, energy),
        stacks=[
            (one.preset, stacked_bars(_energies_by_kind(artifact, one))) for one in _shown_by_kind(energy, by_preset)
        ],
        windows=None if windows is None else pareto_figure(windows.windows),
        windows_of=windows,
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


def _in_order(artifact: Artifact, energy: EnergyReport) -> list[EnergyRow]:
    """Layers in the order of the network; the report has them in that of the placement."""
    rows = {row.name: row for row in energy.layers}
    return [rows[population.name] for population in artifact.network.populations]


def _shown_by_kind(energy: EnergyReport, by_preset: list[EnergyReport]) -> list[EnergyReport]:
    """The page's preset, one with memory, and of those of the chip the one with most kinds of events."""
    with_memory = [one for one in by_preset if one.preset.memory is not None]
    of_chip = sorted((one for one in by_preset if one.preset.targets), key=lambda one: -len(one.preset.energy_pj))
    others = [*with_memory[:1], *of_chip[:1]]
    return [energy, *(one for one in others if one.preset != energy.preset)]


def _energies_by_kind(artifact: Artifact, energy: EnergyReport) -> LayerEnergies:
    """Energy in pJ of each layer's kinds of events."""
    return [
        (row.name, [(kind.replace("_", " "), energy_pj) for kind, energy_pj in row.energy_by_kind_pj.items()])
        for row in _in_order(artifact, energy)
    ]


def _cores(artifact: Artifact, population: str) -> int:
    return sum(any(tile.population == population for tile in core.tiles) for core in artifact.placement.cores)
