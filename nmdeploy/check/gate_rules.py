"""All rules that `check` can report, in words: those of the verifier, budgets, and the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapping.layer_rules import LayerRule
from mapping.rules.rule import Rule
from mapping.verify import RULES
from mapping.verify_crossbars import OWN_RULES
from mapping.verify_layers import LAYER_RULES


@dataclass(frozen=True)
class RuleText:
    """What is said of a rule; see `mapping.rules.rule.Rule`."""

    code: str
    title: str
    explanation: str
    figures: tuple[str, ...]
    source: str
    remedy: str


BUDGET = RuleText(
    "NMD901",
    "over budget",
    "A budget is the most that a mapping may cost in cores, chips, hops, energy or utilisation. It is no limit of the "
    "chip: a build fails when it is passed, before the chip is full.",
    (),
    "The budgets given with --budget.",
    "Lower what the measure counts, or raise the budget.",
)
BASELINE = RuleText(
    "NMD902",
    "worse than the baseline",
    "No measure of the mapping may have grown by more than the tolerance since the baseline was compiled.",
    (),
    "The artifact given with --baseline.",
    "Undo what made the mapping worse, or begin with a new baseline if the change is wanted.",
)


def _texts(rules: Mapping[str, Rule[Any] | LayerRule]) -> dict[str, RuleText]:
    return {
        code: RuleText(code, rule.title, rule.explanation, rule.figures, rule.source, rule.remedy)
        for code, rule in rules.items()
    }


EXPLAINED: dict[str, RuleText] = {
    **_texts(RULES),
    BUDGET.code: BUDGET,
    BASELINE.code: BASELINE,
    **_texts(LAYER_RULES),
    **_texts({rule.code: rule for rule in OWN_RULES}),
}
"""Rules of all kinds of chips by code."""


def gate_rules(checked: Sequence[str]) -> dict[str, RuleText]:
    """Rules that a check can report, by code.

    Parameters
    ----------
    checked : sequence of str
        Codes of those of the verifier, in the order in which they are checked.
    """
    return {code: EXPLAINED[code] for code in (*checked, BUDGET.code, BASELINE.code)}
