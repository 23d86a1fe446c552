"""Without shortcut normalisation, which Spiking ResNet (Hu et al. 2018) compares with: identity shortcuts keep their 1.

Weights are those of the normalised network, whose thresholds are 1.
"""

import numpy as np
import pytest
from convertible_networks import basic_block, chain, conv, samples, settled
from torch import nn

from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.convert.methods import METHODS, normalise
from nmdeploy.convert.shortcuts import without_shortcut_normalisation
from nmdeploy.convert.statistics import collect_statistics
from nmdeploy.frontend.trace import trace
from nmdeploy.simplify import simplify


def scaled(block, method):
    x = samples(3, 6, 6, count=5)
    module = settled(chain(conv(3, 4), nn.ReLU(), block, conv(block.conv2.out_channels, 2)))
    network, _ = lower_layers(simplify(trace(module, x)))
    return normalise(network, collect_statistics(network, x.numpy(), 99.9), METHODS[method], 32)[0]


def weights_by_source(network):
    """Trained and normalised weights of every projection."""
    return {
        (projection.source, projection.target): (projection.weights, network.normalised_weights(projection))
        for projection in network.projections
    }


@pytest.mark.parametrize("method", ["layer-percentile", "channel-max"])
@pytest.mark.parametrize(
    "block",
    [basic_block(4, 4, 1, "identity"), basic_block(4, 8, 2, "A"), basic_block(4, 8, 2, "B")],
    ids=["identity", "sliced and padded", "projected"],
)
def test_shortcuts_keep_their_trained_weights_and_nothing_else_changes(block, method):
    with_it = scaled(block, method)
    without_it = without_shortcut_normalisation(with_it)
    first, _, merge, _ = (population.name for population in with_it.populations)
    before, after = weights_by_source(with_it), weights_by_source(without_it)
    trained, normalised = before.pop((first, merge))
    found = after.pop((first, merge))[1]
    np.testing.assert_allclose(found, trained, rtol=1e-12)
    assert np.abs(normalised - trained).max() > 0.01, "scales so alike would show nothing"
    for key in before:
        np.testing.assert_array_equal(after[key][1], before[key][1])
    for one, other in zip(with_it.populations, without_it.populations, strict=True):
        np.testing.assert_array_equal(one.scale, other.scale)
        np.testing.assert_array_equal(one.bias, other.bias)


def test_an_identity_shortcut_has_weight_one():
    with_it = scaled(basic_block(4, 4, 1, "identity"), "layer-percentile")
    first, _, merge, _ = (population.name for population in with_it.populations)
    weights = weights_by_source(without_shortcut_normalisation(with_it))[first, merge][1]
    np.testing.assert_allclose(weights.ravel(), 1.0, rtol=1e-12)
