"""The search for scales of least squared error, against every scale of the same grid, and its limits."""

import numpy as np
import pytest

from hw_profiles import load_profile
from nmdeploy.quantize.least_squares import FACTORS, least_squares_exponent, least_squares_scale
from nmdeploy.quantize.population_scale import choose_output_scale, choose_thresholds
from nmdeploy.quantize.synapses import Synapses
from nmdeploy.quantize.weight_format import level_unit, smallest_exponent, weight_field

CHIP = load_profile("loihi2")
STEP = float(1 << CHIP.number_formats.threshold_exponent.value)


def synapses(seed, channels=6, bits=3, outlier=None):
    """Normally distributed weights, or one of them large."""
    weights = np.random.default_rng(seed).normal(size=(channels, 3, 3, 3))
    if outlier is not None:
        weights[1, 0, 0, 0] = outlier
    return Synapses(weights, slice(0, channels), weight_field(weights, bits, CHIP.number_formats))


def brute_force(one, scale):
    """Squared error of each channel with the exponent that does best for all of them together."""
    formats = CHIP.number_formats
    errors = []
    for exponent in range(-6, formats.weight_exponent_max.value + 1):
        unit = level_unit(one.field, exponent, formats)
        found = []
        for weights, own in zip(one.weights, scale, strict=True):
            levels = np.clip(np.rint(weights * own / unit), one.field.level_min, one.field.level_max)
            found.append(((levels * unit / own - weights) ** 2).sum())
        errors.append(found)
    return min(map(np.array, errors), key=np.sum)


def common(scale):
    return np.full_like(scale, np.floor(scale.min() / STEP) * STEP)


def free(scale):
    return np.floor(scale / STEP) * STEP


@pytest.mark.parametrize("seed", range(4))
def test_each_channel_has_the_best_factor_where_thresholds_are_free(seed):
    one = synapses(seed)
    scale = choose_thresholds(np.full(6, 1e5), [one], "subtract", True, 0, CHIP) * STEP
    found = least_squares_scale(scale, free, [one], 0, CHIP)
    every = np.array([brute_force(one, free(scale * factor)) for factor in FACTORS])
    # all channels are at the same exponent, whichever factor they take
    np.testing.assert_allclose(brute_force(one, found).sum(), every.min(axis=0).sum(), rtol=0.02)
    assert brute_force(one, found).sum() < 0.9 * brute_force(one, scale).sum()


@pytest.mark.parametrize("seed", range(4))
def test_the_best_common_factor_where_channels_share_one_threshold(seed):
    one = synapses(seed)
    scale = common(np.full(6, 20000.0))
    found = least_squares_scale(scale, common, [one], 0, CHIP)
    assert len(set(found)) == 1
    every = [brute_force(one, common(scale * factor)).sum() for factor in FACTORS]
    np.testing.assert_allclose(brute_force(one, found).sum(), min(every), rtol=0.01)


def test_an_outlier_is_clipped_where_it_takes_the_levels_from_all_others():
    one = synapses(1, outlier=9.0)
    scale = common(np.full(6, 20000.0))
    found = least_squares_scale(scale, common, [one], 0, CHIP)
    assert brute_force(one, found).sum() < 0.95 * brute_force(one, scale).sum()
    assert brute_force(one, scale).sum() < 0.95 * without_clipping(one, scale).sum()


def without_clipping(one, scale):
    exponent = smallest_exponent(one.widest * scale, one.field, CHIP.number_formats, 0)
    return one.squared_error(scale, exponent, CHIP.number_formats)


def test_the_exponent_is_the_best_of_all():
    for seed in range(20):
        one = synapses(seed, outlier=9.0)
        scale = np.random.default_rng(seed).uniform(2e3, 4e3, 6)
        exponent = least_squares_exponent(one, scale, 0, CHIP)
        error = one.squared_error(scale, exponent, CHIP.number_formats)
        np.testing.assert_allclose(error.sum(), brute_force(one, scale).sum(), rtol=1e-9)


def test_no_scale_above_its_limit():
    one = synapses(1)
    limit = np.array([300.5, 5000.0, 700.0, 6400.0, 64.0, 1e6])
    thresholds = choose_thresholds(limit, [one], "subtract", True, 0, CHIP, least_squares=True) * STEP
    assert (thresholds <= limit).all()
    assert (thresholds >= STEP).all()
    for lowest in (50.0, 777.7, 1e4):
        assert choose_output_scale(np.full(6, lowest), [one], 0, CHIP, least_squares=True) <= lowest
