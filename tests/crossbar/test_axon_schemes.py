"""Axon schemes against all subsets of their axons, and units of channels against a dense grid."""

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nmdeploy.crossbar.axon_plan import TOLERANCE, Precision
from nmdeploy.crossbar.axon_schemes import TRINARY, AxonScheme, channel_units, relative_error, schemes

ALL = sorted(
    {one for types in range(1, 5) for signed in (True, False) for one in schemes(types, signed=signed)},
    key=lambda one: (one.types, one.ratios),
)


def subset_sums(scheme):
    weights = [scheme.ratios[kind] for kind in scheme.types]
    subsets = chain.from_iterable(combinations(weights, size) for size in range(len(weights) + 1))
    return {sum(subset) for subset in subsets}


@pytest.mark.parametrize("scheme", ALL, ids=str)
def test_levels_are_all_whole_numbers_from_the_lowest_to_the_highest(scheme):
    assert sorted(subset_sums(scheme)) == list(range(scheme.lowest, scheme.highest + 1))
    assert scheme.levels == scheme.highest - scheme.lowest + 1
    assert scheme.axons == len(scheme.types)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("types", [1, 2, 3, 4])
def test_schemes_use_types_that_there_are_and_more_axons_give_more_levels(types, signed):
    offered = schemes(types, signed=signed)
    assert bool(offered) == (types > 1 or not signed)
    for one in offered:
        assert set(one.types) == set(range(len(one.ratios)))
        assert len(one.ratios) <= types
        assert (one.lowest < 0) == signed
        assert one.highest > 0
    others = [one for one in offered if one != TRINARY]
    assert [one.axons for one in others] == sorted({one.axons for one in others})
    assert [one.levels for one in others] == sorted({one.levels for one in others})


def test_four_types_give_the_levels_that_are_known():
    """One axon each of four types: two's complement of 4 bits; two each: 81 levels."""
    by_axons = {one.axons: one for one in schemes(4, signed=True) if one != TRINARY}
    assert by_axons[4] == AxonScheme((0, 1, 2, 3), (1, 2, 4, -8))
    assert (by_axons[4].lowest, by_axons[4].highest) == (-8, 7)
    assert by_axons[8].levels == 81
    assert by_axons[12].levels == 256
    assert {one.axons: one.levels for one in schemes(4, signed=False)}[4] == 16


def test_trinary_weights_have_one_axon_for_each_sign():
    assert TRINARY in schemes(4, signed=True)
    assert subset_sums(TRINARY) == {-1, 0, 1}
    weights = np.array([[0.7, -0.7, 0.0], [2.0, 2.0, -2.0]])
    units = channel_units(weights, TRINARY)
    assert np.abs(units.unit).tolist() == pytest.approx([0.7, 2.0])
    assert units.squared_error == pytest.approx([0.0, 0.0], abs=1e-20)
    assert Precision().choose(weights, 4, signed=True).axons == 2


WEIGHTS = arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 8)), elements=st.floats(-3, 3, width=32))


def rounded(weights, unit, scheme):
    """Nearest multiple of the unit of each weight, found among all levels."""
    levels = np.array(sorted(subset_sums(scheme))) * unit
    return levels[np.abs(weights[:, None] - levels).argmin(axis=1)]


@given(WEIGHTS, st.sampled_from(ALL))
@settings(max_examples=50, deadline=None)
def test_units_are_about_as_good_as_the_best_of_a_dense_grid(weights, scheme):
    found = channel_units(weights, scheme)
    for row, unit, error in zip(weights, found.unit, found.squared_error, strict=True):
        assert ((row - rounded(row, unit, scheme)) ** 2).sum() == pytest.approx(error, abs=1e-9)
        assert unit != 0
        largest = np.abs(row).max()
        if largest == 0:
            assert unit == 1
            continue
        reach = max(scheme.highest, -scheme.lowest)
        grid = largest / reach * np.linspace(0.3, 1.0, 120)
        dense = min(((row - rounded(row, sign * one, scheme)) ** 2).sum() for one in grid for sign in (1, -1))
        # the search takes steps of 2 % of the unit, by which the largest level moves by 2 % of the largest weight
        assert np.sqrt(error) <= np.sqrt(dense) + 0.02 * np.sqrt((row**2).sum())


@pytest.mark.parametrize("scheme", [TRINARY, AxonScheme((0, 1, 2, 3), (1, 2, 4, -8))], ids=["trinary", "4 bits"])
def test_large_weights_are_clipped_where_that_pays(scheme):
    """Normal weights: the best unit of three levels is far below the one that clips nothing."""
    weights = np.random.default_rng(0).normal(size=(2, 500))
    found = channel_units(weights, scheme)
    for row, error in zip(weights, found.squared_error, strict=True):
        grid = np.abs(row).max() / scheme.highest * np.linspace(0.1, 1.2, 300)
        dense = min(((row - rounded(row, sign * one, scheme)) ** 2).sum() for one in grid for sign in (1, -1))
        assert error <= 1.02 * dense


@given(WEIGHTS)
@settings(max_examples=30, deadline=None)
def test_channels_of_one_sign_are_turned_around(weights):
    """Negative weights take no scheme of both signs."""
    scheme = schemes(4, signed=False)[-1]
    above, below = channel_units(np.abs(weights), scheme), channel_units(-np.abs(weights), scheme)
    assert np.allclose(above.squared_error, below.squared_error)
    assert (above.unit > 0).all()
    assert (below.unit[(weights != 0).any(axis=1)] < 0).all()


@given(WEIGHTS, st.integers(2, 4))
@settings(max_examples=30, deadline=None)
def test_left_to_itself_a_layer_gets_the_fewest_axons_within_the_tolerance(weights, types):
    chosen = Precision().choose(weights, types, signed=True)
    offered = schemes(types, signed=True)
    fine = [one for one in offered if relative_error(weights, one) <= TOLERANCE]
    assert chosen.axons == (min(one.axons for one in fine) if fine else max(one.axons for one in offered))


@pytest.mark.parametrize(("bits", "signed", "levels"), [(2, True, 3), (3, True, 7), (4, True, 15), (8, True, 255)])
def test_bits_ask_for_as_many_levels(bits, signed, levels):
    weights = np.random.default_rng(0).normal(size=(3, 9))
    chosen = Precision(bits).choose(weights, 4, signed=signed)
    assert chosen.levels >= levels
    assert all(one.levels < levels for one in schemes(4, signed=True) if one.axons < chosen.axons)


def test_bits_of_one_sign_ask_for_half_the_levels():
    weights = np.random.default_rng(0).random((3, 9))
    assert Precision(4).choose(weights, 4, signed=False).levels == 8
    assert Precision(2).choose(weights, 4, signed=False).levels == 2


def test_there_may_be_too_few_types_or_axons():
    weights = np.array([[1.0, -0.3]])
    assert Precision().choose(weights, 1, signed=True) is None
    assert Precision(8).choose(weights, 4, signed=True, most_axons=4).axons == 4
    assert Precision(8).choose(weights, 4, signed=True, most_axons=1) is None
