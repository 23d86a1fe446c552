"""Networks without trained weights are as active as trained ones, and the same every time."""

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.seeded_weights import seed_weights
from benchmarks.vgg import vgg16
from benchmarks.wide_resnet import WideResNet
from nmdeploy.simulator import simulate


def test_vgg_has_the_feature_maps_of_vgg16():
    shapes = []
    module = vgg16().eval()
    for part in module.features:
        if isinstance(part, nn.ReLU):
            part.register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape[1:])))
    module(torch.zeros(1, 3, 32, 32))
    expected = [(64, 32)] * 2 + [(128, 16)] * 2 + [(256, 8)] * 3 + [(512, 4)] * 3 + [(512, 2)] * 3
    assert shapes == [(channels, size, size) for channels, size in expected]


def test_every_layer_of_a_seeded_network_is_active_and_selective():
    module = WideResNet(1, 1)
    images = torch.randn(64, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    seed_weights(module, images, 0)
    active = []
    for name, part in module.named_modules():
        if name.endswith("bn1"):
            part.register_forward_hook(lambda _, __, output: active.append((output > 0).float().mean().item()))
    module(images)
    assert active == [pytest.approx(0.31, abs=0.06)] * 4


def test_same_seed_same_weights(tiny):
    again = WideResNet(1, 1)
    seed_weights(again, torch.zeros(2, 3, 8, 8), 0)
    stored = torch.load(tiny.folder / "weights.pt", weights_only=True)
    np.testing.assert_array_equal(again.state_dict()["conv1.weight"], stored["conv1.weight"])


def test_every_population_of_the_compiled_network_spikes(tiny):
    counts = simulate(tiny.network, tiny.samples[:8]).spike_counts
    for population in tiny.network.populations:
        if population.reset != "none":
            rate = counts[population.name].mean() / tiny.case.timesteps
            assert 0.01 < rate < 0.5, population.name


def test_width_multiplies_the_weights():
    sizes = [WideResNet(1, width).layer2[0].conv2.weight.numel() for width in (1, 2, 4)]
    assert sizes == [9216, 4 * 9216, 16 * 9216]
