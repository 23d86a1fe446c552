"""Inputs summed in parts: each synapse once, no neuron with too many inputs, no fewer parts possible."""

from collections import Counter, defaultdict
from types import SimpleNamespace

import mapping_strategies
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synapse_oracle import list_synapses

from mapping.connectivity import Connectivity
from mapping.fan_in_parts import fan_in_parts, largest_fan_in


def weighted_synapses(table, weights):
    """Source, target and weight of every synapse, listed one by one."""
    listed = list_synapses(SimpleNamespace(connectivity=table))
    per_group_out = table.out_channels // table.groups
    for source, target, k, m in listed:
        output = target[0] - table.target_channels[0]
        index = source[0] - table.source_channels[0] - output // per_group_out * (table.in_channels // table.groups)
        yield source, target, float(weights[output, index, k, m])


def naive_fan_in(tables):
    """Most sources of a neuron; those of different projections count apart."""
    sources = defaultdict(set)
    for index, table in enumerate(tables):
        for source, target, *_ in list_synapses(SimpleNamespace(connectivity=table)):
            sources[target].add((index, source))
    return max(map(len, sources.values()), default=0)


@st.composite
def projections(draw):
    """Up to three projections into one population."""
    target = draw(mapping_strategies.shapes())
    return [
        draw(mapping_strategies.connectivities(draw(mapping_strategies.shapes()), target))
        for _ in range(draw(st.integers(1, 3)))
    ]


@given(projections())
def test_fan_in_is_that_of_a_list_of_synapses(tables):
    assert largest_fan_in(tables) == naive_fan_in(tables)


@given(projections(), st.integers(1, 40), st.integers(1, 2))
def test_each_synapse_is_in_one_part_and_each_part_is_narrow(tables, room, inputs_per_part):
    if largest_fan_in(tables) <= room:
        return
    parts = fan_in_parts(tables, room, inputs_per_part)
    if parts is None:
        # each part takes one synapse at least, and as many parts as that would take the first part's room
        assert largest_fan_in(tables) > room - inputs_per_part
        return
    weights = [1.0 + np.arange(np.prod(table.weight_shape)).reshape(table.weight_shape) for table in tables]
    cut = Counter()
    for pieces in parts:
        for piece in pieces:
            table = piece.connectivity(tables[piece.projection])
            assert table.problems() == []
            own = piece.weights(tables[piece.projection], weights[piece.projection])
            assert own.shape == table.weight_shape
            cut.update((piece.projection, *synapse) for synapse in weighted_synapses(table, own))
    whole = Counter()
    for index, (table, own) in enumerate(zip(tables, weights, strict=True)):
        whole.update((index, *synapse) for synapse in weighted_synapses(table, own))
    assert cut == whole
    for number, pieces in enumerate(parts):
        from_parts = 0 if number else (len(parts) - 1) * inputs_per_part
        assert naive_fan_in([piece.connectivity(tables[piece.projection]) for piece in pieces]) + from_parts <= room


@given(st.integers(2, 200), st.integers(1, 60), st.integers(1, 2))
def test_dense_vectors_take_as_few_parts_as_counting_allows(inputs, room, inputs_per_part):
    table = dense(inputs, 3)
    if inputs <= room:
        return
    parts = fan_in_parts([table], room, inputs_per_part)
    enough = [
        count
        for count in range(2, inputs + 1)
        if (left := room - (count - 1) * inputs_per_part) >= 1 and left + (count - 1) * room >= inputs
    ]
    assert (parts is None) == (not enough)
    if parts is not None:
        assert len(parts) == enough[0]


def dense(inputs, outputs, rows=1, columns=1):
    """Each of the outputs reads the whole map."""
    every_row, every_column = (np.arange(size, dtype=np.int32)[None] for size in (rows, columns))
    shapes = (inputs, rows, columns), (outputs, 1, 1)
    return Connectivity(*shapes, every_row, every_column, (0, inputs), (0, outputs))


@pytest.mark.parametrize(
    ("table", "room", "sizes"),
    [
        # the 3 x 3 convolution of 512 channels that a core of Loihi has 4,608 - 4,096 axons too few for
        (
            Connectivity(
                (512, 3, 3), (4, 1, 1), np.arange(3, dtype=np.int32)[None], np.arange(3, dtype=np.int32)[None],
                (0, 512), (0, 4),
            ),
            4095,
            [256 * 9, 256 * 9],
        ),
        # one channel alone is too wide: cut along its rows, or along the columns of a sequence
        (dense(1, 2, rows=30, columns=20), 310, [300, 300]),
        (dense(1, 2, columns=500), 260, [250, 250]),
    ],
)  # fmt: skip
def test_parts_of_even_size(table, room, sizes):
    parts = fan_in_parts([table], room, 1)
    assert [largest_fan_in([piece.connectivity(table) for piece in pieces]) for pieces in parts] == sizes
