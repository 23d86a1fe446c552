"""The search for the recipe whose integer network keeps the float network's decisions best."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mapping.step_weights import window_weight
from nmdeploy.errors import QuantizationError
from nmdeploy.search.build import Built
from nmdeploy.search.freedom import Freedom
from nmdeploy.search.headroom import choose_headroom
from nmdeploy.search.judge import Judgement
from nmdeploy.search.leads import drop_leads, lengthen_lead
from nmdeploy.search.read_out import delay_read_out
from nmdeploy.search.recipe import Recipe
from nmdeploy.search.refinement import choose_refinement, first_tried
from nmdeploy.search.screen import screened
from nmdeploy.search.trials import Trial, Trials

# How many of the methods are worth compensating: the compensation runs every layer twice.
FINALISTS = 2
# How many are simulated where simulating all of them would take more synaptic operations than this (about a minute).
SCREENED = 3
SIMULATED_OPERATIONS = 2e12


@dataclass(frozen=True)
class Found:
    """The best network, how it does, and what was left out.

    Attributes
    ----------
    built : Built
    judgement : Judgement
    notes : tuple of str
        What was left out and why, and what else the user should know.
    """

    built: Built
    judgement: Judgement
    notes: tuple[str, ...]


def search(trials: Trials, wanted: Recipe, freedom: Freedom) -> Found:
    """Decide what is open, by agreement on held-out samples.

    Methods are tried first; then, with the best method, more and fewer refinement steps, longer leads and higher
    scales; then the errors of the best networks are compensated, which is kept only if it is better on samples that it
    has not seen; last, outputs are read later, or populations that can do without their lead lose it. Where networks,
    samples and window are so large that simulating every method takes too long, those that lose most by rounding and
    clipping alone are left out.

    Parameters
    ----------
    trials : Trials
    wanted : Recipe
        What is not open.
    freedom : Freedom

    Raises
    ------
    QuantizationError
        The target cannot hold the network with any of the methods.
    """
    if freedom.refinement_steps:
        wanted = replace(wanted, refinement_steps=first_tried(wanted.neurons, trials.options.timesteps))
    tried, refusals = _try_methods(trials, wanted, freedom.methods)
    best = tried[0]
    if freedom.refinement_steps and wanted.neurons.can_refine:
        best = choose_refinement(trials, best)
    if freedom.leads and wanted.neurons.lead:
        best = lengthen_lead(trials, best)
    if freedom.headroom:
        best = choose_headroom(trials, best)
    results = [best] if "none" in freedom.compensations else []
    for finalist in [best, *tried[1:FINALISTS]]:
        results += [trials.compensated(finalist, one) for one in freedom.compensations if one != "none"]
    best = min(results, key=lambda trial: trial.judgement.rank)
    if freedom.read_out and not wanted.neurons.has_count_memory:
        best = delay_read_out(trials, best, freedom.compensations)
    if freedom.leads and wanted.neurons.lead:
        best = drop_leads(trials, best)
    return Found(best.built, best.judgement, tuple(f"method {name} left out: {why}" for name, why in refusals.items()))


def _try_methods(
    trials: Trials, wanted: Recipe, methods: tuple[str, ...]
) -> tuple[list[Trial], dict[str, QuantizationError]]:
    """What fits, the best first, and why the rest does not."""
    tried: list[Trial] = []
    refusals: dict[str, QuantizationError] = {}
    ordered, enough = _worth_simulating(trials, methods, wanted.refinement_steps)
    for method in ordered:
        if len(tried) == enough:
            break
        try:
            tried.append(trials.attempt(replace(wanted, method=method)))
        except QuantizationError as refusal:
            refusals[method] = refusal
    if not tried:
        raise list(refusals.values())[-1]
    # sort() is stable: of equals the first in the order of METHODS stays first
    tried.sort(key=lambda trial: trial.judgement.rank)
    return tried, refusals


def _worth_simulating(trials: Trials, methods: tuple[str, ...], refinement_steps: int) -> tuple[list[str], int]:
    """The methods in the order to try them, and after how many to stop: those that round and clip least, or all."""
    held_out = trials.calibration.held_out
    if len(methods) * trials.operations(len(held_out)) <= SIMULATED_OPERATIONS or len(methods) <= SCREENED:
        return list(methods), len(methods)
    levels = window_weight(trials.options.timesteps, refinement_steps)
    return screened(trials.converted, methods, levels, held_out, trials.reference), SCREENED
