"""Thresholds of least clip-and-round error, against the spike counts of every value, in NumPy."""

import numpy as np
import pytest
from drawn_values import drawn_values, histogram_of

from nmdeploy.convert.clip_and_round import clip_and_round_error, clip_and_round_thresholds
from nmdeploy.convert.excess import ExcessFunction

WINDOWS = [1, 2, 5, 16, 64, 1024]


def brute_force(values, threshold, timesteps):
    """Sum of ``(a - rate * th)^2``, with the spike counts of neurons that start from half a threshold."""
    magnitude = np.clip(np.floor(timesteps * np.abs(values) / threshold + 0.5), 0, timesteps)
    represented = np.sign(values) * magnitude * threshold / timesteps
    return ((values - represented) ** 2).sum()


@pytest.fixture(scope="module")
def values():
    return drawn_values()[:, :4].astype(float)


@pytest.mark.parametrize("timesteps", WINDOWS)
@pytest.mark.parametrize("share", [0.06, 0.31, 0.77, 1.0])
def test_error(values, share, timesteps):
    histogram = histogram_of(values.astype(np.float32))
    thresholds = share * histogram.largest
    found = clip_and_round_error(histogram, ExcessFunction(histogram), thresholds[:, None], timesteps)[:, 0]
    for channel, threshold in enumerate(thresholds):
        expected = brute_force(values[:, channel], threshold, timesteps)
        # a bin's width of uncertainty at each of the borders between levels
        slack = len(values) * histogram.width[channel] * max(threshold / timesteps, histogram.width[channel])
        assert abs(found[channel] - expected) <= 0.02 * expected + 0.1 * slack


@pytest.mark.parametrize("timesteps", WINDOWS)
def test_no_published_candidate_is_better(values, timesteps):
    """Li et al.: the best of the maximum and of 99 %, 98 %, ..., 6 % of it."""
    found = clip_and_round_thresholds(histogram_of(values.astype(np.float32)), timesteps)
    for channel, threshold in enumerate(found):
        column = values[:, channel]
        candidates = np.abs(column).max() * (1 - 0.01 * np.arange(95))
        best = min(brute_force(column, candidate, timesteps) for candidate in candidates)
        assert brute_force(column, threshold, timesteps) <= 1.01 * best


def test_a_longer_window_clips_less(values):
    histogram = histogram_of(values.astype(np.float32))
    short, middle, long = (clip_and_round_thresholds(histogram, timesteps) for timesteps in (4, 32, 1024))
    exponential = 1
    assert short[exponential] < 0.8 * middle[exponential] < 0.8 * long[exponential] <= histogram.largest[exponential]


def test_signs_do_not_matter(values):
    """A signed neuron represents -a as it represents a."""
    one, other = (
        clip_and_round_thresholds(histogram_of(signed.astype(np.float32)), 16) for signed in (values, -values)
    )
    np.testing.assert_array_equal(one, other)


def test_negative_values_count():
    """Few positive values, many negative ones ten times as large: half of the threshold would clip those."""
    column = np.concatenate([np.full(10, 0.1), np.full(1000, -1.0)]).astype(np.float32)[:, None]
    found = clip_and_round_thresholds(histogram_of(column), 8)
    assert found[0] > 0.99


def test_a_silent_channel_has_no_threshold():
    assert clip_and_round_thresholds(histogram_of(np.zeros((5, 2), np.float32)), 8).tolist() == [0.0, 0.0]
