"""Histograms of magnitudes against the values themselves, in NumPy."""

import numpy as np
import pytest
from drawn_values import drawn_values, histogram_of
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from nmdeploy.convert.excess import ExcessFunction
from nmdeploy.convert.histogram import BINS, joined

# from the smallest float32 to the largest, in one channel
EXTREME = st.floats(width=32, allow_nan=False, allow_infinity=False)
MAGNITUDES = st.one_of(st.just(0.0), st.floats(2.0**-20, 2.0**20, width=32), st.floats(-1.0, 1.0, width=32), EXTREME)
VALUES = numpy_strategies.arrays(np.float32, st.tuples(st.integers(1, 60), st.integers(1, 3)), elements=MAGNITUDES)


@settings(deadline=None)
@given(VALUES, st.integers(1, 8))
def test_counts_are_those_of_the_values(values, batches):
    """In the bins of the last reach, whatever the reach was when a value came."""
    found = histogram_of(values, batches)
    for channel, magnitudes in enumerate(np.abs(values).T.astype(float)):
        edges = np.arange(BINS + 1) * found.width[channel]
        expected, _ = np.histogram(magnitudes[magnitudes > 0], edges)
        np.testing.assert_array_equal(found.counts[channel], expected)
    np.testing.assert_array_equal(found.largest, np.abs(values).max(axis=0))
    assert found.total == len(values)


@settings(deadline=None)
@given(VALUES)
def test_no_bin_is_wider_than_said(values):
    found = histogram_of(values)
    active = found.largest > 0
    assert (found.largest < found.reach).all()
    assert (found.width[active] <= found.largest[active] / (BINS / 2)).all()


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_order_and_batches_do_not_matter(random, batches):
    values = drawn_values(500)
    order = list(range(len(values)))
    random.shuffle(order)
    one, other = histogram_of(values), histogram_of(values[order], batches)
    np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_array_equal(one.reach, other.reach)


@settings(max_examples=50, deadline=None)
@given(VALUES, st.integers(1, 5))
def test_joined_as_if_counted_together(values, parts):
    expected, found = (
        histogram_of(values),
        joined([histogram_of(part) for part in np.array_split(values, parts) if len(part)]),
    )
    for name in ("reach", "counts", "largest"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    assert found.total == expected.total


def test_a_channel_that_is_silent_at_first_keeps_its_resolution():
    values = np.float32([[0.0], [0.0], [3e-6]])
    found = histogram_of(values, batches=3)
    assert found.width[0] <= 3e-6 / (BINS / 2)


@pytest.mark.parametrize("percent", [0.0, 1.0, 33.3, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0])
@pytest.mark.parametrize("count", [1, 2, 17, 4000])
def test_percentiles(percent, count):
    values = np.abs(drawn_values(count))
    found = histogram_of(values)
    error = np.abs(found.percentile(percent) - np.percentile(values.astype(float), percent, axis=0))
    assert (error <= found.width).all()


@pytest.mark.parametrize("percent", [0.0, 50.0, 90.0, 99.9, 100.0])
def test_percentiles_of_the_layer(percent):
    values = np.abs(drawn_values())
    layer = histogram_of(values).layer()
    expected = np.percentile(values.astype(float), percent)
    assert abs(float(layer.percentile(percent)[0]) - expected) <= layer.width[0]
    assert layer.width[0] == histogram_of(values).width.max(initial=0.0, where=values.any(axis=0))


@settings(deadline=None)
@given(VALUES)
def test_a_layer_holds_the_values_of_all_channels(values):
    layer, pooled = histogram_of(values).layer(), histogram_of(values.reshape(-1, 1))
    np.testing.assert_array_equal(layer.reach, pooled.reach)
    np.testing.assert_array_equal(layer.counts, pooled.counts)
    np.testing.assert_array_equal(layer.largest, pooled.largest)
    assert layer.total == pooled.total


def test_the_largest_value_is_exact():
    values = drawn_values()
    np.testing.assert_array_equal(histogram_of(values).percentile(100.0), np.abs(values).max(axis=0))


def test_excess_above_thresholds():
    """Off by at most half a bin for each value above the threshold or in its bin."""
    values = np.abs(drawn_values()).astype(float)
    histogram = histogram_of(values.astype(np.float32))
    thresholds = np.linspace(0, 1.1, 137) * histogram.largest[:, None]
    excess = ExcessFunction(histogram)
    found = np.stack([excess(column) for column in thresholds.T], axis=1)
    for channel, magnitudes in enumerate(values.T):
        over = magnitudes[:, None] - thresholds[channel]
        concerned = (over > -histogram.width[channel]).sum(axis=0)
        allowed = concerned * histogram.width[channel] / 2 + 1e-9
        assert (np.abs(found[channel] - np.maximum(over, 0).sum(axis=0)) <= allowed).all()


def test_excess_is_exact_at_zero_for_values_in_the_middle_of_their_bins():
    middle = (np.arange(1024, 2048, dtype=np.float32) + 0.5)[:, None] / 1024
    found = ExcessFunction(histogram_of(middle))(np.zeros(1))
    np.testing.assert_allclose(found, middle.astype(float).sum(), rtol=1e-12)
