"""Random torch networks of every kind of layer, converted, against torch."""

import numpy as np
import torch
from convertible_networks import samples, settled
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.frontend.trace import trace
from nmdeploy.simplify import simplify
from nmdeploy.spiking.evaluate import evaluate

COMMON_CHANNELS = 4
KINDS = ("conv", "grouped", "depthwise", "norm", "relu", "relu6", "leaky", "max", "average", "upsample", "pad",
         "residual", "project", "concatenate", "slice", "swap")


class Random(nn.Module):
    """Layers one after the other; some keep the map before them for an addition or a concatenation."""

    def __init__(self, kinds, choose):
        super().__init__()
        self.kinds = kinds
        self.numbers = [choose(st.integers(0, 5)) for _ in kinds]
        self.parts = nn.ModuleList(self._part(*pair) for pair in zip(kinds, self.numbers, strict=True))
        self.head = nn.Conv2d(COMMON_CHANNELS, 3, 1)

    @staticmethod
    def _part(kind, number):
        channels, stride = COMMON_CHANNELS, 1 + number % 2
        makers = {
            "conv": lambda: nn.Conv2d(channels, channels, (3, 1 + number), stride, (1, number), (1 + number // 4, 1)),
            "grouped": lambda: nn.Conv2d(channels, channels, 3, 1, 2, groups=2),
            "depthwise": lambda: nn.Conv2d(channels, channels, 3, stride, 1, groups=channels),
            "norm": lambda: nn.BatchNorm2d(channels),
            "relu6": lambda: nn.Hardtanh(0.0, 0.3 + 0.1 * number),
            "leaky": lambda: nn.PReLU(channels),
            "max": lambda: nn.MaxPool2d(2 + number % 2, stride, 1),
            "average": lambda: nn.AvgPool2d(2, 1, 1),
            "residual": lambda: nn.Conv2d(channels, channels, 3, 1, 1),
            "project": lambda: nn.Conv2d(channels, channels, 3, 1, 1),
            "concatenate": lambda: nn.Conv2d(2 * channels, channels, 3, 1, 1, groups=1 + number % 2),
            "slice": lambda: nn.Conv2d(len(range(number // 2, channels, stride)), channels, 1),
        }
        return makers.get(kind, nn.ReLU)()

    def forward(self, x):
        for kind, number, part in zip(self.kinds, self.numbers, self.parts, strict=True):
            x = self._apply(kind, number, part, x)
        return self.head(x)

    @staticmethod
    def _apply(kind, number, part, x):
        if kind == "upsample":
            return functional.interpolate(x, scale_factor=2)
        if kind == "pad":
            return functional.pad(x, (number, 1, 0, number // 2))
        if kind == "residual":
            return torch.relu(x + part(x))
        if kind == "project":
            return part(torch.relu(x)) + x
        if kind == "concatenate":
            return part(torch.cat([x, torch.relu(x)], 1))
        if kind == "slice":
            return part(x[:, number // 2 :: 1 + number % 2])
        if kind == "swap":
            first, second = torch.chunk(x, 2, 1)
            return torch.cat([second, first], 1)
        return part(x)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6), st.integers(0, 2**31), st.data())
def test_random_networks(kinds, seed, data):
    module = settled(Random(kinds, data.draw), seed)
    x = samples(COMMON_CHANNELS, data.draw(st.integers(5, 7)), data.draw(st.integers(4, 6)), seed=seed, count=2)
    try:
        with torch.no_grad():
            expected = module(x).flatten(1).numpy()
    except RuntimeError:
        reject()  # the map became smaller than a kernel
    network, audit = lower_layers(simplify(trace(module, x)))
    assert network.problems() == []
    assert audit.activations_converted == audit.activations_total
    tolerance = 1e-4 * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(evaluate(network, x.numpy()), expected, rtol=0, atol=tolerance)
