"""What differs between two artifacts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from hw_profiles.energy import EnergyPreset
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.check.baseline import Change
from nmdeploy.check.places import NETWORK
from nmdeploy.compare.facts import LEGAL, QUANTITIES, SECTIONS, Fact, Value, artifact_facts


@dataclass(frozen=True)
class Difference:
    """One fact that is not the same.

    Attributes
    ----------
    fact : Fact
    old, new : str, int, float, bool or None
        Of the first and the second artifact; None where it has no such fact.
    """

    fact: Fact
    old: Value | None
    new: Value | None

    @property
    def change(self) -> Change | None:
        """From the old amount to the new one; None where they are no amounts, or there is one only."""
        if self.fact.section not in QUANTITIES or self.fact == LEGAL or self.old is None or self.new is None:
            return None
        return Change(self.fact.name, float(self.old), float(self.new), Fraction(0), self.fact.subject or NETWORK)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; percent is None where the old amount is 0."""
        change = self.change
        share = None if change is None else change.share
        return {
            **self.fact._asdict(),
            "old": self.old,
            "new": self.new,
            "difference": None if change is None else change.new - change.old,
            "percent": None if share is None else 100 * share,
        }


@dataclass(frozen=True)
class Comparison:
    """Two artifacts side by side.

    Attributes
    ----------
    old, new : str
        As they were given.
    preset : EnergyPreset
    old_legal, new_legal : bool
        Whether no rule was broken; an illegal mapping is not measured.
    differences : tuple of Difference
        In order of `SECTIONS`.
    """

    old: str
    new: str
    preset: EnergyPreset
    old_legal: bool
    new_legal: bool
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether nothing differs: the files of both are the same, byte for byte."""
        return not self.differences

    @property
    def by_section(self) -> dict[str, list[Difference]]:
        """Differences of each section that has any."""
        found = {name: [one for one in self.differences if one.fact.section == name] for name in SECTIONS}
        return {name: differences for name, differences in found.items() if differences}

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "old": self.old,
            "new": self.new,
            "equal": self.equal,
            "preset": self.preset.name,
            "energy_left_out": self.preset.left_out,
            "old_legal": self.old_legal,
            "new_legal": self.new_legal,
            "differences": [one.as_dict() for one in self.differences],
        }


def compare_artifacts(
    old: Path, new: Path, preset: EnergyPreset, show: Callable[[str], None] = lambda step: None
) -> Comparison:
    """Compare two artifacts, of whatever networks and targets.

    Parameters
    ----------
    old, new : Path
        Folders written by compile.
    preset : EnergyPreset
    show : callable, optional
        Called with what is being done.

    Raises
    ------
    ArtifactError
        One is missing or damaged.
    """
    show("read")
    artifacts = [read_artifact(folder) for folder in (old, new)]
    facts = []
    for folder, artifact in zip((old, new), artifacts, strict=True):
        show(f"measure {folder}")
        facts.append(artifact_facts(artifact, preset))
    before, now = facts
    return Comparison(
        old=str(old),
        new=str(new),
        preset=preset,
        old_legal=bool(before[LEGAL]),
        new_legal=bool(now[LEGAL]),
        differences=differences(before, now),
    )


def differences(old: dict[Fact, Value], new: dict[Fact, Value]) -> tuple[Difference, ...]:
    """All facts that are not the same, by section, the old ones of each first."""
    every = dict.fromkeys((*old, *new))
    changed = [Difference(fact, old.get(fact), new.get(fact)) for fact in every if old.get(fact) != new.get(fact)]
    order = list(SECTIONS)
    return tuple(sorted(changed, key=lambda one: order.index(one.fact.section)))
