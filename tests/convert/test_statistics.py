"""Statistics collected batch by batch, against all activations at once."""

import tracemalloc

import numpy as np
import pytest
import torch
from convertible_networks import basic_block, chain, conv, samples, settled
from torch import nn

from examples.networks.resnet import resnet20
from nmdeploy.convert import statistics as module_under_test
from nmdeploy.convert.histogram import BINS
from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.convert.statistics import WORKING_BYTES, collect_statistics, samples_per_batch
from nmdeploy.errors import NmdeployError
from nmdeploy.frontend.trace import trace
from nmdeploy.simplify import simplify
from nmdeploy.spiking.evaluate import activations

MODULE = settled(
    chain(conv(3, 6), nn.LeakyReLU(0.3), basic_block(6, 6, 1, "identity"), nn.MaxPool2d(2), conv(6, 4), nn.ReLU6())
)


def network_of(module, shape=(3, 8, 8)):
    network, _ = lower_layers(simplify(trace(module, samples(*shape))), frozenset({"leaky"}))
    return network


def batches_of(monkeypatch, network, count):
    """Make batches hold this many samples."""
    monkeypatch.setattr(module_under_test, "WORKING_BYTES", WORKING_BYTES // samples_per_batch(network) * count)


@pytest.mark.parametrize("percentile", [50.0, 99.0, 100.0])
@pytest.mark.parametrize("batch", [1, 3, 1000])
def test_statistics_of_all_values(monkeypatch, batch, percentile):
    network, x = network_of(MODULE), samples(3, 8, 8, count=10).numpy()
    x[7] *= 100  # ranges grow while counting
    batches_of(monkeypatch, network, batch)
    found = collect_statistics(network, x, percentile)
    assert {population.activation for population in network.populations} == {"leaky", "rectifier", "none"}
    for population, values in activations(network, x):
        got, before = found[population.name], values.reshape(-1, population.shape[0]).astype(float)
        after = population.activate(values).reshape(-1, population.shape[0]).astype(float)
        width = got.histogram.width
        np.testing.assert_allclose(got.lowest, before.min(axis=0), rtol=1e-5)
        np.testing.assert_allclose(got.highest, before.max(axis=0), rtol=1e-5)
        np.testing.assert_allclose(got.channel_max, np.abs(after).max(axis=0), rtol=1e-5)
        np.testing.assert_allclose(got.layer_max, np.abs(after).max(), rtol=1e-5)
        exact = np.percentile(np.abs(after), percentile, axis=0)
        assert (np.abs(got.channel_percentile - exact) <= width + 1e-5 * exact).all()
        exact = np.percentile(np.abs(after), percentile)
        assert abs(got.layer_percentile - exact) <= width.max() + 1e-5 * exact
        assert got.histogram.total == len(after)
        np.testing.assert_array_equal(got.histogram.counts.sum(axis=1), np.count_nonzero(after, axis=0))


@pytest.mark.parametrize("batch", [1, 4, 1000])
def test_parts_are_every_third_sample(monkeypatch, batch):
    network, x = network_of(MODULE), samples(3, 8, 8, count=10).numpy()
    batches_of(monkeypatch, network, batch)
    found = collect_statistics(network, x, 99.9)
    for number in range(3):
        alone = collect_statistics(network, x[number::3], 99.9)
        for name, statistics in found.items():
            part, expected = statistics.parts[number], alone[name].histogram
            assert part.total == expected.total
            np.testing.assert_allclose(part.largest, expected.largest, rtol=1e-5)


def test_fewer_samples_than_parts():
    found = collect_statistics(network_of(MODULE), samples(3, 8, 8, count=2).numpy(), 99.9)
    assert {len(statistics.parts) for statistics in found.values()} == {2}


def test_leaky_units_count_by_magnitude():
    """Slope 3: the negative side is the larger one."""
    linear = nn.Linear(1, 1)
    linear.weight.data, linear.bias.data = torch.ones(1, 1), torch.zeros(1)
    network = network_of(chain(linear, nn.LeakyReLU(3.0), nn.Linear(1, 1)).eval(), (1,))
    found = collect_statistics(network, np.float32([2.0, -1.0])[:, None, None, None], 100.0)
    hidden = found[network.populations[0].name]
    assert hidden.channel_max.tolist() == [3.0]
    assert (hidden.lowest.tolist(), hidden.highest.tolist()) == ([-1.0], [2.0])


@pytest.mark.parametrize("batch", [1, 4, 64])
def test_progress_counts_every_sample_once(monkeypatch, batch):
    network, told = network_of(MODULE), []
    batches_of(monkeypatch, network, batch)
    collect_statistics(network, samples(3, 8, 8, count=10).numpy(), 99.9, told.append)
    assert told == {1: [1] * 10, 4: [4, 4, 2], 64: [10]}[batch]


def peak_bytes(network, x):
    tracemalloc.start()
    collect_statistics(network, x, 99.9)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_samples(monkeypatch):
    network = network_of(settled(chain(conv(3, 8), nn.ReLU(), conv(8, 8), nn.ReLU(), conv(8, 2))), (3, 16, 16))
    monkeypatch.setattr(module_under_test, "WORKING_BYTES", 4 * 2**20)
    x = samples(3, 16, 16, count=512).numpy()
    histograms = sum(population.shape[0] for population in network.populations) * BINS * 8
    few, many = peak_bytes(network, x[:64]), peak_bytes(network, x)
    assert samples_per_batch(network) < 64
    assert many < 1.05 * few
    assert many < 2 * 4 * 2**20 + 2 * histograms


def test_a_sample_larger_than_the_memory_is_a_batch(monkeypatch):
    monkeypatch.setattr(module_under_test, "WORKING_BYTES", 1)
    assert samples_per_batch(network_of(MODULE)) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_an_error(value):
    x = samples(3, 8, 8, count=10).numpy()
    x[6, 1, 2, 3] = value
    with pytest.raises(NmdeployError, match="infinite or NaN"):
        collect_statistics(network_of(MODULE), x, 99.9)


def test_no_samples_are_an_error():
    with pytest.raises(NmdeployError, match="no calibration samples"):
        collect_statistics(network_of(MODULE), np.zeros((0, 3, 8, 8), np.float32), 99.9)


@pytest.mark.slow
def test_memory_on_a_real_network(shared_data):
    """ResNet-20: 512 images need no more than 128 do."""
    module, images = resnet20().eval(), shared_data / "cifar10"
    state = torch.load(images / "resnet20_cifar10.pt", map_location="cpu", weights_only=True)
    module.load_state_dict({name: value.float() for name, value in state.items()})
    with np.load(images / "cifar10_train_calib2000.npz") as data:
        x = np.ascontiguousarray((data["x"][:512].astype(np.float32) / 255 - 0.45).transpose(0, 3, 1, 2) * 4)
    network = network_of(module, (3, 32, 32))
    assert samples_per_batch(network) < 128
    few, many = peak_bytes(network, x[:128]), peak_bytes(network, x)
    assert many < 1.05 * few < 2 * WORKING_BYTES
