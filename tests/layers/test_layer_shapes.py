"""Shapes of operators against torch, and operators that do not fit their inputs."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nmdeploy.layers import operators as op
from nmdeploy.layers.shapes import output_shape

SIZES = st.integers(1, 9)
PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4))
PADDING = st.tuples(*[st.integers(0, 3)] * 4)


def array(*shape):
    return np.ones(shape, np.float32)


def padded(shape, padding):
    top, bottom, left, right = padding
    return F.pad(torch.zeros(1, *shape), (left, right, top, bottom))


@settings(max_examples=200, deadline=None)
@given(PAIRS, PAIRS, PAIRS, PADDING, SIZES, SIZES, st.sampled_from([(1, 4, 2), (2, 2, 4), (4, 1, 8)]))
def test_convolution(kernel, stride, dilation, padding, rows, columns, channels):
    groups, channels_in, channels_out = channels
    weight = array(channels_out, channels_in, *kernel)
    operator = op.Convolution(weight, array(channels_out), stride, padding, dilation, groups)
    x = padded((4, rows, columns), padding)
    try:
        expected = tuple(F.conv2d(x, torch.from_numpy(weight), None, stride, 0, dilation, groups).shape[1:])
    except RuntimeError:
        with pytest.raises(ValueError, match="exceeds"):
            output_shape(operator, [(4, rows, columns)])
    else:
        assert output_shape(operator, [(4, rows, columns)]) == expected


@settings(max_examples=200, deadline=None)
@given(PAIRS, PAIRS, PAIRS, PADDING, SIZES, SIZES, st.booleans())
def test_pooling(kernel, stride, dilation, padding, rows, columns, maximum):
    if not maximum:
        dilation = (1, 1)
    extents = [step * (size - 1) + 1 for size, step in zip(kernel, dilation, strict=True)]
    operator = op.MaxPool(kernel, stride, padding, dilation) if maximum else op.AveragePool(kernel, stride, padding)
    if max(padding[:2]) >= extents[0] or max(padding[2:]) >= extents[1]:
        with pytest.raises(ValueError, match="not smaller than the window"):
            output_shape(operator, [(2, rows, columns)])
        return
    x = padded((2, rows, columns), padding)
    assume(x.shape[2] >= extents[0] and x.shape[3] >= extents[1])
    expected = F.max_pool2d(x, kernel, stride, 0, dilation) if maximum else F.avg_pool2d(x, kernel, stride)
    assert output_shape(operator, [(2, rows, columns)]) == tuple(expected.shape[1:])


AXES = st.tuples(st.integers(0, 5), st.integers(1, 6), st.integers(1, 4))


@given(AXES, AXES, AXES)
def test_slice(channels, rows, columns):
    operator = op.Slice(channels, rows, columns)
    if any(start >= stop for start, stop, _ in (channels, rows, columns)):
        with pytest.raises(ValueError, match="does not fit"):
            output_shape(operator, [(6, 6, 6)])
    else:
        expected = np.empty((6, 6, 6))[tuple(slice(*axis) for axis in (channels, rows, columns))].shape
        assert output_shape(operator, [(6, 6, 6)]) == expected


@pytest.mark.parametrize(
    ("operator", "inputs", "expected"),
    [
        (op.Linear(array(3, 5), array(3)), [(5, 1, 1)], (3, 1, 1)),
        (op.BatchNorm(*[array(2)] * 4, epsilon=0.0), [(2, 3, 4)], (2, 3, 4)),
        (op.Affine(array(2), array(2)), [(2, 3, 4)], (2, 3, 4)),
        (op.ReLU(6.0), [(2, 3, 4)], (2, 3, 4)),
        (op.LeakyReLU(array(2)), [(2, 3, 4)], (2, 3, 4)),
        (op.AdaptiveAveragePool((5, 1)), [(2, 3, 4)], (2, 5, 1)),
        (op.Upsample((2, 3)), [(2, 3, 4)], (2, 6, 12)),
        (op.Add(), [(2, 3, 4)] * 3, (2, 3, 4)),
        (op.Concatenate(), [(2, 3, 4), (5, 3, 4)], (7, 3, 4)),
        (op.Flatten(), [(2, 3, 4)], (24, 1, 1)),
        (op.Pad((1, 2), (3, 4), (5, 6)), [(2, 3, 4)], (5, 10, 15)),
        (op.Identity(), [(2, 3, 4)], (2, 3, 4)),
        (op.Softmax(), [(2, 3, 4)], (2, 3, 4)),
        (op.Sigmoid(), [(2, 3, 4)], (2, 3, 4)),
    ],
)
def test_others(operator, inputs, expected):
    assert output_shape(operator, inputs) == expected


@pytest.mark.parametrize(
    ("operator", "inputs", "text"),
    [
        (op.Convolution(array(2, 3, 1, 1), array(2)), [(4, 5, 5)], "takes 3 channels, the input has 4"),
        (op.Convolution(array(3, 2, 1, 1), array(3), groups=2), [(4, 5, 5)], "3 channels in 2 groups"),
        (op.Convolution(array(2, 3, 1, 1), array(3)), [(3, 5, 5)], "bias has shape"),
        (op.Convolution(array(2, 3, 1), array(2)), [(3, 5, 5)], "3 axes"),
        (op.Convolution(array(2, 3, 1, 1), array(2), stride=(0, 1)), [(3, 5, 5)], "at least 1"),
        (op.Convolution(array(2, 3, 1, 1), array(2), padding=(0, -1, 0, 0)), [(3, 5, 5)], "negative"),
        (op.Linear(array(3, 5), array(3)), [(5, 2, 1)], "takes a vector of 5"),
        (op.Linear(array(3, 5), array(5)), [(5, 1, 1)], "bias has shape"),
        (op.BatchNorm(array(2), -array(2), array(2), array(2), 0.5), [(2, 1, 1)], "not positive"),
        (op.BatchNorm(array(2), array(3), array(2), array(2), 0.5), [(2, 1, 1)], "variance has shape"),
        (op.Affine(array(2), array(1)), [(2, 1, 1)], "shift has shape"),
        (op.ReLU(0.0), [(2, 1, 1)], "ceiling"),
        (op.LeakyReLU(array(3)), [(2, 1, 1)], "negative_slope has shape"),
        (op.AdaptiveAveragePool((0, 1)), [(2, 1, 1)], "not positive"),
        (op.Upsample((1, 0)), [(2, 1, 1)], "not positive"),
        (op.Add(), [(2, 1, 1), (1, 1, 1)], "differ in shape"),
        (op.Add(), [], "at least one"),
        (op.Concatenate(), [(2, 1, 1), (2, 1, 2)], "differ in rows or columns"),
        (op.Pad((0, 0), (0, -1), (0, 0)), [(2, 3, 3)], "negative"),
        (op.Flatten(), [(2, 1, 1)] * 2, "needs one input, has 2"),
        (op.Input(), [(2, 1, 1)], "takes no inputs"),
    ],
)
def test_operators_that_do_not_fit(operator, inputs, text):
    with pytest.raises(ValueError, match=text):
        output_shape(operator, inputs)
