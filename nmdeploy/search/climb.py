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
        A change pays if it leaves less than this share of the least error so far.

    Returns
    -------
    Trial
        The last one that paid; `begun` if none did.
    """
    last, before = begun, begun.judgement
    allowed = int(CHANCE * len(before.predictions))
    least, most = before.error, before.same
    while (recipe := change(last.built.recipe)) is not None:
        try:
            candidate = trials.attempt(recipe)
        except QuantizationError:  # what is asked for is beyond the bits of the state
            break
        after = candidate.judgement
        if after.error >= worth * least or after.same < most - allowed:
            break
        last, least, most = candidate, min(least, after.error), max(most, after.same)
    return last
