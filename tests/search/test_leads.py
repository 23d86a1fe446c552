"""Leads: how long, and which populations can do without."""

import itertools
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from made_up import MadeUpTrials, trial
from torch import nn

from hw_profiles import load_profile
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import convert
from nmdeploy.errors import QuantizationError
from nmdeploy.frontend.trace import trace
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import NeuronChoice
from nmdeploy.search.leads import drop_leads, lengthen_lead
from nmdeploy.search.recipe import Recipe
from nmdeploy.search.trials import Trials


def paced(lead):
    return NeuronChoice("paced", lead, release="threshold")


def lengthened(errors, timesteps, begin=1):
    trials = MadeUpTrials(lambda recipe: recipe.neurons.lead, errors, timesteps=timesteps)
    found = lengthen_lead(trials, trials.attempt(Recipe("layer-max", paced(begin))))
    return found.built.recipe.neurons.lead, trials.attempted[1:]


ALWAYS_BETTER = {lead: 1 / lead**2 for lead in range(1, 100)}


@pytest.mark.parametrize(
    ("timesteps", "begin", "found", "tried"),
    [
        (64, 1, 16, [2, 4, 8, 16]),
        (63, 1, 8, [2, 4, 8]),
        (50, 3, 12, [6, 12]),
        (8, 1, 2, [2]),
        (7, 1, 1, []),
        (4, 1, 1, []),
    ],
)
def test_the_lead_doubles_up_to_a_quarter_of_the_window(timesteps, begin, found, tried):
    assert lengthened(ALWAYS_BETTER, timesteps, begin) == (found, tried)


def test_a_longer_lead_must_pay():
    assert lengthened({1: 1.0, 2: 0.74, 4: 0.6, 8: 0.1}, 256) == (2, [2, 4])
    assert lengthened({1: 1.0, 2: 0.76, 4: 0.1}, 256) == (1, [2])


class Branches(nn.Module):
    """A branch of three layers beside one of a single layer, and layers before and after."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.long = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(3))
        self.short = nn.Conv2d(4, 4, 3, padding=1)
        self.after = nn.Conv2d(4, 4, 3)
        self.last = nn.Linear(4 * 16, 5)
        torch.manual_seed(1)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.2)

    def forward(self, x):
        x = F.relu(self.first(x))
        beside = F.relu(self.short(x))
        for layer in self.long:
            x = F.relu(layer(x))
        return self.last(F.relu(self.after(x + beside)).flatten(1))


FIRST, LONG, SHORT, AFTER = "first", ("long.0", "long.1", "long.2"), "short", "after"
ALL = {FIRST, *LONG, SHORT, AFTER}


@pytest.fixture(scope="module")
def branches():
    samples = np.random.default_rng(0).normal(size=(80, 2, 6, 6)).astype(np.float32)
    calibration = split_calibration(samples, "normal noise")
    converted = convert(trace(Branches().eval(), torch.from_numpy(samples[:1])), calibration, 99.9)
    return Trials(converted, calibration, load_profile("loihi2"), QuantizationOptions(timesteps=16))


def longest_path(network):
    """Steps from the first input to the last firing step: a step for each projection, and every lead on the way."""
    ends = [name for name, degree in network.graph.out_degree() if not degree]
    starts = [name for name, degree in network.graph.in_degree() if not degree]
    paths = [path for pair in itertools.product(starts, ends) for path in nx.all_simple_paths(network.graph, *pair)]
    leads = {population.name: population.lead for population in network.populations}
    return network.timesteps + max(sum(leads[name] for name in path) + len(path) - 1 for path in paths)


def without(trials, begun, names):
    neurons = replace(begun.built.recipe.neurons, without_lead=frozenset(names))
    return trials.attempt(replace(begun.built.recipe, neurons=neurons))


@pytest.mark.parametrize("compensation", ["none", "bias"])
def test_what_loses_little_does_without(branches, compensation):
    wanted = Recipe("channel-max", paced(2), refinement_steps=3)
    begun = branches.compensated(branches.attempt(wanted), compensation)
    found = drop_leads(branches, begun)
    dropped, network = found.built.recipe.neurons.without_lead, found.built.network
    assert dropped
    assert dropped < ALL
    assert found.built.recipe == replace(begun.built.recipe, neurons=replace(paced(2), without_lead=dropped))
    leads = {population.name: population.lead for population in network.populations if population.count_memory}
    assert leads == {name: 0 if name in dropped else 2 for name in ALL}
    assert network.latency_steps == longest_path(network) < longest_path(begun.built.network)
    assert found.judgement.error <= 1.1 * begun.judgement.error
    assert found.judgement.same >= begun.judgement.same
    # each of them saves time: with its lead the answer comes later
    for name in dropped:
        assert longest_path(without(branches, begun, dropped - {name}).built.network) > longest_path(network)


@dataclass(frozen=True)
class MadeUpErrors(Trials):
    """Real networks, made-up judgements: what populations without lead add to the error, and which lose a decision."""

    losses: dict
    lost: frozenset

    def judged(self, built, samples=None):
        names = built.recipe.neurons.without_lead
        error = 1.0 + sum(self.losses.get(name, 0.0) for name in names)
        return trial(built.recipe, error, 20 - len(names & self.lost), 20, built.network)


def dropped_with(branches, losses, lost=(), lead=2, timesteps=16, before=frozenset()):
    options = QuantizationOptions(timesteps)
    trials = MadeUpErrors(branches.converted, branches.calibration, branches.profile, options, losses, frozenset(lost))
    begun = trials.attempt(Recipe("channel-max", replace(paced(lead), without_lead=before)))
    found = drop_leads(trials, begun)
    assert (found is begun) == (found.built.recipe.neurons.without_lead == before)
    return found.built.recipe.neurons.without_lead


def test_a_branch_beside_a_longer_one_keeps_its_lead(branches):
    """Its spikes would wait for those of the longer one."""
    assert dropped_with(branches, {}) == ALL - {SHORT}


def test_a_branch_that_has_become_the_longer_one_does_without(branches):
    """One step for each of three layers is less than one layer and a lead of 8."""
    assert dropped_with(branches, {}, lead=8, timesteps=32) == ALL


def test_those_that_lose_most_keep_theirs(branches):
    losses = dict(zip([AFTER, SHORT, *LONG, FIRST], [0.01, 0.02, 0.03, 0.035, 0.2, 0.3], strict=True))
    assert dropped_with(branches, losses) == {AFTER, *LONG[:2]}


def test_no_decision_is_lost(branches):
    assert dropped_with(branches, {LONG[0]: 0.02, FIRST: 0.01}, lost=(LONG[0],)) == ALL - {SHORT, LONG[0]}
    assert dropped_with(branches, {}, lost=ALL) == frozenset()


def test_those_without_a_lead_before_stay_so(branches):
    losses = dict.fromkeys([*LONG, AFTER], 1.0)
    assert dropped_with(branches, losses, before=frozenset({LONG[1]})) == {FIRST, LONG[1]}


def test_leads_that_cost_no_time_are_kept(branches):
    """Only the branch beside the longer one could do without."""
    assert dropped_with(branches, dict.fromkeys(ALL - {SHORT}, 1.0)) == frozenset()


def test_a_population_whose_delay_would_be_too_long_keeps_its_lead(branches):
    """With a lead of 30, three layers take 60 steps more than one: a delay that the chip has, of at most 62.

    Without its lead the one layer would have to wait 90.
    """
    losses = {**dict.fromkeys(ALL, 1.0), LONG[0]: 0.01}
    assert dropped_with(branches, losses, lead=30, timesteps=128) == {LONG[0]}
    with pytest.raises(QuantizationError, match="delays"):
        branches.attempt(Recipe("channel-max", replace(paced(30), without_lead=frozenset({SHORT}))))
