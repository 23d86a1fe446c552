"""Converted networks compute what torch computes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from convertible_networks import IMAGE, NETWORKS, Net, chain, conv, samples, settled
from torch import nn

from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.frontend.trace import trace
from nmdeploy.simplify import simplify
from nmdeploy.spiking.evaluate import evaluate

TOLERANCE = 1e-4


def converted(module, x):
    network, _ = lower_layers(simplify(trace(module, x)))
    assert network.problems() == []
    return network


def outputs_of(module, x):
    with torch.no_grad():
        results = module(x)
    results = results if isinstance(results, tuple) else (results,)
    return torch.cat([result.flatten(1) for result in results], dim=1).numpy()


def as_samples(x):
    """(samples, channels, rows, columns)."""
    if x.ndim == 3:
        x = x[:, :, None]
    return x.reshape(*x.shape, *[1] * (4 - x.ndim)).numpy()


@pytest.mark.parametrize("name", NETWORKS)
def test_same_outputs(name):
    module, shape = NETWORKS[name]
    module, x = settled(module), samples(*shape)
    expected = outputs_of(module, x)
    assert np.ptp(expected) > 0.1, "a constant output would show nothing"
    np.testing.assert_allclose(evaluate(converted(module, x), as_samples(x)), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("head", "function"),
    [
        (nn.Softmax(1), lambda logits: torch.softmax(logits, 1)),
        (nn.Sigmoid(), torch.sigmoid),
    ],
)
def test_the_host_computes_a_last_softmax_or_sigmoid(head, function):
    tail = (nn.ReLU(), nn.Flatten(), nn.Linear(3 * 7 * 6, 5))
    module, x = settled(chain(conv(4, 3), *tail, head)), samples(*IMAGE)
    decoded = evaluate(converted(module, x), as_samples(x))
    np.testing.assert_allclose(function(torch.from_numpy(decoded)), outputs_of(module, x), rtol=0, atol=TOLERANCE)


def test_sigmoid_of_a_flattened_map():
    module, x = settled(chain(conv(4, 3), nn.Flatten(), nn.Sigmoid())), samples(*IMAGE)
    decoded = torch.from_numpy(evaluate(converted(module, x), as_samples(x)))
    np.testing.assert_allclose(torch.sigmoid(decoded), outputs_of(module, x), rtol=0, atol=TOLERANCE)


def test_linear_layers_make_no_populations():
    """Pooling, slicing, padding, adding, concatenating, upsampling, flattening cost no neurons."""
    def forward(self, x):
        a = F.relu(self.a(x))
        b = F.interpolate(F.avg_pool2d(F.pad(a, (0, 0, 1, 0)), 2), scale_factor=2)
        joined = torch.cat([a[:, 1:], b + F.pad(a, (0, 0, 1, 0))], dim=1) if b.shape == a.shape else b[:, :2]
        return self.c(joined.flatten(1))

    module = settled(Net(forward, a=conv(4, 3), c=nn.Linear(2 * 8 * 6, 2)))
    network = converted(module, samples(*IMAGE))
    assert [population.shape for population in network.populations] == [(3, 7, 6), (2, 1, 1)]


def test_max_pool_2_costs_two_populations_of_rectifiers():
    module = settled(chain(conv(4, 3), nn.ReLU(), nn.MaxPool2d(2), conv(3, 2)))
    shapes = [population.shape for population in converted(module, samples(4, 8, 6)).populations]
    assert shapes == [(3, 8, 6), (3, 4, 6), (3, 4, 3), (2, 4, 3)]
