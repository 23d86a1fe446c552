"""Exactness of matrix products: where float32 would round, float64 is taken, and beyond that nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_networks import network, population, projection, whole

from mapping.connectivity import Connectivity, tap_table
from nmdeploy.simulator import simulate
from nmdeploy.simulator.products import Product, exact_dtype
from nmdeploy.simulator.torch_product import TorchProduct


def row(*weights):
    return np.array(weights, np.int64).reshape(1, -1, 1, 1)


@pytest.mark.parametrize(
    ("weights", "input_max", "dtype"),
    [
        (row(2**24 - 1), 1, np.float32),
        (row(2**24), 1, np.float64),
        (row(2**23, -(2**23)), 1, np.float64),  # a partial sum counts too, whatever the signs
        (row(2**23 - 1, 2**23), 1, np.float32),
        (row(2**12), 2**12, np.float64),
        (row(2**53 - 1), 1, np.float64),
        (row(2**26, 2**26), 2**26 - 1, np.float64),
    ],
)
def test_narrowest_exact_type(weights, input_max, dtype):
    assert exact_dtype(weights, input_max) is dtype


@pytest.mark.parametrize(("weights", "input_max"), [(row(2**53), 1), (row(2**26, -(2**26)), 2**26)])
def test_beyond_float64(weights, input_max):
    with pytest.raises(OverflowError, match="9007199254740992"):
        exact_dtype(weights, input_max)


def test_bound_is_that_of_the_largest_row():
    weights = np.array([[1, 1], [2**24, 1]], np.int64).reshape(2, 2, 1, 1)
    assert exact_dtype(weights, 1) is np.float64


def test_weights_that_float32_would_round():
    """2^24 + 1 is no float32: the simulator must see it and take float64."""
    weights = row(2**24, 1)
    table = whole((2, 1, 1), (1, 1, 1))
    ones = np.ones((1, 1, 1, 2))
    assert Product(table, weights, np.float32)(ones).item() == 2**24, "if this held, the test would show nothing"
    source = population("s", (2, 1, 1), bias_mantissa=np.full((2, 1, 1), 10))
    out = population("o", (1, 1, 1), reset="none", threshold=np.zeros(1, np.int64), is_output=True)
    net = network([source, out], [projection("s", "o", table, weights)], timesteps=3, state_max=2**40)
    result = simulate(net, np.zeros((1, 1, 1, 1), np.float32))
    assert result.potentials[0, :, 0].tolist() == [(2**24 + 1) * step for step in (1, 2, 3)]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 6), st.integers(1, 40))
def test_sums_near_the_bound_are_exact(seed, outputs, inputs):
    random = np.random.default_rng(seed)
    largest = 2**24 // inputs - 1
    weights = random.integers(-largest, largest + 1, size=(outputs, inputs, 1, 1))
    values = random.integers(-1, 2, size=(5, 1, 1, inputs))
    dtype = exact_dtype(weights, 1)
    assert dtype is np.float32
    found = Product(whole((inputs, 1, 1), (outputs, 1, 1)), weights, dtype)(values)[:, 0, 0]
    for result, value in zip(found.astype(np.int64).tolist(), values[:, 0, 0].tolist(), strict=True):
        for total, weight in zip(result, weights[:, :, 0, 0].tolist(), strict=True):
            assert total == sum(w * v for w, v in zip(weight, value, strict=True))


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_torch_multiplies_the_same(groups, dtype):
    random = np.random.default_rng(groups)
    rows, columns = tap_table(5, 3, 3, 2, 1), tap_table(4, 4, 3, 1, 1)
    table = Connectivity((6, 5, 4), (6, 3, 4), rows, columns, (0, 6), (0, 6), groups)
    weights = random.integers(-99, 99, table.weight_shape)
    values = random.integers(-99, 99, (7, 5, 4, 6))
    np.testing.assert_array_equal(TorchProduct(table, weights, dtype)(values), Product(table, weights, dtype)(values))
