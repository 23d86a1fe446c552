"""Accuracy over time steps, on potentials written down by hand."""

import numpy as np

from mapping.network import ChipNetwork, Population, build_graph
from nmdeploy.accuracy_curve import CurvePoint, accuracy_curve, landmarks


def classifier(scale):
    zeros = np.zeros(2, np.int64)
    bias = np.zeros((2, 1, 1), np.int64)
    out = Population("out", (2, 1, 1), "none", zeros, None, bias, bias, zeros, 0, np.array(scale), is_output=True)
    return ChipNetwork((1, 1, 1), 3, 0, 0, 2**23 - 1, 4095, 7, build_graph([out], []))


def test_each_step_is_decoded():
    """Scales 1 and 3: (7, 2) is 7 to 6, (7, 3) is 7 to 9; ties go to the first."""
    potentials = np.array([[[7, 2], [7, 3], [7, 9]], [[0, 0], [1, 1], [9, 3]]])
    points = accuracy_curve(classifier([1.0, 3.0]), potentials, np.array([1, 0]), np.array([0, 0]))
    # decisions 0 0, 1 1, 1 0
    assert points == [CurvePoint(1, 0.5, 1.0), CurvePoint(2, 0.5, 0.0), CurvePoint(3, 1.0, 0.5)]


def test_without_labels():
    points = accuracy_curve(classifier([1.0, 1.0]), np.zeros((2, 1, 2), np.int64), None, np.array([1, 0]))
    assert points == [CurvePoint(1, None, 0.5)]


def test_landmarks():
    points = [CurvePoint(steps, None, 1.0) for steps in range(1, 51)]
    assert [point.timesteps for point in landmarks(points)] == [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 50]
    assert [point.timesteps for point in landmarks(points[:8])] == [1, 2, 3, 4, 6, 8]
