"""For scripts: keys that stay."""

from __future__ import annotations

import json
from typing import Any

from nmdeploy.check.baseline import Change
from nmdeploy.check.measures import MEANINGS, UTILISATION
from nmdeploy.check.outcome import Outcome


def render(outcome: Outcome) -> str:
    """One JSON document."""
    return json.dumps(document(outcome), indent=1) + "\n"


def document(outcome: Outcome) -> dict[str, Any]:
    """The outcome as plain data."""
    return {
        "artifact": outcome.artifact,
        "placement": outcome.placement_path,
        "target": outcome.target,
        "passed": not outcome.failed,
        "violations": [
            {**violation.as_dict(), "line": outcome.places.line(violation.where)} for violation in outcome.violations
        ],
        "rules_checked": outcome.rules_checked,
        "cores_used": outcome.cores_used,
        "cores_bound": outcome.cores_bound,
        "chips_used": outcome.chips_used,
        "hops_bound": outcome.hops_bound,
        "preset": outcome.preset.name,
        "energy_left_out": outcome.preset.left_out,
        "measures": None if outcome.measures is None else _measures(outcome),
        "budgets": [
            {
                "measure": one.measure,
                "value": one.value,
                "budget": one.budget,
                "met": one.met,
                "where": one.where,
                "line": outcome.places.line(one.where),
            }
            for one in outcome.budgets
        ],
        "baseline": _baseline(outcome),
    }


def _measures(outcome: Outcome) -> dict[str, Any]:
    """Values by name; of a capacity the mean over the cores, too, which says how well cores are filled."""
    found = outcome.measures or {}
    means = {name: float(one.by_core.mean()) for name, one in found.items() if name.startswith(f"{UTILISATION}.")}
    values = {name: one.value for name, one in found.items()}
    return {"values": values, "mean_utilisation": means, "meanings": {name: MEANINGS[name] for name in values}}


def _baseline(outcome: Outcome) -> dict[str, Any] | None:
    if outcome.baseline is None:
        return None
    return {
        "artifact": outcome.baseline.name,
        "remarks": list(outcome.baseline.remarks),
        "changes": [_change(outcome, change) for change in outcome.baseline.changes],
    }


def _change(outcome: Outcome, change: Change) -> dict[str, Any]:
    return {
        "measure": change.measure,
        "old": change.old,
        "new": change.new,
        "percent": None if change.share is None else 100 * change.share,
        "tolerance_percent": float(100 * change.tolerance),
        "worse": change.worse,
        "where": change.where,
        "line": outcome.places.line(change.where),
    }
