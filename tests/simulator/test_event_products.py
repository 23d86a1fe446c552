"""Spikes added one by one against torch's double-precision convolution and the gathering product."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from lava_backend.networks import Chooser, connectivity, target_tables

from mapping.connectivity import Connectivity, tap_table
from nmdeploy.simulator.event_products import EventProduct
from nmdeploy.simulator.fast_products import FastProduct
from nmdeploy.simulator.products import Product


@pytest.mark.parametrize(
    ("stride", "dilation", "padding", "groups"), [(1, 1, 1, 1), (2, 1, 2, 1), (1, 2, 0, 2), (1, 1, 1, 6)]
)
def test_convolutions(stride, dilation, padding, groups):
    random = np.random.default_rng(stride + groups)
    size = (9 + 2 * padding - 2 * dilation - 1) // stride + 1
    table = tap_table(9, size, 3, stride, padding, dilation)
    layer = Connectivity((6, 9, 9), (12, size, size), table, table, (0, 6), (0, 12), groups)
    weights = random.integers(-255, 256, layer.weight_shape)
    spikes = random.integers(-1, 2, (5, 9, 9, 6)).astype(np.int8)
    images = torch.from_numpy(spikes.astype(np.float64)).permute(0, 3, 1, 2)
    sums = F.conv2d(images, torch.from_numpy(weights).double(), None, stride, padding, dilation, groups)
    found = EventProduct(layer, weights, np.float32)(spikes)
    np.testing.assert_array_equal(found, sums.permute(0, 2, 3, 1).numpy())


@st.composite
def layers(draw):
    """Any index tables, channel ranges and groups, with weights and spikes at any rate."""
    choose = Chooser(draw)
    source = (choose.integer(1, 9), choose.integer(1, 5), choose.integer(1, 5))
    table = connectivity(choose, source, choose.integer(1, 6), target_tables(choose, source))
    weights = choose.array(table.weight_shape, -2000, 2000)
    count, rate = choose.integer(1, 4), choose.one_of(0, 10, 100)
    spikes = choose.array((count, *source[1:], source[0]), -1, 1) * (choose.array((), 1, 100) <= rate)
    return table, weights, spikes.astype(np.int8)


@settings(max_examples=100, deadline=None)
@given(layer=layers(), dtype=st.sampled_from([np.float32, np.float64]))
def test_any_connectivity(layer, dtype):
    table, weights, spikes = layer
    expected = Product(table, weights, np.float64)(spikes)
    np.testing.assert_array_equal(EventProduct(table, weights, dtype)(spikes), expected)


def test_few_spikes_are_added_and_many_multiplied():
    """The rule takes the events where they are few, and both give the same sums."""
    table = tap_table(4, 4, 3, 1, 1, 1)
    layer = Connectivity((256, 4, 4), (256, 4, 4), table, table, (0, 256), (0, 256))
    random = np.random.default_rng(3)
    weights = random.integers(-127, 128, layer.weight_shape).astype(np.int32)
    product = FastProduct(layer, weights, 2, binary=True)
    exact = Product(layer, weights.astype(np.int64) << 2, np.float64)
    for rate, added in ((0.005, True), (0.5, False)):
        spikes = (random.random((8, 4, 4, 256)) < rate).astype(np.int8)
        assert product.adds_events(spikes) == added
        np.testing.assert_array_equal(product(spikes), exact(spikes))
