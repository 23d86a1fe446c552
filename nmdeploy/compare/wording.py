"""How differences are written for people."""

from __future__ import annotations

import re

from nmdeploy.check.measures import UTILISATION
from nmdeploy.check.wording import growth, number
from nmdeploy.compare.differences import Comparison, Difference
from nmdeploy.compare.facts import Value

DIGEST = re.compile("[0-9a-f]{64}")
DIGEST_SHOWN = 12

HEADINGS = ("", "A", "B", "change")


def cells(difference: Difference) -> tuple[str, str, str, str]:
    """What differs, both values, and by how much."""
    fact = difference.fact
    return (
        f"{fact.subject} {fact.name}".strip(),
        shown(fact.name, difference.old),
        shown(fact.name, difference.new),
        _changed(difference),
    )


def shown(name: str, value: Value | None) -> str:
    """A value; of a digest the beginning, and a dash for none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value[:DIGEST_SHOWN] if DIGEST.fullmatch(value) else value
    return number(name, value)


def _changed(difference: Difference) -> str:
    if difference.old is None:
        return "only in B"
    if difference.new is None:
        return "only in A"
    change = difference.change
    if change is None:
        return ""
    by = abs(change.new - change.old)
    amount = f"{100 * by:.1f} points" if change.measure.startswith(UTILISATION) else number(change.measure, by)
    return f"{'-' if change.new < change.old else '+'}{amount} ({growth(change)})"


def verdict(comparison: Comparison) -> str:
    """One line: whether they are equal, else how much differs."""
    if comparison.equal:
        return "equal: all files are the same, byte for byte"
    sections = ", ".join(f"{len(found)} in {name}" for name, found in comparison.by_section.items())
    return f"{len(comparison.differences)} differences: {sections}"


def remarks(comparison: Comparison) -> list[str]:
    """What a reader must know of the figures."""
    sides = (("A", comparison.old_legal), ("B", comparison.new_legal))
    found = [f"{side} breaks a rule of its chip and is not measured" for side, legal in sides if not legal]
    if not comparison.equal:
        found.append(
            "messages, spikes and energy: mean of an inference over the samples that compile counted; accuracy is no "
            "part of an artifact, nmdeploy run gives it"
        )
        found.append(comparison.preset.remark)
    return found
