"""How far above the scales of a method the largest activation lies, by measured agreement.

Calibration samples show few of the rare, large activations, and those of later use may be of another kind. Where counts
have levels to spare, higher scales cost little accuracy, clip less of what calibration did not show, and spare spikes.
"""

from __future__ import annotations

from dataclasses import replace

from nmdeploy.search.climb import climb
from nmdeploy.search.recipe import Recipe
from nmdeploy.search.trials import Trial, Trials

FACTOR = 1.5
LARGEST = 8.0
# A higher scale may cost this much of the least error.
WORTH = 1.05


def choose_headroom(trials: Trials, begun: Trial) -> Trial:
    """Raise all scales by a half as long as it costs next to nothing."""

    def raised(recipe: Recipe) -> Recipe | None:
        headroom = recipe.headroom * FACTOR
        return replace(recipe, headroom=headroom) if headroom <= LARGEST else None

    return climb(trials, begun, raised, WORTH)
