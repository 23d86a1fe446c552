"""Tiles are packed as first-fit decreasing, written as one loop, packs them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mapping.crossbar_cuts import Limits
from mapping.crossbar_packing import pack_crossbars


@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(1, 12)), max_size=30), st.integers(10, 20), st.integers(12, 20)
)
def test_packs_like_first_fit_decreasing(tiles, axons, neurons):
    found = pack_crossbars(*np.array(tiles, dtype=np.int64).reshape(-1, 2).T, Limits(axons, neurons)).tolist()
    core_of = first_fit_decreasing(tiles, axons, neurons)
    same = [[one == other for other in core_of] for one in core_of]
    assert [[one == other for other in found] for one in found] == same
    firsts = [found.index(core) for core in range(max(found, default=-1) + 1)]
    assert firsts == sorted(firsts)


def first_fit_decreasing(tiles, axons, neurons):
    def rank(number):
        one = tiles[number]
        return -max(one[0] / axons, one[1] / neurons), -sum(one), one, number

    free, core_of = [], [0] * len(tiles)
    for number in sorted(range(len(tiles)), key=rank):
        wanted = tiles[number]
        room = [core for core, left in enumerate(free) if left[0] >= wanted[0] and left[1] >= wanted[1]]
        if not room:
            room = [len(free)]
            free.append((axons, neurons))
        core = room[0]
        free[core] = free[core][0] - wanted[0], free[core][1] - wanted[1]
        core_of[number] = core
    return core_of
