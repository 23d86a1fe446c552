"""Prove a compiled network legal by the rules of its kind of chip, and say how few cores there could be."""

from __future__ import annotations

from hw_profiles import HardwareProfile
from mapping.bounds import cores_lower_bound
from mapping.crossbar_bounds import crossbar_core_bound
from mapping.verify import RULES, verify
from mapping.verify_crossbars import CROSSBAR_RULES, verify_crossbars
from mapping.violation import Violation
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.errors import ArtifactError


def violations_of(artifact: Artifact) -> list[Violation]:
    """Everything that breaks a rule.

    Raises
    ------
    ArtifactError
        The program of a chip of crossbars is missing.
    """
    if isinstance(artifact.profile, HardwareProfile):
        return verify(artifact.network, artifact.placement, artifact.profile)
    if artifact.program is None:
        raise ArtifactError("the program of the crossbars is missing. Compile the model again.")
    return verify_crossbars(artifact.network, artifact.placement, artifact.program, artifact.profile)


def rules_of(artifact: Artifact) -> tuple[str, ...]:
    """Codes of the rules that are checked."""
    return tuple(RULES if isinstance(artifact.profile, HardwareProfile) else CROSSBAR_RULES)


def cores_bound_of(artifact: Artifact) -> int:
    """Fewest cores of any legal mapping."""
    if isinstance(artifact.profile, HardwareProfile):
        return cores_lower_bound(artifact.network, artifact.profile)
    return crossbar_core_bound(artifact.network, artifact.profile)
