"""One self-contained page: no network access, no script."""

from __future__ import annotations

from hw_profiles.energy import energy_presets
from mapping.bounds import cores_lower_bound
from mapping.placement_quality import placement_quality
from mapping.verify import RULES, verify
from nmdeploy.analysis.analyze import Analysis
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.energy.report import NOTE, energy_report
from nmdeploy.report.analysis_page import analysis_section
from nmdeploy.report.layer_map import layer_map
from nmdeploy.report.link_map import link_map
from nmdeploy.report.mesh_map import CHIPS_DRAWN, mesh_maps
from nmdeploy.report.templates import template


def render_page(artifact: Artifact, title: str, preset: str = "int32", analysis: Analysis | None = None) -> str:
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
        by_preset=[
            energy_report(artifact.counts, one)
            for one in presets.values()
            if not one.targets or artifact.profile.name in one.targets
        ],
        spikes={population.name: _spikes(artifact, population.name) for population in network.populations},
        cores_of=cores_of,
        layer_map=layer_map(network, cores_of),
        maps=mesh_maps(artifact, energy),
        chips_drawn=CHIPS_DRAWN,
        note=NOTE,
        **({"analysis": None} if analysis is None else analysis_section(analysis)),
    )


def _spikes(artifact: Artifact, population: str) -> float:
    counts = artifact.counts
    return sum(tile.spikes for tile in counts.tiles if tile.population == population) / counts.samples


def _cores(artifact: Artifact, population: str) -> int:
    return sum(any(tile.population == population for tile in core.tiles) for core in artifact.placement.cores)
