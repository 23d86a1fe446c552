"""Whether two models are the same, field by field; graphs and arrays have no equality of their own."""

from dataclasses import fields

import numpy as np


def assert_same_model(first, second):
    assert first.preprocessing == second.preprocessing
    assert first.classes == second.classes
    assert_same_value(first.calibration, second.calibration)
    assert first.layers.outputs == second.layers.outputs
    assert list(first.layers.graph.edges) == list(second.layers.graph.edges)
    for one, other in zip(first.layers.layers, second.layers.layers, strict=True):
        assert (one.name, one.inputs, one.shape, one.location) == (
            other.name,
            other.inputs,
            other.shape,
            other.location,
        )
        assert type(one.operator) is type(other.operator)
        for field in fields(one.operator):
            assert_same_value(getattr(one.operator, field.name), getattr(other.operator, field.name))


def assert_same_value(one, other):
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other
