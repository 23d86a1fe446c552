"""For people."""

from __future__ import annotations

from nmdeploy.check.outcome import Outcome
from nmdeploy.check.wording import growth, number


def render(outcome: Outcome) -> str:
    """Violations, budgets and changes, and a line that sums up."""
    lines = [str(violation) for violation in (*outcome.violations, *outcome.missed)]
    for budget in outcome.budgets:
        if budget.met:
            value, most = (number(budget.measure, one) for one in (budget.value, budget.budget))
            lines.append(f"budget {budget.measure}: {value} of {most}")
    if outcome.baseline is not None:
        lines += [f"baseline {outcome.baseline.name}: {remark}" for remark in outcome.baseline.remarks]
        changed = [change for change in outcome.baseline.changes if change.old != change.new]
        for change in changed:
            old, new = (number(change.measure, one) for one in (change.old, change.new))
            lines.append(f"baseline {change.measure}: {old} -> {new}, {growth(change)}")
        if not changed:
            lines.append(f"baseline {outcome.baseline.name}: no measure has changed")
    shown = [one.measure for one in outcome.budgets]
    if outcome.baseline is not None:
        shown += [change.measure for change in changed]
    if "energy_pj" in shown:
        lines.append(outcome.preset.remark)
    return "\n".join([*lines, summary_line(outcome)]) + "\n"


def summary_line(outcome: Outcome) -> str:
    """One line: what was found, and what the mapping takes."""
    warnings = len(outcome.violations) - outcome.error_count
    found = f"{outcome.error_count} violations, {warnings} warnings"
    if outcome.budgets or outcome.baseline is not None:
        found += f", {len(outcome.missed)} budgets missed or measures worse"
    place = f"{outcome.cores_used} cores (bound {outcome.cores_bound}) on {outcome.chips_used} chip(s)"
    hops = ""
    if outcome.measures is not None and outcome.hops_bound is not None:
        taken, bound = (number("hops", one) for one in (outcome.measures["hops"].value, outcome.hops_bound))
        hops = f", {taken} hops a message (bound >= {bound})"
    return f"{outcome.artifact}: {found}; {outcome.rules_checked} rules over {place} of {outcome.target}{hops}"
