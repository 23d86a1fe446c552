"""The number of refinement steps: where the search goes, and what it finds for a small network."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from made_up import MadeUpTrials
from torch import nn

from hw_profiles import load_profile
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import convert
from nmdeploy.frontend.trace import trace
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import NeuronChoice
from nmdeploy.search.auto import search
from nmdeploy.search.freedom import Freedom
from nmdeploy.search.recipe import Recipe
from nmdeploy.search.refinement import choose_refinement, first_tried
from nmdeploy.search.trials import Trials

PACED = NeuronChoice("paced", 1, release="threshold")


def chosen(errors, begin, timesteps):
    """The number found, and those tried, for errors of 0, 1, 2, ... refinement steps."""
    trials = MadeUpTrials(lambda recipe: recipe.refinement_steps, errors, timesteps=timesteps)
    begun = trials.attempt(Recipe("layer-max", PACED, refinement_steps=begin))
    found = choose_refinement(trials, begun)
    return found.built.recipe.refinement_steps, trials.attempted[1:]


def away_from(best):
    return {steps: 1.0 + abs(steps - best) for steps in range(-3, 30)}


@pytest.mark.parametrize(
    ("best", "found", "tried"),
    [
        (6, 6, [5, 6, 7]),
        (4, 4, [5, 3]),
        (2, 2, [5, 3, 2, 1]),
        (20, 7, [5, 6, 7]),  # one step of the window of 8 is left
        (-2, 0, [5, 3, 2, 1, 0]),
    ],
)
def test_up_or_else_down(best, found, tried):
    assert chosen(away_from(best), begin=4, timesteps=8) == (found, tried)


def test_the_shortest_window_has_none():
    assert chosen(away_from(3), begin=0, timesteps=1) == (0, [])


def test_a_larger_number_that_helps_ends_the_search():
    """Fewer steps that would be better still are not looked for."""
    assert chosen({2: 0.1, 3: 0.5, 4: 1.0, 5: 0.9, 6: 1.0}, begin=4, timesteps=8) == (5, [5, 6])


@pytest.mark.parametrize(("timesteps", "begin"), [(1, 0), (2, 1), (3, 1), (7, 3), (8, 4), (1000, 4)])
def test_the_search_begins_at_half_of_a_short_window(timesteps, begin):
    assert first_tried(PACED, timesteps) == begin


CANNOT = [
    NeuronChoice("if"),
    NeuronChoice("paced", 1, release="never"),
    NeuronChoice("paced", 1, release="half", shift_only=True),
]


@pytest.mark.parametrize("neurons", CANNOT)
def test_neurons_that_cannot_refine_begin_without(neurons):
    assert first_tried(neurons, 64) == 0


@pytest.fixture(scope="module")
def trials():
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(2, 6, 3), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 5)
    ).eval()
    samples = np.random.default_rng(0).normal(size=(60, 2, 8, 8)).astype(np.float32)
    calibration = split_calibration(samples, "normal noise")
    converted = convert(trace(module, torch.from_numpy(samples[:1])), calibration, 99.9)
    return Trials(converted, calibration, load_profile("loihi2"), QuantizationOptions(timesteps=8))


FREE = Freedom(("channel-max",), ("none",), refinement_steps=True)


@dataclass(frozen=True)
class Recorded(Trials):
    """Trials that tell of what was attempted."""

    attempted: list

    def attempt(self, recipe, samples=None):
        self.attempted.append(recipe.refinement_steps)
        return super().attempt(recipe, samples)


def test_a_small_network_is_better_with(trials):
    wanted = Recipe("channel-max", PACED)
    recorded = Recorded(trials.converted, trials.calibration, trials.profile, trials.options, [])
    found = search(recorded, wanted, FREE)
    steps = found.built.recipe.refinement_steps
    assert recorded.attempted == list(range(4, steps + 2))
    assert 4 < steps < 8
    assert found.built.network.refinement_steps == steps
    assert found.judgement.error < trials.attempt(wanted).judgement.error / 2


@pytest.mark.parametrize("neurons", CANNOT)
def test_networks_of_neurons_that_cannot_refine_have_none(trials, neurons):
    assert search(trials, Recipe("channel-max", neurons), FREE).built.network.refinement_steps == 0
