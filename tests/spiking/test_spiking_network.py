"""The float evaluation of converted networks in chunks, and what makes a network unsound."""

from dataclasses import replace

import numpy as np
import pytest

from mapping.connectivity import Connectivity
from nmdeploy.spiking.evaluate import activations, evaluate
from nmdeploy.spiking.network import INPUT, FloatPopulation, FloatProjection, build_spiking_network


def population(name, shape, activation="none", **fields):
    given = {
        "ceiling": None,
        "bias": np.zeros((shape[0], 1, 1)),
        "scale": np.ones(shape[0]),
        "is_output": activation == "none",
        **fields,
    }
    return FloatPopulation(name, shape, activation, **given)


def dense(source, target, source_shape, target_shape, weights):
    tables = [np.arange(size, dtype=np.int32)[None] for size in source_shape[1:]]
    table = Connectivity(source_shape, target_shape, *tables, (0, source_shape[0]), (0, target_shape[0]))
    return FloatProjection(f"{source}->{target}", source, target, table, weights.reshape(table.weight_shape))


SHAPE, HIDDEN, OUT = (2, 3, 2), (4, 1, 1), (3, 1, 1)


def network(**hidden):
    """12 inputs, 4 rectified units, two readouts, and their matrices."""
    random = np.random.default_rng(1)
    first, second, third = (random.normal(size=size) for size in ((4, 12), (3, 4), (3, 12)))
    populations = [
        population("hidden", HIDDEN, "rectifier", bias=random.normal(size=(4, 1, 1)), **hidden),
        population("one", OUT),
        population("two", OUT),
    ]
    projections = [
        dense(INPUT, "hidden", SHAPE, HIDDEN, first),
        dense("hidden", "one", HIDDEN, OUT, second),
        dense(INPUT, "two", SHAPE, OUT, third),
    ]
    return build_spiking_network(SHAPE, populations, projections), (first, second, third)


@pytest.mark.parametrize("count", [0, 1, 256, 600])
@pytest.mark.parametrize("ceiling", [None, 0.8])
def test_matrices(count, ceiling):
    """More samples than one chunk; outputs joined in order."""
    net, (first, second, third) = network(ceiling=ceiling)
    x = np.random.default_rng(2).normal(size=(count, *SHAPE)).astype(np.float32)
    flat = x.reshape(count, 12)
    hidden = np.clip(flat @ first.T + net.population("hidden").bias[:, 0, 0], 0, ceiling)
    done = []
    found = evaluate(net, x, progress=done.append)
    np.testing.assert_allclose(found, np.hstack([hidden @ second.T, flat @ third.T]), rtol=0, atol=1e-4)
    assert sum(done) == count


def test_activations_are_those_before_the_rectifier():
    net, (first, _, _) = network()
    x = np.random.default_rng(3).normal(size=(5, *SHAPE)).astype(np.float32)
    found = {one.name: values for one, values in activations(net, x)}
    expected = x.reshape(5, -1) @ first.T + net.population("hidden").bias[:, 0, 0]
    assert expected.min() < 0
    np.testing.assert_allclose(found["hidden"].reshape(5, 4), expected, atol=1e-4)


def test_few_bytes_at_a_time_change_nothing(monkeypatch):
    net, _ = network()
    x = np.random.default_rng(4).normal(size=(7, *SHAPE)).astype(np.float32)
    expected = evaluate(net, x)
    monkeypatch.setattr("nmdeploy.spiking.evaluate.GATHER_BYTES", 2 * 12 * 4)
    np.testing.assert_allclose(evaluate(net, x), expected, rtol=0, atol=1e-6)


def changed(**what):
    """The network with one population or projection replaced."""
    net, _ = network()
    populations = [what.get(one.name, one) for one in net.populations]
    projections = [what.get(one.name.replace("->", "_"), one) for one in net.projections]
    return build_spiking_network(SHAPE, populations, projections)


def test_a_sound_network_has_no_problems():
    assert network()[0].problems() == []


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ({"one": population("one", OUT, bias=np.full((3, 1, 1), np.nan))}, "one: NaN or infinite bias"),
        ({"one": population("one", OUT, scale=np.array([1.0, 0.0, 1.0]))}, "one: a scale is not positive"),
        (
            {"one": population("one", OUT, is_output=False), "two": population("two", OUT, is_output=False)},
            "no output population",
        ),
        (
            {"hidden_one": dense("hidden", "one", HIDDEN, OUT, np.full((3, 4), np.inf))},
            "hidden->one: NaN or infinite weights",
        ),
        (
            {"hidden_one": replace(dense("hidden", "one", HIDDEN, OUT, np.ones(12)), weights=np.ones((3, 3, 1, 1)))},
            "hidden->one: weights (3, 3, 1, 1) for (3, 4, 1, 1)",
        ),
    ],
)
def test_problems_are_named(what, problem):
    assert changed(**what).problems() == [problem]
