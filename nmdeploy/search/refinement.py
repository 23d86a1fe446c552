"""The number of refinement steps, by measured agreement.

Each refinement step halves what a spike can stand for at the least, and takes a whole step of the window from what it
can stand for at the most: which number is best depends on the network and the window.
"""

from __future__ import annotations

from dataclasses import replace

from nmdeploy.errors import QuantizationError
from nmdeploy.quantize.neuron_choice import NeuronChoice
from nmdeploy.search.trials import Trial, Trials

# Weights and thresholds of 8 bits leave nothing for finer counts to tell.
FIRST_TRIED_MAX = 4


def first_tried(neurons: NeuronChoice, timesteps: int) -> int:
    """Where the search begins: half of a short window, else 4; 0 for neurons that cannot refine."""
    return min(timesteps // 2, FIRST_TRIED_MAX) if neurons.can_refine else 0


def choose_refinement(trials: Trials, begun: Trial) -> Trial:
    """Step up and down from the refinement steps of a trial as long as it helps.

    Parameters
    ----------
    trials : Trials
    begun : Trial
        Of the best method, uncompensated.

    Returns
    -------
    Trial
        `begun`, if none is better.
    """
    best = begun
    for direction in (1, -1):
        while True:
            steps = best.built.recipe.refinement_steps + direction
            if not 0 <= steps < trials.options.timesteps:
                break
            try:
                candidate = trials.attempt(replace(best.built.recipe, refinement_steps=steps))
            except QuantizationError:  # too fine for the state's bits
                break
            if candidate.judgement.rank >= best.judgement.rank:
                break
            best = candidate
        if best is not begun:
            break
    return best
