"""One part of a recipe changed step by step, as long as that pays."""

from __future__ import annotations

from collections.abc import Callable

from nmdeploy.errors import QuantizationError
from nmdeploy.search.recipe import Recipe
from nmdeploy.search.trials import Trial, Trials

# The error orders networks more finely than decisions do: so few of these may differ by chance.
CHANCE = 0.01


def climb(
    trials: Trials, begun: Trial, change: Callable[[Recipe], Recipe | None], worth: float = 1.0
) -> Trial:
    """Change a recipe again and again, and stop at the first change that does not pay.

    Parameters
    ----------
    trials : Trials
    begun : Trial
        Uncompensated.
    change : callable
        From a recipe to the next one to try; None at the end.
    worth : float
        A change pays if it brings the error below this share of what it was.

    Returns
    -------
    Trial
        The last one that paid; `begun` if none did.
    """
    best = begun
    while (recipe := change(best.built.recipe)) is not None:
        try:
            candidate = trials.attempt(recipe)
        except QuantizationError:  # what is asked for is beyond the bits of the state
            break
        if not _pays(candidate, best, worth):
            break
        best = candidate
    return best


def _pays(candidate: Trial, best: Trial, worth: float) -> bool:
    after, before = candidate.judgement, best.judgement
    allowed = int(CHANCE * len(before.predictions))
    return after.error < worth * before.error and after.same >= before.same - allowed
