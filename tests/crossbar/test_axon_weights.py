"""Weights as sums over axon types, against all subsets of the axons of an input."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.axon_types import crossbar_entries, entries_of_weights, weight_levels

TYPE_WEIGHTS = st.lists(st.integers(-20, 20), min_size=4, max_size=4).map(tuple)
AXON_TYPES = st.lists(st.integers(0, 3), min_size=1, max_size=6).map(tuple)


def sums_of_subsets(axon_types, type_weights):
    """Every subset of axons by the weight that it gives."""
    found = {}
    numbers = range(len(axon_types))
    for size in range(len(axon_types) + 1):
        for subset in combinations(numbers, size):
            found.setdefault(sum(type_weights[axon_types[number]] for number in subset), []).append(subset)
    return found


@given(AXON_TYPES, TYPE_WEIGHTS)
@settings(max_examples=80, deadline=None)
def test_levels_are_the_sums_of_all_subsets(axon_types, type_weights):
    assert weight_levels(axon_types, type_weights).tolist() == sorted(sums_of_subsets(axon_types, type_weights))


@given(AXON_TYPES, TYPE_WEIGHTS)
@settings(max_examples=80, deadline=None)
def test_entries_give_their_weight_with_the_fewest_axons(axon_types, type_weights):
    subsets = sums_of_subsets(axon_types, type_weights)
    entries = entries_of_weights(axon_types, type_weights)
    assert set(entries) == set(subsets)
    for weight, entry in entries.items():
        used = tuple(number for number, one in enumerate(entry) if one)
        assert used in subsets[weight]
        assert len(used) == min(map(len, subsets[weight]))


@given(st.data(), AXON_TYPES, st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_crossbar_entries_add_up_to_every_weight(data, axon_types, channels):
    """Channel by channel, each with type weights of its own."""
    rows = [data.draw(TYPE_WEIGHTS) for _ in range(channels)]
    weights = np.zeros((channels, 2, 3, 1), dtype=np.int32)
    for channel, row in enumerate(rows):
        possible = st.sampled_from(sorted(sums_of_subsets(axon_types, row)))
        weights[channel] = np.reshape(data.draw(st.lists(possible, min_size=6, max_size=6)), (2, 3, 1))
    entries = crossbar_entries(axon_types, np.array(rows, dtype=np.int64), weights)
    assert entries.shape == (*weights.shape, len(axon_types))
    assert entries.dtype == np.bool_
    for place in np.ndindex(weights.shape):
        row = rows[place[0]]
        assert sum(row[kind] for kind, set_ in zip(axon_types, entries[place], strict=True) if set_) == weights[place]


@given(AXON_TYPES, TYPE_WEIGHTS, st.integers(-130, 130))
@settings(max_examples=80, deadline=None)
def test_a_weight_that_no_subset_gives_is_refused(axon_types, type_weights, weight):
    weights = np.array([[0, weight]], dtype=np.int32)
    if weight in sums_of_subsets(axon_types, type_weights):
        crossbar_entries(axon_types, np.array([type_weights]), weights)
        return
    with pytest.raises(ValueError, match=rf"channel 0: weights \[{weight}\] are no sum"):
        crossbar_entries(axon_types, np.array([type_weights]), weights)
