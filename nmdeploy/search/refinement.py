"""The number of refinement steps, by measured agreement.

Each refinement step halves what a spike can stand for at the least, and takes a whole step of the window from what it
can stand for at the most: which number is best depends on the network and the window.
"""

from __future__ import annotations

from dataclasses import replace

from nmdeploy.quantize.neuron_choice import NeuronChoice
from nmdeploy.search.climb import climb
from nmdeploy.search.recipe import Recipe
from nmdeploy.search.trials import Trial, Trials

# Of windows of 8 steps and more; the search goes on from here.
FIRST_TRIED_MAX = 4


def first_tried(neurons: NeuronChoice, timesteps: int) -> int:
    """Where the search begins: half of a short window, else 4; 0 for neurons that cannot refine."""
    return min(timesteps // 2, FIRST_TRIED_MAX) if neurons.can_refine else 0


def choose_refinement(trials: Trials, begun: Trial) -> Trial:
    """Step up from the refinement steps of a trial as long as it helps, or down."""

    def more(recipe: Recipe) -> Recipe | None:
        steps = recipe.refinement_steps + 1
        return replace(recipe, refinement_steps=steps) if steps < trials.options.timesteps else None

    def fewer(recipe: Recipe) -> Recipe | None:
        steps = recipe.refinement_steps - 1
        return replace(recipe, refinement_steps=steps) if steps >= 0 else None

    best = climb(trials, begun, more)
    return best if best is not begun else climb(trials, begun, fewer)
