"""Methods screened by the error of rounding and clipping: the error against torch, and which are simulated after it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hw_profiles import load_profile
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import apply_method, convert
from nmdeploy.convert.methods import METHODS
from nmdeploy.errors import QuantizationError
from nmdeploy.frontend.trace import trace
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.search import auto, trials
from nmdeploy.search.freedom import Freedom
from nmdeploy.search.recipe import Recipe
from nmdeploy.search.screen import rounded, screened
from nmdeploy.spiking.evaluate import evaluate

SLOPE = 0.25
LOIHI = load_profile("loihi")


class Net(nn.Module):
    """A leaky and a rectified layer, a maximum between them, channels of unlike sizes."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.first = nn.Conv2d(2, 6, 3, padding=1)
        self.second = nn.Conv2d(6, 4, 3)
        self.last = nn.Linear(4 * 4, 3)
        with torch.no_grad():
            self.first.weight.mul_(torch.logspace(-1, 1, 6)[:, None, None, None])

    def forward(self, x, after=lambda values, layer: values):
        x = F.max_pool2d(after(F.leaky_relu(self.first(x), SLOPE), 0), 2)
        return self.last(after(F.relu(self.second(x)), 1).flatten(1))


@pytest.fixture(scope="module")
def net():
    return Net().eval()


@pytest.fixture(scope="module")
def calibration():
    return split_calibration(np.random.default_rng(0).normal(size=(40, 2, 8, 8)).astype(np.float32), "normal noise")


@pytest.fixture(scope="module")
def converted(net, calibration):
    layers = trace(net, torch.from_numpy(calibration.samples[:1]))
    return convert(layers, calibration, 99.9, frozenset({"leaky", "maximum"}))


@pytest.mark.parametrize("levels", [1, 7, 64])
def test_rounded_network_is_torch_s(net, converted, calibration, levels):
    scaled, _ = apply_method(converted, "channel-percentile", levels)
    scales = [population.scale for population in scaled.populations if population.activation in ("leaky", "rectifier")]

    def clip_and_round(values, layer):
        level = torch.from_numpy(scales[layer] / levels).float()[:, None, None]
        return torch.clamp(torch.round(values / level), -levels, levels) * level

    with torch.no_grad():
        expected = net(torch.from_numpy(calibration.held_out), clip_and_round).numpy()
        exact = net(torch.from_numpy(calibration.held_out)).numpy()
    found = evaluate(rounded(scaled, levels), calibration.held_out)
    # sums in another order may round to the next level now and then
    close = np.isclose(found, expected, atol=1e-4, rtol=0).mean()
    assert close > 0.95
    assert np.abs(expected - exact).max() > 0.01


def test_the_least_error_comes_first(converted, calibration):
    reference = evaluate(converted.network, calibration.held_out)
    errors = {}
    for method in METHODS:
        scaled, _ = apply_method(converted, method, 8)
        errors[method] = np.linalg.norm(evaluate(rounded(scaled, 8), calibration.held_out) - reference)
    found = screened(converted, tuple(METHODS), 8, calibration.held_out, reference)
    assert [errors[name] for name in found] == sorted(errors.values())
    assert errors["layer-max"] > 2 * errors[found[0]]


def searched(converted, calibration, monkeypatch, refused=()):
    """The methods that `search` simulates."""
    simulated, built = [], []

    def build(*arguments):
        made = true_build(*arguments)
        built.append(made.recipe.method)
        if made.recipe.method in refused:
            raise QuantizationError("refused")
        return made

    def judge(*arguments):
        simulated.append(built[-1])
        return true_judge(*arguments)

    true_build, true_judge = trials.build, trials.judge
    monkeypatch.setattr(trials, "build", build)
    monkeypatch.setattr(trials, "judge", judge)
    shared = trials.Trials(converted, calibration, LOIHI, QuantizationOptions(timesteps=8))
    found = auto.search(shared, Recipe("auto"), Freedom(tuple(METHODS), ("none",)))
    assert found.built.recipe.method in simulated
    return simulated


@pytest.fixture
def rectified(net, calibration):
    """For the neurons that Loihi has."""
    return convert(trace(net, torch.from_numpy(calibration.samples[:1])), calibration, 99.9)


def test_all_are_simulated_where_that_is_soon_done(rectified, calibration, monkeypatch):
    assert searched(rectified, calibration, monkeypatch) == list(METHODS)


def test_the_best_are_simulated_where_all_take_too_long(rectified, calibration, monkeypatch):
    monkeypatch.setattr(auto, "SIMULATED_OPERATIONS", 0)
    reference = evaluate(rectified.network, calibration.held_out)
    ordered = screened(rectified, tuple(METHODS), 8, calibration.held_out, reference)
    assert searched(rectified, calibration, monkeypatch) == ordered[: auto.SCREENED]
    # one that does not fit the chip makes room for the next
    monkeypatch.undo()
    monkeypatch.setattr(auto, "SIMULATED_OPERATIONS", 0)
    expected = [ordered[0], *ordered[2 : auto.SCREENED + 1]]
    assert searched(rectified, calibration, monkeypatch, refused=(ordered[1],)) == expected
