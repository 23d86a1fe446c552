"""A judgement does not depend on how many samples are run at a time."""

import numpy as np
import pytest
import torch
from torch import nn

from hw_profiles import load_profile
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import convert
from nmdeploy.decode import decode
from nmdeploy.frontend.trace import trace
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.search import judge as module_under_test
from nmdeploy.search.build import build
from nmdeploy.search.recipe import Recipe
from nmdeploy.simulator import simulate
from nmdeploy.spiking.evaluate import evaluate


@pytest.fixture(scope="module", params=[(1, 1), (3, 3)], ids=["decides", "a map"])
def case(request):
    torch.manual_seed(3)
    size = request.param[0]
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 6 - size + 1)).eval()
    samples = np.random.default_rng(0).random((20, 1, 8, 8)).astype(np.float32)
    calibration = split_calibration(samples, "uniform")
    converted = convert(trace(module, torch.from_numpy(samples[:1])), calibration, 99.9)
    options = QuantizationOptions(timesteps=4)
    built = build(converted, Recipe("channel-max"), calibration, load_profile("loihi"), options)
    with torch.no_grad():
        exact = module(torch.from_numpy(calibration.held_out)).flatten(1).numpy()
    return built.network, calibration.held_out, evaluate(converted.network, calibration.held_out), exact, size


@pytest.mark.parametrize("budget", [1, 10**9])
def test_judgement(case, budget, monkeypatch):
    network, samples, reference, exact, size = case
    monkeypatch.setattr(module_under_test, "POTENTIALS_BYTES", budget)
    found = module_under_test.judge(network, samples, reference)
    whole = simulate(network, samples)
    decoded = decode(network, whole.potentials)
    assert found.error == pytest.approx(np.linalg.norm(decoded - exact) / np.linalg.norm(exact), rel=1e-5)
    np.testing.assert_array_equal(found.predictions, decoded.argmax(axis=1))
    agreeing = int((decoded.argmax(axis=1) == exact.argmax(axis=1)).sum())
    assert found.same == (agreeing if size == 1 else 0)
    assert agreeing > 0
    for name, counts in whole.spike_counts.items():
        np.testing.assert_array_equal(found.spike_counts[name], counts)
