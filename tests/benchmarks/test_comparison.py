import sys

import pytest

from benchmarks.comparison import interleaved
from benchmarks.contestant import Contestant, ContestantError


def contestant(name, order, seconds):
    """A turn that notes its name and takes the next of some times."""
    remaining = iter(seconds)

    def turn():
        order.append(name)
        return {"seconds": next(remaining), "mode": name}

    return turn


def test_everyone_has_a_turn_in_every_round_and_begins_in_turn():
    order = []
    turns = {"a": contestant("a", order, [1.0, 2.0, 3.0]), "b": contestant("b", order, [4.0, 5.0, 6.0])}
    measured = interleaved(turns, rounds=(3, 9), seconds=0.0)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert measured["a"] == {"seconds": [1.0, 2.0, 3.0], "mode": "a"}
    assert measured["b"]["seconds"] == [4.0, 5.0, 6.0]


def test_rounds_end_with_the_most():
    order = []
    measured = interleaved({"a": contestant("a", order, [1.0] * 5)}, rounds=(2, 4), seconds=60.0)
    assert len(measured["a"]["seconds"]) == 4


def test_an_error_of_a_contestant_names_it():
    with pytest.raises(ContestantError, match=r"benchmarks\.float_contestant ended(.|\n)*samples\.npz"):
        Contestant(sys.executable, 1, "benchmarks.float_contestant", "/nonexistent")
