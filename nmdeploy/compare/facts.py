"""Everything that two artifacts are compared by: one value for each name."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from hw_profiles.energy import EnergyPreset
from mapping.network import InputProjection, Population, Projection
from mapping.route_metrics import route_metrics
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.artifact.legality import rules_of, violations_of
from nmdeploy.check.measures import measures
from nmdeploy.energy.report import EnergyReport

Value = str | int | float | bool
PROFILE_FILE = "profile.toml"


class Fact(NamedTuple):
    """What a value is of.

    Attributes
    ----------
    section : str
        One of `SECTIONS`.
    subject : str
        Layer, population, projection or file; "" for the whole.
    name : str
        With the unit, if it has one.
    """

    section: str
    subject: str
    name: str


SECTIONS: dict[str, str] = {
    "options": "compiler options",
    "provenance": "what it was made from and with",
    "conversion": "activations of the trained network, and notes",
    "network": "populations and projections",
    "mapping": "the whole mapping",
    "layers": "layer by layer",
    "violations": "rules of the verifier that are broken",
    "files": "digests of the files",
}
"""In words, in the order in which they are shown."""

QUANTITIES = ("mapping", "layers", "violations")
"""Sections whose values are amounts, so that their differences mean something."""

LEGAL = Fact("violations", "", "legal")
"""Whether no rule is broken, warnings aside; only then a mapping is measured."""


def artifact_facts(artifact: Artifact, preset: EnergyPreset) -> dict[Fact, Value]:
    """Collect the facts of one artifact.

    Messages, hops, spikes and energy are of one inference, for the samples that the artifact's operations were counted
    on. An illegal mapping is verified, but not measured. Accuracies are no facts: an artifact holds none.

    Parameters
    ----------
    artifact : Artifact
        As read, so that its manifest has the digests of all files.
    preset : EnergyPreset
        Of all energies.

    Raises
    ------
    ArtifactError
        The operations were counted on another placement.
    """
    violations = violations_of(artifact)
    legal = not any(violation.severity == "error" for violation in violations)
    broken = Counter(violation.rule for violation in violations)
    files = ((name, digest) for name, digest in artifact.manifest.files.items() if name != PROFILE_FILE)
    return {
        **{Fact("options", "", name): value for name, value in artifact.manifest.options.model_dump().items()},
        **{Fact("provenance", "", name): value for name, value in _provenance(artifact)},
        **dict(_conversion(artifact.audit)),
        **dict(_network(artifact)),
        **{Fact("mapping", "", name): value for name, value in _mapping(artifact)},
        **({Fact("mapping", "", name): value for name, value in _measured(artifact, preset)} if legal else {}),
        **dict(_layers(artifact, preset)),
        LEGAL: legal,
        **{Fact("violations", "", rule): broken[rule] for rule in rules_of(artifact)},
        **{Fact("files", name, "sha256"): digest for name, digest in files},
    }


def _provenance(artifact: Artifact) -> Iterator[tuple[str, Value]]:
    manifest = artifact.manifest
    yield "nmdeploy_version", manifest.nmdeploy_version
    yield "python_version", manifest.python_version
    yield from ((f"{name}_version", version) for name, version in sorted(manifest.dependencies.items()))
    yield "model_sha256", manifest.model_sha256
    yield "profile_sha256", manifest.files[PROFILE_FILE]
    yield "calibration", manifest.calibration
    yield "counted_samples", artifact.counts.samples
    yield from ((f"input_{name}", _text(value)) for name, value in manifest.input.model_dump().items())
    yield "classes", _text(manifest.classes)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _conversion(audit: dict[str, Any]) -> Iterator[tuple[Fact, Value]]:
    for entry in audit.get("entries", []):
        exact = "exact" if entry["exact"] else "approximate"
        replaced = ", ".join(entry["replaced_by"]) or "nothing"
        yield Fact("conversion", entry["layer"], "replaced_by"), f"{replaced}: {entry['how']} ({exact})"
    for entry in audit.get("sums", []):
        for name in ("exact", "parts", "bound_spikes", "mean_deviation_spikes", "unsent_share"):
            yield Fact("conversion", entry["population"], f"sum_{name}"), entry[name]
    for note in audit.get("notes", []):
        yield Fact("conversion", "", f"note: {note}"), True


def _network(artifact: Artifact) -> Iterator[tuple[Fact, Value]]:
    network = artifact.network
    for population in network.populations:
        yield from _facts_of("network", population.name, _population(population))
    for given in network.input_projections:
        yield from _facts_of("network", f"projection {given.name}", _input_projection(given))
    for projection in network.projections:
        yield from _facts_of("network", f"projection {projection.name}", _projection(projection))


def _facts_of(section: str, subject: str, values: dict[str, Value]) -> Iterator[tuple[Fact, Value]]:
    return ((Fact(section, subject, name), value) for name, value in values.items())


def _population(population: Population) -> dict[str, Value]:
    return {
        "shape": "x".join(map(str, population.shape)),
        "neuron_model": population.model,
        "reset": population.reset,
        "lead_steps": population.lead,
        "start_step": population.start_step,
    }


def _input_projection(projection: InputProjection) -> dict[str, Value]:
    return {
        "source": "input",
        "target": projection.target,
        "weight_fraction_bits": projection.weight_fraction_bits,
        "input_fraction_bits": projection.input_fraction_bits,
        "weights_sha256": _weights_sha256(projection),
    }


def _projection(projection: Projection) -> dict[str, Value]:
    return {
        "source": projection.source,
        "target": projection.target,
        "weight_bits": projection.weight_bits,
        "weight_exponent": projection.weight_exponent,
        "sign_mode": projection.sign_mode,
        "delay_steps": projection.delay,
        "weights_sha256": _weights_sha256(projection),
    }


def _weights_sha256(projection: Projection | InputProjection) -> str:
    shape = repr(projection.weights.shape).encode()
    return hashlib.sha256(shape + projection.weights.tobytes()).hexdigest()


def _mapping(artifact: Artifact) -> Iterator[tuple[str, Value]]:
    """What needs no legal mapping."""
    network = artifact.network
    yield "neurons", sum(population.neuron_count for population in network.populations)
    yield "synapses", sum(projection.connectivity.synapse_count for projection in network.projections)
    yield "latency_steps", network.latency_steps
    yield "steps_per_sample", network.timesteps + network.gap_steps
    yield "spikes_per_inference", sum(artifact.counts.spikes_per_inference)
    yield "cores", len(artifact.placement.cores)
    yield "chips", artifact.placement.chip_count


def _measured(artifact: Artifact, preset: EnergyPreset) -> Iterator[tuple[str, Value]]:
    """Measures that `check` compares with a baseline, and the load of the links."""
    yield from ((name, measure.value) for name, measure in measures(artifact, preset).items())
    counts = artifact.counts.spikes_per_inference
    metrics = route_metrics(artifact.network, artifact.placement, artifact.profile, counts)
    yield "messages", metrics.messages
    yield "off_chip_messages", metrics.off_chip_messages
    yield "max_link_load", metrics.max_link_load
    yield "mean_link_load", metrics.mean_link_load
    if metrics.most_routing_entries is not None:
        yield "most_routing_entries", metrics.most_routing_entries


def _layers(artifact: Artifact, preset: EnergyPreset) -> Iterator[tuple[Fact, Value]]:
    network, counts = artifact.network, artifact.counts
    cores = Counter(name for core in artifact.placement.cores for name in {tile.population for tile in core.tiles})
    rows = {row.name: row for row in EnergyReport(counts, preset).layers}
    for population in network.populations:
        name = population.name
        values: dict[str, Value] = {
            "neurons": population.neuron_count,
            "synapses": sum(projection.connectivity.synapse_count for projection in network.incoming(name)),
            "cores": cores[name],
            "spikes_per_inference": rows[name].events["spike"] if name in rows else 0.0,
            "energy_pj": rows[name].energy_pj if name in rows else 0.0,
        }
        yield from _facts_of("layers", name, values)
