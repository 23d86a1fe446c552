"""A sound graph has no problems; each kind of damage is found."""

from dataclasses import replace

import numpy as np
import pytest

from nmdeploy.layers import operators as op
from nmdeploy.layers.graph import Layer, build_layer_graph
from nmdeploy.layers.verify import non_finite_fields, verify

WEIGHT, BIAS = np.ones((3, 2), np.float32), np.zeros(3, np.float32)
LAYERS = [
    Layer("input", op.Input(), (), (2, 1, 1)),
    Layer("fc", op.Linear(WEIGHT, BIAS), ("input",), (3, 1, 1)),
    Layer("act", op.ReLU(6.0), ("fc",), (3, 1, 1)),
    Layer("sum", op.Add(), ("fc", "act"), (3, 1, 1)),
    Layer("scores", op.Softmax(), ("sum",), (3, 1, 1)),
]


def graph_with(outputs=("scores",), **changes):
    layers = [replace(layer, **changes.get(layer.name, {})) for layer in LAYERS]
    return build_layer_graph(layers, outputs)


def test_a_sound_graph():
    assert verify(graph_with()) == []
    assert verify(graph_with(("scores", "act"))) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"outputs": ()}, "graph: has no output"),
        ({"outputs": ("scores", "gone")}, "gone: is an output but no layer"),
        ({"outputs": ("sum",)}, "scores: Softmax is allowed only at an output"),
        ({"act": {"operator": op.Sigmoid()}}, "act: Sigmoid is allowed only at an output"),
        ({"fc": {"inputs": ("gone",)}}, "gone: is used but is no layer"),
        ({"fc": {"inputs": ("act",)}}, "graph: has a cycle"),
        ({"sum": {"inputs": ("fc", "scores")}}, "its input scores does not come before it"),
        ({"act": {"operator": op.Input(), "inputs": ()}}, "graph: has 2 inputs ['input', 'act']"),
        ({"input": {"operator": op.Identity()}}, "graph: has 0 inputs"),
        ({"input": {"shape": (0, 1, 1)}}, "input: shape (0, 1, 1) is not three positive sizes"),
        ({"act": {"shape": (4, 1, 1)}}, "act: has shape (4, 1, 1), its operator gives (3, 1, 1)"),
        ({"sum": {"inputs": ("fc", "input")}}, "sum: Add inputs differ in shape"),
        ({"act": {"operator": op.ReLU(float("inf"))}}, "act: ceiling holds NaN or infinity"),
        ({"fc": {"operator": op.Linear(WEIGHT * np.nan, BIAS)}}, "fc: weight holds NaN or infinity"),
    ],
)
def test_damage(changes, text):
    problems = verify(graph_with(**changes))
    assert any(problem.startswith(text) or text in problem for problem in problems), problems


def test_edges_that_are_not_the_inputs():
    graph = graph_with()
    graph.graph.add_edge("input", "act")
    assert verify(graph) == ["act: its edges are not its inputs"]
    graph = graph_with()
    graph.graph.remove_edge("fc", "sum")
    assert verify(graph) == ["sum: its edges are not its inputs"]


def test_a_layer_under_another_name():
    graph = graph_with()
    graph.graph.nodes["scores"]["layer"] = replace(LAYERS[-1], name="other")
    assert verify(graph) == ["scores: is stored under another name, other"]


def test_all_problems_are_listed():
    problems = verify(graph_with(fc={"shape": (9, 1, 1)}, act={"operator": op.ReLU(float("nan"))}))
    assert {problem.split(":")[0] for problem in problems} >= {"fc", "act", "sum"}


def test_non_finite_fields():
    assert non_finite_fields(op.Affine(np.array([1, np.inf], np.float32), BIAS[:2])) == ["scale"]
    assert non_finite_fields(op.ReLU()) == []
