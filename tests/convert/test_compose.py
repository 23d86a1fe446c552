"""`compose` against dense matrices, on index tables of any kind."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.connectivity import Connectivity
from nmdeploy.convert.compose import compose, without_groups

COUNT = settings(max_examples=100, deadline=None)


def dense_matrix(connectivity, weights):
    """(target neurons, source neurons), one synapse after the other from the docstring of `Connectivity`."""
    matrix = np.zeros((*connectivity.target_shape, *connectivity.source_shape))
    out_per_group = connectivity.out_channels // connectivity.groups
    in_per_group = connectivity.in_channels // connectivity.groups
    _, rows, columns = connectivity.target_shape
    for o, y, x in itertools.product(range(connectivity.out_channels), range(rows), range(columns)):
        for i, k, m in itertools.product(range(in_per_group), *map(range, weights.shape[2:])):
            row, column = connectivity.rows[y, k], connectivity.columns[x, m]
            if row >= 0 and column >= 0:
                channel = connectivity.source_channels[0] + o // out_per_group * in_per_group + i
                matrix[connectivity.target_channels[0] + o, y, x, channel, row, column] += weights[o, i, k, m]
    targets = int(np.prod(connectivity.target_shape))
    return matrix.reshape(targets, -1)


def channel_range(draw, size):
    start = draw(st.integers(0, size - 1))
    return draw(st.sampled_from([(0, size), (start, draw(st.integers(start + 1, size)))]))


def index_table(draw, random, source, target):
    """Any table, -1 included, sometimes with equal taps or taps that only ever meet padding."""
    table = random.integers(-1, source, size=(target, draw(st.integers(1, 3))))
    if draw(st.booleans()):
        table = np.hstack([table, table[:, :1]])
    if draw(st.booleans()):
        table = np.hstack([table, np.full((target, 1), -1)])
    return table.astype(np.int32)


@st.composite
def linear_maps(draw, random, source_shape):
    """A connectivity with whole-numbered weights, from a given source."""
    shape = (draw(st.sampled_from([1, 2, 4, 6])), draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    source_channels, target_channels = channel_range(draw, source_shape[0]), channel_range(draw, shape[0])
    sizes = [stop - start for start, stop in (source_channels, target_channels)]
    groups = draw(st.sampled_from([g for g in range(6, 0, -1) if not any(size % g for size in sizes)]))
    tables = [index_table(draw, random, *sizes) for sizes in zip(source_shape[1:], shape[1:], strict=True)]
    connectivity = Connectivity(source_shape, shape, *tables, source_channels, target_channels, groups)
    return connectivity, random.integers(-5, 6, size=connectivity.weight_shape).astype(float)


@st.composite
def pairs(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    source_shape = (draw(st.sampled_from([1, 2, 4, 6])), draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    inner = draw(linear_maps(random, source_shape))
    return inner, draw(linear_maps(random, inner[0].target_shape))


@COUNT
@given(pairs())
def test_compose_is_the_product_of_the_matrices(pair):
    inner, outer = pair
    expected = dense_matrix(*outer) @ dense_matrix(*inner)
    composed = compose(*inner, *outer)
    if composed is None:
        assert not expected.any()
        return
    connectivity, weights = composed
    assert connectivity.problems() == []
    assert weights.shape == connectivity.weight_shape
    np.testing.assert_array_equal(dense_matrix(connectivity, weights), expected)


@COUNT
@given(pairs())
def test_composed_taps_are_distinct_and_read_something(pair):
    composed = compose(*pair[0], *pair[1])
    if composed is not None:
        for table in (composed[0].rows, composed[0].columns):
            assert np.unique(table, axis=1).shape == table.shape
            assert (table >= 0).any(axis=0).all() or table.shape[1] == 1


@COUNT
@given(pairs())
def test_without_groups_is_the_same_map(pair):
    connectivity, weights = pair[0]
    ungrouped = Connectivity(
        connectivity.source_shape,
        connectivity.target_shape,
        connectivity.rows,
        connectivity.columns,
        connectivity.source_channels,
        connectivity.target_channels,
    )
    full = without_groups(connectivity, weights)
    assert full.shape == ungrouped.weight_shape
    np.testing.assert_array_equal(dense_matrix(ungrouped, full), dense_matrix(connectivity, weights))


def test_depthwise_after_depthwise_stays_depthwise():
    """Else the weights of a mobile network would grow by the number of its channels."""
    table = np.arange(3, dtype=np.int32)[:, None]
    depthwise = Connectivity((6, 3, 3), (6, 3, 3), table, table, (0, 6), (0, 6), groups=6)
    weights = np.arange(1.0, 7.0).reshape(6, 1, 1, 1)
    connectivity, product = compose(depthwise, weights, depthwise, weights)
    assert connectivity.groups == 6
    np.testing.assert_array_equal(product[:, 0, 0, 0], np.arange(1.0, 7.0) ** 2)
