"""Markdown for a step summary: made to be appended to ``$GITHUB_STEP_SUMMARY``, which holds 1 MiB a step."""

from __future__ import annotations

from nmdeploy.check.formats.markdown_table import escaped, table_row
from nmdeploy.check.measures import MEANINGS
from nmdeploy.check.outcome import Outcome
from nmdeploy.check.wording import growth, number, tolerance_percent

LISTED = 100
"""Findings that are listed; a thousand rows would be read by nobody, and ten thousand not shown."""


def render(outcome: Outcome) -> str:
    """A heading with the verdict, a table of measures, and one of what is wrong."""
    wrong = len(outcome.findings)
    verdict = "passed" if not outcome.failed else "failed"
    lines = [
        f"### nmdeploy check: {escaped(outcome.artifact)} {verdict}",
        "",
        f"{outcome.rules_checked} rules, {outcome.error_count} violations, {len(outcome.missed)} budgets missed or "
        f"measures worse. {outcome.cores_used} cores (bound {outcome.cores_bound}) on {outcome.chips_used} chip(s) of "
        f"{escaped(outcome.target)}.",
        "",
    ]
    if outcome.measures is not None:
        lines += [*_measure_table(outcome), "", escaped(outcome.preset.remark), ""]
    if outcome.baseline is not None:
        earlier = escaped(outcome.baseline.name)
        lines += [f"Since {earlier}: {escaped(remark)}.\n" for remark in outcome.baseline.remarks]
    if wrong:
        lines += ["| rule | where | line | what | remedy |", "|---|---|--:|---|---|"]
        for finding in outcome.findings[:LISTED]:
            item = finding.violation
            excess = "" if item.demand is None else f" ({item.demand:,} > {item.capacity:,})"
            cells = (item.rule, item.where, str(finding.line), item.message + excess, item.remedy)
            lines.append(table_row(*map(escaped, cells)))
        if wrong > LISTED:
            lines += ["", f"and {wrong - LISTED:,} more; `nmdeploy check` lists all of them."]
        lines.append("")
    return "\n".join(lines) + "\n"


def _measure_table(outcome: Outcome) -> list[str]:
    """Values; budgets and baseline where there are any."""
    budgets = {one.measure: one for one in outcome.budgets}
    changes = {} if outcome.baseline is None else {one.measure: one for one in outcome.baseline.changes}
    headings = ["measure", "value"]
    headings += ["budget"] if budgets else []
    headings += ["baseline", "change"] if changes else []
    lines = [table_row(*headings), "|---|" + "--:|" * (len(headings) - 1)]
    for name, measure in (outcome.measures or {}).items():
        cells = [f"`{name}`: {MEANINGS[name]}", number(name, measure.value)]
        if budgets:
            budget = budgets.get(name)
            missed = "" if budget is None or budget.met else ", **missed**"
            cells.append("" if budget is None else number(name, budget.budget) + missed)
        if changes:
            change = changes.get(name)
            worse = (
                f", **worse** (tolerance {tolerance_percent(change)})" if change is not None and change.worse else ""
            )
            cells += ["", ""] if change is None else [number(name, change.old), growth(change) + worse]
        lines.append(table_row(*cells))
    return lines
