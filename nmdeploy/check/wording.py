"""How measures and their changes are written for people."""

from __future__ import annotations

from nmdeploy.check.baseline import Change
from nmdeploy.check.measures import UTILISATION


def number(measure: str, value: float) -> str:
    """The value of a measure: shares in percent, whole numbers whole."""
    if measure.startswith(UTILISATION):
        return f"{value:.1%}"
    return f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{value:,.3f}"


def growth(change: Change) -> str:
    """By how much a measure has changed, in percent."""
    if change.share is None:
        return "from nothing"
    return f"{change.share:+.1%}" if change.share else "same"


def tolerance_percent(change: Change) -> str:
    """The tolerance of a change."""
    return f"{float(100 * change.tolerance):g}%"
