"""Packing tiles into cores: legal for any tiles, and as tight as known cases allow."""

from dataclasses import fields
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.packing import Bins, pack
from mapping.tile_loads import ADDED, TileLoad, joint_demands
from mapping.tiles import Demands

LIMITS = {
    "compartments": 10,
    "input_axons": 12,
    "synapse_memory_words": 8,
    "memory_bytes": 30,
    "synapse_formats": 2,
    "compartment_configurations": 3,
    "threshold_configurations": 2,
}
FIXED_BYTES = 5


def load(formats=("a",), configurations=(("zero", 1),), **demands):
    values = {field.name: demands.get(field.name, 0) for field in fields(Demands)}
    values["memory_bytes"] += FIXED_BYTES
    values["synapse_formats"] = len(formats)
    values["compartment_configurations"] = len(configurations)
    values["threshold_configurations"] = len({threshold for _, threshold in configurations})
    return TileLoad(Demands(**values), frozenset((item,) for item in formats), frozenset(configurations))


@st.composite
def loads(draw):
    return load(
        draw(st.sampled_from(["", "a", "b", "ab", "c"])),
        draw(st.sets(st.tuples(st.sampled_from(["zero", "subtract"]), st.integers(1, 2)), min_size=1, max_size=3)),
        compartments=draw(st.integers(1, 10)),
        input_axons=draw(st.integers(0, 12)),
        synapse_memory_words=draw(st.integers(0, 8)),
        memory_bytes=draw(st.integers(0, 25)),
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(loads(), min_size=1, max_size=25))
def test_every_core_is_within_all_limits(tiles):
    cores = pack(tiles, Bins.of(LIMITS, FIXED_BYTES))
    assert sorted(number for core in cores for number in core) == list(range(len(tiles)))
    assert cores == sorted(cores)
    for core in cores:
        demands = joint_demands([tiles[number] for number in core], FIXED_BYTES, 0)
        assert all(getattr(demands, name) <= limit for name, limit in LIMITS.items())
    # two cores that fit together would have been one: the greedy fills a core as long as anything fits
    for first, second in combinations(cores, 2):
        together = joint_demands([tiles[number] for number in (*first, *second)], FIXED_BYTES, 0)
        assert any(getattr(together, name) > limit for name, limit in LIMITS.items())


@pytest.mark.parametrize(
    ("tiles", "cores"),
    [
        ([load(compartments=5)] * 100, 50),
        ([load(compartments=6)] * 20 + [load(compartments=4)] * 20, 20),
        # what one resource leaves room for, another does not
        ([load(compartments=3, input_axons=9)] * 10 + [load(compartments=7, input_axons=3)] * 10, 10),
        # a core has the fixed bytes once
        ([load(memory_bytes=5)] * 5, 1),
        ([load("a"), load("b"), load("a"), load("c")], 2),
        ([load(configurations=[("zero", value)]) for value in (1, 2, 3, 4)], 2),
        ([load(configurations=[(reset, 1)]) for reset in ("zero", "subtract")] * 3, 1),
    ],
)
def test_known_cases(tiles, cores):
    assert len(pack(tiles, Bins.of(LIMITS, FIXED_BYTES))) == cores


def test_demands_that_add_up_are_those_of_the_recount():
    assert set(ADDED) | {
        "words_per_axon_list",
        "synapse_formats",
        "compartment_configurations",
        "threshold_configurations",
        "synapses_per_row",
    } == {field.name for field in fields(Demands)}
