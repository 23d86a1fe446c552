"""Local threshold balancing on histograms, against the published iteration on the values themselves."""

import numpy as np
import pytest
from drawn_values import drawn_values, histogram_of

from nmdeploy.convert.local_balancing import BALANCING_STEPS, balanced_thresholds


def published(batches):
    """Bu et al. 2025: ``th += 2 mean((x - th) [x > th])`` for each batch (values, channels)."""
    threshold = np.zeros(batches[0].shape[1])
    for batch in batches:
        threshold += 2 * ((batch - threshold) * (batch > threshold)).mean(axis=0)
    return threshold


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 100, BALANCING_STEPS])
def test_within_a_bin_of_the_iteration_on_all_values(steps):
    values = np.abs(drawn_values()).astype(float)
    histogram = histogram_of(values.astype(np.float32))
    expected = np.minimum(published([values] * steps), histogram.largest)
    assert (np.abs(balanced_thresholds(histogram, steps) - expected) <= histogram.width).all()


def test_close_to_the_iteration_on_batches():
    """Batches drawn from the values: each step is that of the whole set, plus noise that averages out."""
    values = np.abs(drawn_values())[:, :3].astype(float)
    random = np.random.default_rng(1)
    batches = [values[random.integers(len(values), size=500)] for _ in range(BALANCING_STEPS)]
    found = balanced_thresholds(histogram_of(values.astype(np.float32)))
    np.testing.assert_allclose(found, published(batches), rtol=0.05)


def test_after_many_steps_few_values_are_clipped():
    """About one in 2000 of an exponential distribution, after 1000 steps."""
    values = np.random.default_rng(2).exponential(size=(200_000, 1)).astype(np.float32)
    clipped = float((values > balanced_thresholds(histogram_of(values))).mean())
    assert 1 / 3000 < clipped < 1 / 1400


def test_not_above_the_largest_value():
    """The published first step takes a constant channel to twice its value."""
    constant = np.full((50, 1), 0.7, np.float32)
    np.testing.assert_array_equal(balanced_thresholds(histogram_of(constant)), np.float64(np.float32([0.7])))


def test_a_silent_channel_has_no_threshold():
    assert balanced_thresholds(histogram_of(np.zeros((5, 1), np.float32))).tolist() == [0.0]
