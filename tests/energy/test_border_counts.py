"""Fan-out and multiply-accumulates at the borders, against figures worked out by hand and against torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.connectivity import Connectivity, tap_table
from mapping.tiles import Tile
from nmdeploy.energy.counts import FloatLayer
from nmdeploy.energy.float_network import float_operations
from nmdeploy.energy.operations import synaptic_operations
from nmdeploy.layers.graph import Layer, build_layer_graph
from nmdeploy.layers.operators import Convolution, Input, Linear, MaxPool, Pad, ReLU


def convolution(source, out, size, stride):
    tables = [tap_table(source[axis], size, 3, stride, 1) for axis in (1, 2)]
    return Connectivity(source, (out, size, size), *tables, (0, source[0]), (0, out))


def cost_of_one_spike(connectivity, position):
    """Operations of one spike of the first channel at a position, into the whole target."""
    events = np.zeros(connectivity.source_shape, dtype=np.int64)
    events[(0, *position)] = 1
    whole = Tile("target", *((0, size) for size in connectivity.target_shape))
    return synaptic_operations(connectivity, np.ones(connectivity.weight_shape), whole, events).dense


def test_fan_out_of_a_padded_convolution():
    """4 x 4 input, kernel 3, padding 1, 8 outputs: 800 operations a channel, where padding would make 1152."""
    connectivity = convolution((2, 4, 4), 8, 4, 1)
    costs = [[cost_of_one_spike(connectivity, (row, column)) for column in range(4)] for row in range(4)]
    edge, middle = [32, 48, 48, 32], [48, 72, 72, 48]
    assert costs == [edge, middle, middle, edge]
    assert sum(map(sum, costs)) == 800


def test_fan_out_of_a_strided_convolution():
    """5 x 5 input, kernel 3, stride 2, padding 1, 8 outputs: 8, 16 or 32 by parity, 392 in all."""
    connectivity = convolution((1, 5, 5), 8, 3, 2)
    costs = np.array([[cost_of_one_spike(connectivity, (row, column)) for column in range(5)] for row in range(5)])
    assert (costs[::2, ::2] == 8).all()
    assert (costs[1::2, 1::2] == 32).all()
    assert (costs[::2, 1::2] == 16).all()
    assert (costs[1::2, ::2] == 16).all()
    assert costs.sum() == 392


@st.composite
def convolutions(draw):
    groups = draw(st.integers(1, 3))
    kernel = (draw(st.integers(1, 4)), draw(st.integers(1, 3)))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding = tuple(draw(st.integers(0, 3)) for _ in range(4))
    source = (
        groups * draw(st.integers(1, 2)),
        draw(st.integers(max(1, (kernel[0] - 1) * dilation[0] + 1 - padding[0] - padding[1]), 12)),
        draw(st.integers(max(1, (kernel[1] - 1) * dilation[1] + 1 - padding[2] - padding[3]), 12)),
    )
    out = groups * draw(st.integers(1, 3))
    weight = np.zeros((out, source[0] // groups, *kernel), dtype=np.float32)
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    return source, Convolution(weight, np.zeros(out, np.float32), stride, padding, dilation, groups)


@given(convolutions())
@settings(max_examples=150, deadline=None)
def test_float_multiply_accumulates_equal_a_convolution_of_ones(drawn):
    source, operator = drawn
    top, bottom, left, right = operator.padding
    counted = torch.nn.functional.conv2d(
        torch.nn.functional.pad(torch.ones(1, *source), (left, right, top, bottom)),
        torch.ones(operator.weight.shape),
        None,
        operator.stride,
        0,
        operator.dilation,
        operator.groups,
    )
    layers = build_layer_graph(
        [Layer("input", Input(), (), source), Layer("conv", operator, ("input",), tuple(counted.shape[1:]))],
        ("conv",),
    )
    (layer,) = float_operations(layers)
    assert (layer.name, layer.macs) == ("conv", int(counted.sum()))
    assert layer.macs_padded == counted.numel() * operator.weight[0].size
    assert (layer.inputs, layer.outputs) == (np.prod(source), counted.numel())


TINY_YOLO_VOC = [(16, 3, 416), (32, 3, 208), (64, 3, 104), (128, 3, 52), (256, 3, 26), (512, 3, 13), (1024, 3, 13)]
TINY_YOLO_VOC += [(1024, 3, 13), (125, 1, 13)]
"""Output channels, kernel and size of the convolutions of Tiny-YOLO for Pascal VOC."""


def tiny_yolo(explicit_padding):
    """Its layers, the zeros around a map being either part of the convolution or a layer of their own."""
    layers = [Layer("input", Input(), (), (3, 416, 416))]
    for number, (out, kernel, size) in enumerate(TINY_YOLO_VOC):
        source = layers[-1]
        if source.shape[1] != size:
            layers.append(
                Layer(f"pool{number}", MaxPool((2, 2), (2, 2)), (source.name,), (source.shape[0], size, size))
            )
        border = kernel // 2
        padding = (border,) * 4
        source = layers[-1]
        if border and explicit_padding:
            around, padding = (border, border), (0, 0, 0, 0)
            padded = (source.shape[0], size + 2 * border, size + 2 * border)
            layers.append(Layer(f"pad{number}", Pad((0, 0), around, around), (source.name,), padded))
        weight = np.zeros((out, source.shape[0], kernel, kernel), dtype=np.float32)
        operator = Convolution(weight, np.zeros(out, np.float32), padding=padding)
        layers.append(Layer(f"conv{number}", operator, (layers[-1].name,), (out, size, size)))
        layers.append(Layer(f"relu{number}", ReLU(), (f"conv{number}",), (out, size, size)))
    return build_layer_graph(layers, (layers[-1].name,))


def test_tiny_yolo():
    """3,485,520,896 multiply-accumulates when zeros around the maps are multiplied, too."""
    padded = float_operations(tiny_yolo(explicit_padding=True))
    assert sum(layer.macs for layer in padded) == 3_485_520_896
    exact = float_operations(tiny_yolo(explicit_padding=False))
    assert sum(layer.macs_padded for layer in exact) == 3_485_520_896
    inputs = [3, *(out for out, _, _ in TINY_YOLO_VOC)]
    for layer, source, (out, kernel, size) in zip(exact, inputs, TINY_YOLO_VOC, strict=False):
        taps = (kernel * size - 2 * (kernel // 2)) ** 2  # along each axis one tap is lost at either end
        assert layer.macs == source * out * taps, layer.name


def test_dense_layers_are_counted_and_others_cost_nothing():
    bias = np.array([1, 0, 0, 2], np.float32)
    layers = build_layer_graph(
        [
            Layer("input", Input(), (), (6, 1, 1)),
            Layer("fc", Linear(np.zeros((4, 6), np.float32), bias), ("input",), (4, 1, 1)),
            Layer("relu", ReLU(), ("fc",), (4, 1, 1)),
        ],
        ("relu",),
    )
    (layer,) = float_operations(layers)
    assert layer == FloatLayer("fc", True, 24, 24, 2, weights=26, inputs=6, outputs=4, kernel_positions=0)


@pytest.mark.parametrize("channels", [(0, 1), (1, 3), (3, 5)])
def test_only_target_channels_that_the_projection_reaches_are_charged(channels):
    """A projection into channels 1 and 2 of 5 charges the tiles that hold them, for the part that they hold."""
    here = np.zeros((1, 1), dtype=np.int32)
    connectivity = Connectivity((3, 1, 1), (5, 1, 1), here, here, (0, 3), (1, 3))
    events = np.array([2, 0, 5]).reshape(3, 1, 1)
    weights = np.array([[1, 1, 0], [1, 0, 1]]).reshape(2, 3, 1, 1)
    counted = synaptic_operations(connectivity, weights, Tile("t", channels, (0, 1), (0, 1)), events)
    if channels == (1, 3):
        assert (counted.dense, counted.effective) == (14, 2 + 7)
    else:
        assert (counted.dense, counted.effective) == (0, 0)
