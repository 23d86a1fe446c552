"""Random layer graphs without torch, and their way to a chip network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from hw_profiles import load_profile
from nmdeploy.convert.calibration import Calibration, split_calibration
from nmdeploy.convert.convert import Converted, apply_method, convert
from nmdeploy.convert.methods import METHODS
from nmdeploy.errors import QuantizationError
from nmdeploy.layers import operators as op
from nmdeploy.layers.graph import Layer, build_layer_graph
from nmdeploy.layers.shapes import output_shape
from nmdeploy.quantize import QuantizationOptions, quantize
from nmdeploy.quantize.weight_rounding import WeightRounding
from nmdeploy.spiking.network import INPUT

LOIHI = load_profile("loihi")
# weights of both signs and 1 bit hold no positive value, and are refused
WEIGHT_BITS = tuple(bits for bits in LOIHI.number_formats.weight_bits.values if bits > 1)


class Builder:
    """Appends layers, shapes worked out."""

    def __init__(self, shape, seed=0):
        self.layers = [Layer("input", op.Input(), (), shape)]
        self.random = np.random.default_rng(seed)
        self.last = "input"

    @property
    def shape(self):
        return self.shape_of(self.last)

    def shape_of(self, name):
        return next(layer.shape for layer in self.layers if layer.name == name)

    def add(self, operator, *inputs, name=None):
        inputs = inputs or (self.last,)
        name = name or f"{type(operator).__name__.lower()}{len(self.layers)}"
        shape = output_shape(operator, [self.shape_of(source) for source in inputs])
        self.layers.append(Layer(name, operator, inputs, shape))
        self.last = name
        return name

    def convolution(self, channels, signs="mixed", gain=1.0, stride=1, groups=1, source=None):
        """A 3 x 3 convolution with weights of the given signs and of very different channels."""
        incoming = self.shape_of(source or self.last)[0]
        spread = np.exp(self.random.normal(size=(channels, 1, 1, 1)))
        weight = self.random.normal(size=(channels, incoming // groups, 3, 3)) * spread * gain / 3
        weight = {"mixed": weight, "excitatory": np.abs(weight), "inhibitory": -np.abs(weight)}[signs]
        bias = self.random.normal(size=channels) * gain * 0.1 + (gain if signs == "inhibitory" else 0.0)
        if signs == "excitatory":
            bias[0] = -abs(bias[0])  # else a rectifier after it would be absorbed
        operator = op.Convolution(*single(weight, bias), (stride, stride), (1, 1, 1, 1), groups=groups)
        return self.add(operator, *([source] if source else []))

    def linear(self, features):
        if self.shape[1:] != (1, 1):
            self.add(op.Flatten())
        weight = self.random.normal(size=(features, self.shape[0])) / np.sqrt(self.shape[0])
        return self.add(op.Linear(*single(weight, self.random.normal(size=features) * 0.1)))

    def graph(self, *outputs):
        return build_layer_graph(self.layers, outputs or (self.last,))


def single(*arrays):
    return [array.astype(np.float32) for array in arrays]


@dataclass(frozen=True)
class Quantized:
    """A chip network with what it was made from."""

    converted: Converted
    float_network: object
    network: object
    calibration: Calibration


def quantized(layers, options, method="channel-max", profile=LOIHI, samples=None):
    if samples is None:
        samples = np.random.default_rng(7).random((8, *layers.input_layer.shape)).astype(np.float32)
    calibration = split_calibration(samples, "test samples")
    converted = convert(layers, calibration, 99.9)
    network, _ = apply_method(converted, method, options.timesteps)
    chip = quantize(
        network, converted.statistics, profile, options, calibration.input_max, calibration.samples
    )
    return Quantized(converted, network, chip, calibration)


def quantized_if_possible(layers, options, method):
    """As `quantized`; a refusal must be one that even the smallest threshold could not avoid."""
    try:
        return quantized(layers, options, method)
    except QuantizationError:
        samples = np.random.default_rng(7).random((8, *layers.input_layer.shape)).astype(np.float32)
        converted = convert(layers, split_calibration(samples, ""), 99.9)
        network, _ = apply_method(converted, method, options.timesteps)
        widest = max(np.abs(network.normalised_weights(p)).max() for p in network.projections if p.source != INPUT)
        biases = max((np.abs(p.bias) / p.scale[:, None, None]).max() for p in network.populations)
        sums = [np.zeros(p.shape[0]) for p in network.populations]
        for total, population in zip(sums, network.populations, strict=True):
            for p in network.incoming(population.name):
                if p.source != INPUT:
                    start, stop = p.connectivity.target_channels
                    total[start:stop] += np.abs(network.normalised_weights(p)).sum(axis=(1, 2, 3))
        # a weight of 8 bits and mixed sign with the largest exponent; the bias field; the state, rounding up included
        assert widest > 127 * 2 * 2**7 or biases * 64 > 4095 * 2**7 or max(map(np.max, sums)) * 64 * 2 > 2**23 - 1
        reject()


@st.composite
def layer_graphs(draw):
    """Convolutions of all signs and gains, shortcuts, pooling, one or two readouts."""
    shape = (draw(st.integers(1, 3)), draw(st.integers(3, 5)), draw(st.integers(3, 5)))
    builder = Builder(shape, draw(st.integers(0, 2**31)))
    for _ in range(draw(st.integers(1, 4))):
        signs = draw(st.sampled_from(["mixed", "mixed", "excitatory", "inhibitory"]))
        before, gain = builder.last, draw(st.sampled_from([0.1, 1.0, 1.0, 10.0]))
        kind = draw(st.sampled_from(["plain", "strided", "residual", "max", "leaky", "clipped"]))
        channels = builder.shape[0] if kind == "residual" else draw(st.integers(1, 12))
        builder.convolution(channels, signs, gain, stride=2 if kind == "strided" else 1)
        if kind == "residual":
            builder.add(op.Add(), before, builder.last)
        if kind == "leaky":
            builder.add(op.LeakyReLU(np.full(channels, 0.1, np.float32)))
        else:
            builder.add(op.ReLU(0.5 * gain if kind == "clipped" else None))
        if kind == "max" and min(builder.shape[1:]) > 1:
            builder.add(op.MaxPool((2, 2), (2, 2)))
    hidden = builder.last
    outputs = [builder.linear(draw(st.integers(1, 4)))]
    if draw(st.booleans()):
        outputs.append(builder.convolution(2, source=hidden))
    return builder.graph(*outputs)


@st.composite
def quantization_options(draw):
    return QuantizationOptions(
        timesteps=draw(st.sampled_from([1, 4, 32, 256])),
        weight_bits=draw(st.sampled_from(WEIGHT_BITS)),
        thresholds=draw(st.sampled_from(["channel", "layer"])),
        reset=draw(st.sampled_from(["subtract", "zero"])),
        weight_rounding=draw(st.sampled_from(get_args(WeightRounding))),
    )


methods = st.sampled_from(list(METHODS))
