"""Check an artifact: verify, measure, judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hw_profiles.energy import EnergyPreset
from mapping.placement_quality import placement_quality
from nmdeploy.artifact.artifact import Artifact, read_artifact
from nmdeploy.artifact.legality import cores_bound_of, rules_of, violations_of
from nmdeploy.check.baseline import Tolerance, compare, refuse_other_network, remarks
from nmdeploy.check.budget import judge_budgets
from nmdeploy.check.measures import Measure, measures
from nmdeploy.check.outcome import BaselineOutcome, Outcome
from nmdeploy.check.places import Places, placement_path


@dataclass(frozen=True)
class Gate:
    """What a mapping is judged by, besides the rules.

    Attributes
    ----------
    preset : EnergyPreset
        Of all energies.
    budgets : dict of str to float
    baseline : Path or None
        An artifact.
    tolerance : Tolerance
    """

    preset: EnergyPreset
    budgets: dict[str, float]
    baseline: Path | None
    tolerance: Tolerance


def check(artifact: Path, gate: Gate, show: Callable[[str], None] = lambda step: None) -> Outcome:
    """Check an artifact against all rules, budgets and a baseline.

    Budgets and baseline are judged for a legal mapping only; an illegal one fails anyway.

    Parameters
    ----------
    artifact : Path
        Folder written by compile.
    gate : Gate
    show : callable, optional
        Called with what is being done.

    Raises
    ------
    ArtifactError
        The artifact or the baseline is missing or damaged.
    NmdeployError
        The baseline is of another network or target, or a budget of a capacity that the target does not limit.
    """
    show("read")
    compiled = read_artifact(artifact)
    earlier = None if gate.baseline is None else read_artifact(gate.baseline)
    if earlier is not None:
        refuse_other_network(compiled, earlier)
    show("verify")
    violations = tuple(violations_of(compiled))
    legal = not any(violation.severity == "error" for violation in violations)
    show("measure")
    found = measures(compiled, gate.preset) if legal else None
    return Outcome(
        artifact=str(artifact),
        placement_path=placement_path(artifact),
        target=compiled.profile.name,
        rules=rules_of(compiled),
        violations=violations,
        places=Places(compiled),
        cores_used=len(compiled.placement.cores),
        cores_bound=cores_bound_of(compiled),
        chips_used=compiled.placement.chip_count,
        preset=gate.preset,
        measures=found,
        hops_bound=None if found is None else _hops_bound(compiled),
        budgets=() if found is None else tuple(judge_budgets(gate.budgets, found, compiled.placement)),
        baseline=None if earlier is None or found is None else _compared(compiled, found, earlier, gate),
    )


def _hops_bound(compiled: Artifact) -> float:
    """Lower bound of the hops of a message, for the spikes that the hops are measured with."""
    network, placement, profile = compiled.network, compiled.placement, compiled.profile
    return placement_quality(network, placement, profile, compiled.counts.spikes_per_inference).mean_hops_bound


def _compared(compiled: Artifact, found: dict[str, Measure], earlier: Artifact, gate: Gate) -> BaselineOutcome:
    changes = compare(compiled, found, earlier, gate.preset, gate.tolerance)
    return BaselineOutcome(str(gate.baseline), tuple(changes), tuple(remarks(compiled, earlier)))
