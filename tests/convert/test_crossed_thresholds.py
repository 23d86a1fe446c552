"""Thresholds chosen by cross-validation, judged on values that they were not chosen on."""

import numpy as np
import pytest
from drawn_values import histogram_of

from nmdeploy.convert.clip_and_round import clip_and_round_thresholds
from nmdeploy.convert.crossed_thresholds import crossed_thresholds
from nmdeploy.convert.histogram import joined


def squared_error(values, thresholds, timesteps):
    counts = np.clip(np.floor(timesteps * np.abs(values) / thresholds + 0.5), 0, timesteps)
    return ((np.abs(values) - counts * thresholds / timesteps) ** 2).sum()


def chosen(values, timesteps, parts=3):
    shares = [histogram_of(values[number::parts]) for number in range(parts)]
    return crossed_thresholds(joined(shares), shares, timesteps)


def heavy_tailed(seed, count, channels=32):
    """Of different widths, two in three zero, as after a rectifier."""
    rng = np.random.default_rng(seed)
    values = rng.gamma(0.5, 1.0, (count, channels)) * np.linspace(0.5, 2.0, channels)
    return (values * (rng.random((count, channels)) < 1 / 3)).astype(np.float32)


@pytest.mark.parametrize("timesteps", [32, 128])
def test_further_values_after_few(timesteps):
    few, further = heavy_tailed(0, 150), heavy_tailed(1, 50_000)
    plain = squared_error(further, clip_and_round_thresholds(histogram_of(few), timesteps), timesteps)
    crossed = squared_error(further, chosen(few, timesteps), timesteps)
    assert crossed < 0.2 * plain
    # and not far from what the values themselves would have chosen
    best = squared_error(further, clip_and_round_thresholds(histogram_of(further), timesteps), timesteps)
    assert crossed < 5.0 * best


def test_many_values_raise_nothing():
    many = heavy_tailed(2, 60_000)
    np.testing.assert_array_equal(chosen(many, 16), clip_and_round_thresholds(histogram_of(many), 16))


def test_a_channel_that_one_sample_excites_borrows_from_the_others():
    few = heavy_tailed(3, 150)
    few[:, 5] = 0.0
    few[7, 5] = 0.1
    plain = clip_and_round_thresholds(histogram_of(few), 128)
    assert plain[5] == pytest.approx(0.1)
    assert chosen(few, 128)[5] > 0.5 * plain.mean() > 1.0


def test_twice_as_large_in_the_other_half():
    """What one half says of the other is half of it, so all are raised to twice what they say, or a little more."""
    values = np.tile(np.array([[1.0], [2.0]], dtype=np.float32), (50, 1))
    (threshold,) = chosen(values, 1000, parts=2)
    assert 3.9 < threshold < 5.1


def test_a_single_part_raises_nothing():
    few = heavy_tailed(4, 90)
    histogram = histogram_of(few)
    expected = clip_and_round_thresholds(histogram, 64)
    np.testing.assert_array_equal(crossed_thresholds(histogram, [histogram], 64), expected)
    np.testing.assert_array_equal(crossed_thresholds(histogram, [], 64), expected)


def test_a_layer_of_zeros():
    assert chosen(np.zeros((9, 3), dtype=np.float32), 8).tolist() == [0.0, 0.0, 0.0]
