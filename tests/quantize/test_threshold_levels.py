"""A few thresholds for many channels, against every possible choice."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nmdeploy.quantize.threshold_levels import shared_levels


def cost(levels):
    return float((1.0 / levels.astype(float) ** 2).sum())


def cheapest(wanted, count):
    """Every set of levels; a channel takes the largest one that it can have."""
    best = np.inf
    values = sorted(set(wanted))
    for chosen in itertools.combinations(values, min(count, len(values))):
        if chosen[0] == values[0]:
            taken = np.array([max(level for level in chosen if level <= value) for value in wanted])
            best = min(best, cost(taken))
    return best


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=9), st.integers(1, 4))
def test_no_choice_is_cheaper(wanted, count):
    wanted = np.array(wanted, dtype=np.int64)
    levels = shared_levels(wanted, count)
    assert (levels <= wanted).all()
    assert (levels >= 1).all()
    assert len(np.unique(levels)) <= count
    np.testing.assert_allclose(cost(levels), cheapest(wanted.tolist(), count), rtol=1e-12)


def test_enough_levels_change_nothing():
    wanted = np.array([5, 9, 5, 200], dtype=np.int64)
    np.testing.assert_array_equal(shared_levels(wanted, 3), wanted)


def test_one_level_is_the_smallest():
    np.testing.assert_array_equal(shared_levels(np.array([40, 7, 255]), 1), [7, 7, 7])
