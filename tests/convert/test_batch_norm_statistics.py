"""Statistics from what BatchNorm learned, against drawn normal values."""

from statistics import NormalDist

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from convertible_networks import Net, chain, conv, samples, settled
from torch import nn

from nmdeploy.convert.batch_norm_statistics import MAXIMUM_QUANTILE, batch_norm_statistics
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import convert
from nmdeploy.convert.histogram import BINS
from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.convert.methods import METHODS
from nmdeploy.convert.silent_channels import replace_silent
from nmdeploy.frontend.trace import trace
from nmdeploy.simplify import simplify

DRAWS = 400_000


def statistics_of(module, percentile=99.0):
    layers = trace(module, samples(3, 6, 6))
    network, audit = lower_layers(simplify(layers))
    return network, batch_norm_statistics(layers, audit, network, percentile)


def drawn(norm, seed):
    """What a BatchNorm gives over its training set: mean beta, deviation |gamma|."""
    random = np.random.default_rng(seed)
    beta, gamma = norm.bias.detach().numpy(), norm.weight.detach().numpy()
    return beta + np.abs(gamma) * random.normal(size=(DRAWS, len(beta)))


def check(found, values, percentile=99.0, *, tolerance):
    at_percentile = np.maximum(np.percentile(values, percentile, axis=0), 0)
    np.testing.assert_allclose(found.channel_percentile, at_percentile, atol=tolerance)
    np.testing.assert_allclose(found.highest, np.quantile(values, MAXIMUM_QUANTILE, axis=0), atol=5 * tolerance)
    np.testing.assert_allclose(found.lowest, np.quantile(values, 1 - MAXIMUM_QUANTILE, axis=0), atol=5 * tolerance)
    np.testing.assert_allclose(found.channel_max, np.maximum(found.highest, 0))
    assert found.layer_max == found.channel_max.max()
    assert found.layer_percentile == found.channel_percentile.max()


def test_rectifier_after_batch_norm():
    module = settled(chain(conv(3, 5), nn.BatchNorm2d(5), nn.Dropout(), nn.ReLU(), conv(5, 2)))
    network, found = statistics_of(module)
    assert list(found) == [network.populations[0].name]
    check(found[network.populations[0].name], drawn(module[1], 0), tolerance=0.01)


def test_histograms_are_those_of_rectified_normal_values():
    module = settled(chain(conv(3, 5), nn.BatchNorm2d(5), nn.ReLU(), conv(5, 2)))
    network, found = statistics_of(module)
    histogram = found[network.populations[0].name].histogram
    values = np.clip(drawn(module[1], 0), 0, histogram.largest)
    for channel, column in enumerate(values.T):
        edges = np.arange(BINS + 1) * histogram.width[channel]
        expected = np.cumsum(np.histogram(column[column > 0], edges)[0]) / DRAWS
        found = histogram.counts[channel]
        np.testing.assert_allclose(found.cumsum() / histogram.total, expected, atol=0.005)
        # what lies above the largest is counted with it, and not lost
        assert not found[edges[:-1] > histogram.largest[channel]].any()
        gain, shift = float(module[1].weight[channel].detach()), float(module[1].bias[channel].detach())
        positive = 1 - NormalDist(shift, abs(gain)).cdf(0.0)
        assert found.sum() / histogram.total == pytest.approx(positive, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_what_it_needs(method):
    """A channel without deviation (gain 0) included."""
    module = settled(chain(conv(3, 5), nn.BatchNorm2d(5), nn.ReLU(), conv(5, 2)))
    module[1].weight.data[1:3], module[1].bias.data[1:3] = 0.0, torch.tensor([-0.5, 0.5])
    network, found = statistics_of(module)
    name = network.populations[0].name
    scale = replace_silent(METHODS[method].choose(found[name], 16), found[name])[0]
    assert ((scale > 0) & (scale <= found[name].layer_max)).all()
    if method.startswith("channel") and not method.endswith("floor"):
        assert scale[2] == pytest.approx(0.5, rel=0.05)


def residual(self, x):
    entering = F.relu(self.bn1(self.a(x)))
    return self.c(F.relu(self.bn2(self.b(entering)) + entering))


def test_moments_of_a_rectified_normal_plus_a_normal():
    """The sum is not normal: mean and deviation are exact, percentiles those of a normal of these moments."""
    parts = {"a": conv(3, 5), "bn1": nn.BatchNorm2d(5), "b": conv(5, 5), "bn2": nn.BatchNorm2d(5), "c": conv(5, 2)}
    module = settled(Net(residual, **parts), seed=8)
    network, found = statistics_of(module)
    merged = found[network.populations[1].name]
    values = np.maximum(drawn(module.bn1, 1), 0) + drawn(module.bn2, 2)
    mean = (merged.lowest + merged.highest) / 2
    deviation = (merged.highest - merged.lowest) / 2 / 3.719016  # the quantile 0.9999 of a normal
    np.testing.assert_allclose(mean, values.mean(axis=0), atol=0.005)
    np.testing.assert_allclose(deviation, values.std(axis=0), atol=0.005)
    np.testing.assert_allclose(merged.channel_percentile, mean + 2.326348 * deviation, atol=1e-4)


@pytest.mark.parametrize(
    "module",
    [
        chain(conv(3, 5), nn.ReLU(), conv(5, 2)),
        chain(nn.BatchNorm2d(3), conv(3, 5), nn.ReLU(), conv(5, 2)),
        chain(conv(3, 5), nn.BatchNorm2d(5), nn.LeakyReLU(0.1), conv(5, 2)),
    ],
    ids=["no BatchNorm", "a conv in between", "two populations"],
)
def test_nothing_is_claimed_of_what_is_not_known(module):
    assert statistics_of(settled(module))[1] == {}


def test_used_and_announced_only_without_calibration_data():
    module = settled(chain(conv(3, 5), nn.BatchNorm2d(5), nn.ReLU(), conv(5, 4), nn.ReLU(), conv(4, 2)))
    layers, x = trace(module, samples(3, 6, 6)), samples(3, 6, 6, count=24).numpy()
    from_noise = convert(layers, split_calibration(x, "noise", is_noise=True), 99.0)
    from_data = convert(layers, split_calibration(x, "data"), 99.0)
    name, other = (population.name for population in from_data.network.populations[:2])
    known = statistics_of(module)[1][name]
    np.testing.assert_array_equal(from_noise.statistics[name].channel_max, known.channel_max)
    assert not np.array_equal(from_data.statistics[name].channel_max, known.channel_max)
    np.testing.assert_array_equal(from_noise.statistics[other].channel_max, from_data.statistics[other].channel_max)
    (note,) = from_noise.audit.notes
    assert note.startswith("NO CALIBRATION DATA: scales of 1 populations come from BatchNorm")
    assert from_data.audit.notes == ()


def test_torch_agrees_that_batch_norm_gives_beta_and_gamma():
    """The premise: over the data that set its statistics, the output has mean beta and deviation |gamma|."""
    norm = nn.BatchNorm2d(3, momentum=None)
    norm.weight.data, norm.bias.data = torch.tensor([0.5, -2.0, 1.0]), torch.tensor([1.0, -1.0, 0.0])
    x = torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 3 + 2
    norm(x)
    out = norm.eval()(x).transpose(0, 1).flatten(1)
    torch.testing.assert_close(out.mean(1), norm.bias.data, atol=1e-3, rtol=0)
    torch.testing.assert_close(out.std(1), norm.weight.data.abs(), atol=1e-3, rtol=0)
