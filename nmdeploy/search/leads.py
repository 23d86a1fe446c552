"""How long a lead paced populations need, and which of them can do without: each lead adds to the time to answer.

The lead lets a population see its input's pace before its first spike, and more of its input before its last ones. How
much that is worth differs from network to network, and from layer to layer by orders of magnitude: the last layers of a
ResNet and some first convolutions of its blocks lose next to nothing without, a population whose counts many layers
build on loses much.
"""

from __future__ import annotations

import math
from dataclasses import replace

from nmdeploy.errors import QuantizationError
from nmdeploy.quantize.neuron_choice import count_memory
from nmdeploy.quantize.schedule import start_steps
from nmdeploy.search.climb import climb
from nmdeploy.search.recipe import Recipe
from nmdeploy.search.trials import Trial, Trials

# A lead twice as long must bring the error below this share of what it was.
WORTH = 0.75
# Without leads the error may grow by this factor, and no decision on held-out samples may be lost.
TOLERANCE = 1.1
SAMPLES_MAX = 64
# About half a minute; of detectors fewer samples are simulated.
SIMULATED_OPERATIONS = 1e12


def lengthen_lead(trials: Trials, begun: Trial) -> Trial:
    """Double the lead as long as it pays, up to a quarter of the window."""

    def longer(recipe: Recipe) -> Recipe | None:
        lead = 2 * recipe.neurons.lead
        if lead > trials.options.timesteps // 4:
            return None
        return replace(recipe, neurons=replace(recipe.neurons, lead=lead))

    return climb(trials, begun, longer, WORTH)


def drop_leads(trials: Trials, begun: Trial) -> Trial:
    """Take the lead from as many populations as the tolerance allows, beginning with those that need it least.

    Parameters
    ----------
    trials : Trials
    begun : Trial
        Populations of it that already do without their lead stay so.

    Returns
    -------
    Trial
        Of the recipe with `NeuronChoice.without_lead` and the compensation of `begun`; or `begun`, if that loses more
        than the tolerance.
    """
    recipe = begun.built.recipe
    waiting = [population.name for population in begun.built.network.populations if population.lead]
    samples = _samples(trials, len(waiting))
    whole = trials.attempt(recipe, samples)

    def tolerable(names: list[str]) -> bool:
        shorter = _attempt(trials, _without(recipe, names), samples)
        return shorter is not None and _tolerable(shorter, whole)

    alone = {name: _attempt(trials, _without(recipe, [name]), samples) for name in waiting}
    errors = {name: math.inf if one is None else one.judgement.error for name, one in alone.items()}
    ordered = sorted(waiting, key=lambda name: errors[name])
    fits, fails = 0, len(ordered) + 1
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if tolerable(ordered[:middle]):
            fits = middle
        else:
            fails = middle
    dropped = _that_shorten(trials, recipe, ordered[:fits])
    if not dropped:
        return begun
    uncompensated = _attempt(trials, _without(recipe, dropped))
    if uncompensated is None:
        return begun
    shorter = trials.compensated(uncompensated, recipe.compensation)
    return shorter if _tolerable(shorter, begun) else begun


def _attempt(trials: Trials, recipe: Recipe, samples: int | None = None) -> Trial | None:
    """None where what does not wait itself would have to be delayed by more than the target can."""
    try:
        return trials.attempt(recipe, samples)
    except QuantizationError:
        return None


def _without(recipe: Recipe, names: list[str]) -> Recipe:
    without_lead = recipe.neurons.without_lead.union(names)
    return replace(recipe, neurons=replace(recipe.neurons, without_lead=without_lead))


def _tolerable(trial: Trial, whole: Trial) -> bool:
    better, before = trial.judgement, whole.judgement
    return better.same >= before.same and better.error <= TOLERANCE * before.error


def _samples(trials: Trials, populations: int) -> int:
    simulations = populations + populations.bit_length() + 1
    affordable = SIMULATED_OPERATIONS // max(1, simulations * trials.operations(1))
    return int(max(1, min(SAMPLES_MAX, affordable)))


def _that_shorten(trials: Trials, recipe: Recipe, names: list[str]) -> list[str]:
    """Names without those whose lead costs no time, since others on a parallel path take as long."""
    kept = list(names)
    shortest = _latency(trials, recipe, kept)
    for name in reversed(names):
        fewer = [other for other in kept if other != name]
        if _latency(trials, recipe, fewer) == shortest:
            kept = fewer
    return kept


def _latency(trials: Trials, recipe: Recipe, names: list[str]) -> int:
    network, neurons = trials.converted.network, _without(recipe, names).neurons
    memories = {population.name: count_memory(population, neurons) for population in network.populations}
    leads = {name: 0 if memory is None else memory.lead for name, memory in memories.items()}
    starts = start_steps(network, leads)
    return max(starts[name] + leads[name] for name in starts)
