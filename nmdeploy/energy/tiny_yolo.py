"""Tiny-YOLO for Pascal VOC, as data: the network whose energy Spiking-YOLO estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmdeploy.energy.float_network import float_operations
from nmdeploy.layers.graph import Layer, LayerGraph, build_layer_graph
from nmdeploy.layers.operators import Convolution, Input, MaxPool

SOURCE = "Darknet, cfg/yolov2-tiny-voc.cfg (pjreddie/darknet, commit 3cf8088)"
INPUT_SHAPE = (3, 416, 416)
FILTERS = (16, 32, 64, 128, 256, 512, 1024, 1024)
"""Of the 3 x 3 convolutions, padding 1."""
POOL_STRIDES = (2, 2, 2, 2, 2, 1)
"""Of the 2 x 2 maxima that follow the first six convolutions; that of stride 1 keeps the size of the map."""
HEAD_FILTERS = 125
"""Of the 1 x 1 convolution at the end: 5 boxes of 4 coordinates, an objectness and 20 classes."""


@dataclass(frozen=True)
class ConvolutionMacs:
    """Multiply-accumulates of one convolution.

    Attributes
    ----------
    name : str
    input_shape, output_shape : (int, int, int)
        Channels, rows, columns.
    kernel : int
        Rows and columns.
    padded_dense_macs : int
        Taps in the padding counted, as papers count.
    border_aware_macs : int
        Only taps that meet an input, as the energy reports of this package count.
    """

    name: str
    input_shape: tuple[int, int, int]
    output_shape: tuple[int, int, int]
    kernel: int
    padded_dense_macs: int
    border_aware_macs: int


def tiny_yolo_voc() -> LayerGraph:
    """The layers that decide the count: convolutions, whose weights are all zero, and maxima."""
    layers = [Layer("input", Input(), (), INPUT_SHAPE)]
    for number, filters in enumerate(FILTERS, start=1):
        layers.append(_convolution(f"conv{number}", layers[-1], filters, kernel=3))
        if number <= len(POOL_STRIDES):
            layers.append(_maximum(f"pool{number}", layers[-1], POOL_STRIDES[number - 1]))
    layers.append(_convolution(f"conv{len(FILTERS) + 1}", layers[-1], HEAD_FILTERS, kernel=1))
    return build_layer_graph(layers, (layers[-1].name,))


def convolution_macs(layers: LayerGraph) -> tuple[ConvolutionMacs, ...]:
    """Count both ways for every convolution, for one image.

    Parameters
    ----------
    layers : LayerGraph
        Whose kernels are square.
    """
    counted = []
    for layer in float_operations(layers):
        of_graph = layers.layer(layer.name)
        operator = of_graph.operator
        if isinstance(operator, Convolution):
            counted.append(
                ConvolutionMacs(
                    name=layer.name,
                    input_shape=layers.layer(of_graph.inputs[0]).shape,
                    output_shape=of_graph.shape,
                    kernel=operator.weight.shape[2],
                    padded_dense_macs=layer.macs_padded,
                    border_aware_macs=layer.macs,
                )
            )
    return tuple(counted)


def _convolution(name: str, source: Layer, filters: int, kernel: int) -> Layer:
    channels, rows, columns = source.shape
    # one zero stands for all 15.8 million weights, of which only the number matters
    weight = np.broadcast_to(np.float32(0), (filters, channels, kernel, kernel))
    bias = np.broadcast_to(np.float32(0), (filters,))
    operator = Convolution(weight, bias, padding=(kernel // 2,) * 4)
    return Layer(name, operator, (source.name,), (filters, rows, columns))


def _maximum(name: str, source: Layer, stride: int) -> Layer:
    channels, rows, columns = source.shape
    after = 2 - stride
    operator = MaxPool((2, 2), (stride, stride), padding=(0, after, 0, after))
    return Layer(name, operator, (source.name,), (channels, rows // stride, columns // stride))
