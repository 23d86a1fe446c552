"""How far above the scales of a method the largest activation lies, by measured agreement.

Few calibration samples show few of the rare, large activations. Where counts have levels to spare, scales above what
calibration showed cost little, and clip less of what it did not show.
"""

from __future__ import annotations

from dataclasses import replace

from nmdeploy.search.climb import climb
from nmdeploy.search.recipe import Recipe
from nmdeploy.search.trials import Trial, Trials

FACTOR = 1.5
LARGEST = 8.0


def choose_headroom(trials: Trials, begun: Trial) -> Trial:
    """Raise all scales by a half as long as it helps."""

    def raised(recipe: Recipe) -> Recipe | None:
        headroom = recipe.headroom * FACTOR
        return replace(recipe, headroom=headroom) if headroom <= LARGEST else None

    return climb(trials, begun, raised)
