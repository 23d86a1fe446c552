"""Scores by hand."""

from dataclasses import replace

import numpy as np
import pytest
from integer_networks import network, population

from nmdeploy.analysis.scores import Tally, decides


def outputs(*shapes):
    return network(
        [
            population(f"out {number}", shape, reset="none", threshold=np.zeros(shape[0], np.int64), is_output=True)
            for number, shape in enumerate(shapes)
        ]
    )


def test_decisions_of_two_batches():
    """Decisions 0, 1, 1; the float network's 0, 1, 0; labels 1, 1, 1. Squares 1 + 4 + 9 of 9 + 4 + 16 + 4."""
    tally = Tally(outputs((2, 1, 1)))
    tally.add(np.array([[2.0, 0], [0, 2]]), np.array([[3.0, 0], [0, 4]], np.float32), np.array([1, 1]))
    tally.add(np.array([[0.0, 3]]), np.array([[2.0, 0]], np.float32), np.array([1]))
    score = tally.score()
    assert score.accuracy == pytest.approx(2 / 3)
    assert score.agreement == pytest.approx(2 / 3)
    assert score.error == pytest.approx(np.sqrt((1 + 4 + 4 + 9) / (9 + 16 + 4)))
    assert score.output_errors == {"out 0": score.error}


def test_maps_decide_nothing():
    net = outputs((1, 2, 1), (3, 1, 1), (1, 1, 1))
    tally = Tally(net)
    decoded = np.array([[1.0, 2, 3, 4, 5, 7]])
    tally.add(decoded, np.array([[1.0, 4, 3, 4, 0, 0]], np.float32), None)
    score = tally.score()
    assert (score.accuracy, score.agreement) == (None, None)
    assert score.output_errors == {
        "out 0": pytest.approx(2 / np.sqrt(17)),
        "out 1": pytest.approx(1.0),
        "out 2": None,  # the float network's is zero: no share of it
    }
    assert score.error == pytest.approx(np.sqrt((4 + 25 + 49) / (17 + 25)))


def test_what_decides():
    assert decides(outputs((4, 1, 1)))
    assert not decides(outputs((4, 1, 2)))
    assert not decides(outputs((4, 1, 1), (4, 1, 1)))
    only = outputs((4, 1, 1))
    hidden = replace(population("hidden", (2, 2, 2)), start_step=0)
    assert decides(network([hidden, *only.populations]))
