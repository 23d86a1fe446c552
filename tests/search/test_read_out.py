"""Later read-outs: which are tried, and that one is taken only if it agrees better."""

import numpy as np
import pytest
import torch
from made_up import MadeUpTrials
from torch import nn

from hw_profiles import load_profile
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import convert
from nmdeploy.decode import decode
from nmdeploy.frontend.trace import trace
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import NeuronChoice
from nmdeploy.search.auto import search
from nmdeploy.search.freedom import Freedom
from nmdeploy.search.read_out import delay_read_out
from nmdeploy.search.recipe import Recipe
from nmdeploy.search.trials import Trials
from nmdeploy.simulator import simulate

WIDTH, LAYERS, TIMESTEPS = 12, 8, 32


def read_out_and_compensation(recipe):
    return recipe.read_out_step, recipe.compensation


def delayed(judgements, compensations, timesteps=32):
    trials = MadeUpTrials(read_out_and_compensation, judgements, timesteps=timesteps)
    begun = trials.attempt(Recipe("layer-max", compensation="none"))
    found = delay_read_out(trials, begun, compensations)
    return read_out_and_compensation(found.built.recipe), sorted(set(trials.attempted[1:]))


EQUAL = {(step, compensation): 1.0 for step in range(32) for compensation in ("none", "bias")}


def test_an_eighth_a_quarter_and_a_half_of_the_window_are_tried():
    found, tried = delayed(EQUAL, ("none", "bias"))
    assert tried == [(step, compensation) for step in (4, 8, 16) for compensation in ("bias", "none")]
    assert found == (0, "none"), "none of them is better"
    assert delayed(EQUAL, ("none",), timesteps=3)[1] == [(1, "none")]
    assert delayed(EQUAL, ("none",), timesteps=1)[1] == []


def test_decisions_come_before_the_error():
    better = {**EQUAL, (8, "none"): 0.5, (16, "bias"): (2.0, 201), (4, "bias"): (0.1, 199)}
    assert delayed(better, ("none", "bias"))[0] == (16, "bias")
    assert delayed(better, ("none",))[0] == (8, "none")


def test_what_is_not_allowed_is_not_taken():
    assert delayed({**EQUAL, (8, "none"): 0.5, (4, "bias"): 0.9}, ("bias",))[0] == (4, "bias")


def deep_chain(seed, target="loihi"):
    torch.manual_seed(seed)
    hidden = [part for _ in range(LAYERS) for part in (nn.Linear(WIDTH, WIDTH), nn.ReLU())]
    module = nn.Sequential(*hidden, nn.Linear(WIDTH, 5)).eval()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.4)
    samples = np.random.default_rng(0).normal(size=(80, WIDTH)).astype(np.float32)
    calibration = split_calibration(samples[:, :, None, None], "normal noise")
    converted = convert(trace(module, torch.from_numpy(samples[:1])), calibration, 99.9)
    return Trials(converted, calibration, load_profile(target), QuantizationOptions(TIMESTEPS))


@pytest.mark.parametrize(("seed", "later"), [(0, True), (1, False), (2, True)])
def test_a_deep_chain_of_plain_neurons(seed, later):
    trials = deep_chain(seed)
    begun = trials.attempt(Recipe("channel-max"))
    found = delay_read_out(trials, begun, ("none", "bias"))
    step = found.built.recipe.read_out_step
    assert (step > 0) == later
    assert found.built.network.read_out_step == step < TIMESTEPS
    assert found.judgement.rank <= begun.judgement.rank
    # what was judged is what a run decodes
    potentials = simulate(found.built.network, trials.calibration.held_out).potentials
    before = potentials[:, step - 1] if step else 0
    scales = found.built.network.outputs[0].scale
    np.testing.assert_allclose(
        decode(found.built.network, potentials), (potentials[:, -1] - before) * scales / (TIMESTEPS - step)
    )
    np.testing.assert_array_equal(
        found.judgement.predictions, decode(found.built.network, potentials).argmax(axis=1)
    )


@pytest.mark.parametrize(
    ("target", "neurons", "later"),
    [
        ("loihi", NeuronChoice("if"), True),
        ("loihi2", NeuronChoice("if"), True),
        ("loihi2", NeuronChoice("paced", 1, release="threshold"), False),
    ],
)
def test_only_neurons_without_a_count_memory_are_read_later(target, neurons, later):
    freedom = Freedom(("channel-max",), ("none",), read_out=True)
    found = search(deep_chain(0, target), Recipe("channel-max", neurons), freedom)
    assert (found.built.recipe.read_out_step > 0) == later


def test_the_read_out_stays_where_it_was_asked_for():
    found = search(deep_chain(0), Recipe("channel-max", read_out_step=3), Freedom(("channel-max",), ("none",)))
    assert found.built.network.read_out_step == 3
