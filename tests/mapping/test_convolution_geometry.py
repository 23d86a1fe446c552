"""Index tables and the strides, zeros and dilations that give them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.connectivity import Connectivity, tap_table
from mapping.convolution_geometry import axis_geometry, covers_source, symmetric_axis_geometry


@settings(max_examples=300, deadline=None)
@given(
    source=st.integers(1, 12),
    targets=st.integers(1, 8),
    taps=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(-3, 4),
    dilation=st.integers(1, 3),
)
def test_a_geometry_gives_its_table(source, targets, taps, stride, padding, dilation):
    table = tap_table(source, targets, taps, stride, padding, dilation)
    found = axis_geometry(table, source)
    if found is None:
        # nothing is read, or steps longer than the source
        assert (table < 0).all() or max(stride, dilation) > source
        return
    again = tap_table(source, targets, taps, found.stride, found.before, found.dilation)
    np.testing.assert_array_equal(again, table)
    assert source + found.before + found.after == (targets - 1) * found.stride + (taps - 1) * found.dilation + 1


@settings(max_examples=300, deadline=None)
@given(
    source=st.integers(3, 12),
    taps=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 4),
    dilation=st.integers(1, 3),
)
def test_a_symmetric_geometry_is_that_of_a_torch_convolution(source, taps, stride, padding, dilation):
    """Also where the last positions do not fit: shown by torch itself, with the positions as samples."""
    span = source + 2 * padding - dilation * (taps - 1) - 1
    if span < 0:
        return
    table = tap_table(source, span // stride + 1, taps, stride, padding, dilation)
    found = symmetric_axis_geometry(table, source)
    if found is None:
        assert (table < 0).all()
        return
    positions = torch.arange(1.0, source + 1)[None, None]
    kernels = torch.eye(taps)[:, None]
    read = F.conv1d(positions, kernels, stride=found.stride, padding=found.before, dilation=found.dilation)
    np.testing.assert_array_equal(read[0].numpy().T.astype(int) - 1, table)


@pytest.mark.parametrize("before", [-1, 1])
def test_zeros_on_one_side_are_not_symmetric(before):
    table = tap_table(8, 8 - 3 + 1 + before, 3, padding=before)
    assert axis_geometry(table, 8).before == before
    assert symmetric_axis_geometry(table, 8) is None


def test_a_whole_convolution_has_its_geometry():
    found = axis_geometry(tap_table(32, 16, 3, stride=2, padding=1), 32)
    assert (found.stride, found.dilation, found.before, found.after) == (2, 1, 1, 0)


@pytest.mark.parametrize("table", [[[0], [0], [1], [1]], [[0, 2], [1, 1]], [[-1], [-1]]])
def test_other_tables_have_none(table):
    assert axis_geometry(np.array(table, dtype=np.int32), 3) is None


@pytest.mark.parametrize(
    ("rows", "columns", "covers"),
    [
        ([[0, 1, 2]], [[0, 1]], True),
        ([[0, 1]], [[0, 1]], False),
        ([[0, 1, 2]], [[0]], False),
        ([[0, 2, 1]], [[0, 1]], False),
        ([[0, 1, 2]], [[1, 0]], False),
        ([[0, 1, 2, -1]], [[0, 1]], False),
        ([[0, 1, 2], [0, 1, 2]], [[0, 1]], False),
    ],
)
def test_the_whole_map_is_read_in_order(rows, columns, covers):
    tables = np.array(rows, dtype=np.int32), np.array(columns, dtype=np.int32)
    target = (4, len(rows), len(columns))
    assert covers_source(Connectivity((6, 3, 2), target, *tables, (2, 4), (0, 4), groups=2)) == covers
