"""What a check found: the one thing that all formats print."""

from __future__ import annotations

from dataclasses import dataclass

from hw_profiles.energy import EnergyPreset
from mapping.violation import Violation
from nmdeploy.check.baseline import Change
from nmdeploy.check.budget import BudgetVerdict
from nmdeploy.check.gate_rules import BASELINE, BUDGET
from nmdeploy.check.measures import MEANINGS, Measure
from nmdeploy.check.places import Places
from nmdeploy.check.wording import growth, number, tolerance_percent


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, at a line.

    Attributes
    ----------
    violation : Violation
        Of a rule of the verifier, or of `BUDGET` or `BASELINE`.
    line : int
        Of `placement.json`.
    """

    violation: Violation
    line: int


@dataclass(frozen=True)
class BaselineOutcome:
    """Comparison with an earlier mapping.

    Attributes
    ----------
    name : str
        As it was given.
    changes : tuple of Change
    remarks : tuple of str
        What differs besides the mapping.
    """

    name: str
    changes: tuple[Change, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """Everything that a check found.

    Attributes
    ----------
    artifact : str
        As it was given.
    placement_path : str
        See `nmdeploy.check.places.placement_path`.
    target : str
    rules : tuple of str
        Codes of those of the verifier, in the order in which they were checked.
    violations : tuple of Violation
        Of the verifier.
    places : Places
    cores_used, cores_bound, chips_used : int
    preset : EnergyPreset
        Of the energy.
    measures : dict of str to Measure, or None
        None for an illegal mapping, which is not measured.
    hops_bound : float or None
        No placement of these cores on these chips takes fewer hops a message; None for an illegal mapping.
    budgets : tuple of BudgetVerdict
    baseline : BaselineOutcome or None
    """

    artifact: str
    placement_path: str
    target: str
    rules: tuple[str, ...]
    violations: tuple[Violation, ...]
    places: Places
    cores_used: int
    cores_bound: int
    chips_used: int
    preset: EnergyPreset
    measures: dict[str, Measure] | None
    hops_bound: float | None
    budgets: tuple[BudgetVerdict, ...]
    baseline: BaselineOutcome | None

    @property
    def rules_checked(self) -> int:
        """How many rules were checked."""
        return len(self.rules)

    @property
    def error_count(self) -> int:
        """Number of violations that are no warnings."""
        return sum(violation.severity == "error" for violation in self.violations)

    @property
    def missed(self) -> list[Violation]:
        """Budgets missed and measures worse than the baseline, as violations."""
        found = []
        for budget in self.budgets:
            if not budget.met:
                value, most = (number(budget.measure, one) for one in (budget.value, budget.budget))
                message = f"{budget.measure} {value}, budget {most} ({MEANINGS[budget.measure]})"
                found.append(Violation(BUDGET.code, "error", budget.where, message, None, None, BUDGET.remedy))
        for change in () if self.baseline is None else self.baseline.changes:
            if change.worse:
                old, new = (number(change.measure, one) for one in (change.old, change.new))
                message = (
                    f"{change.measure} {old} -> {new}, {growth(change)} "
                    f"({MEANINGS[change.measure]}; tolerance {tolerance_percent(change)})"
                )
                found.append(Violation(BASELINE.code, "error", change.where, message, None, None, BASELINE.remedy))
        return found

    @property
    def findings(self) -> list[Finding]:
        """All violations and missed budgets with their lines."""
        return [Finding(item, self.places.line(item.where)) for item in (*self.violations, *self.missed)]

    @property
    def failed(self) -> bool:
        """Whether the build is to fail."""
        return bool(self.error_count or self.missed)
