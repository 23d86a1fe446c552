"""Real networks by shape, with random weights, for chips with plain and with paced neurons."""

from __future__ import annotations

from dataclasses import replace

import mapping_networks as networks
import numpy as np

from mapping.connectivity import Connectivity, tap_table
from mapping.neuron_models import CountMemory


class Shapes:
    """Populations and projections, in step with each other whatever their leads.

    Parameters
    ----------
    profile : HardwareProfile
        Gives the neurons, paced ones where it has them, and the number formats.
    slope : int, optional
        Mantissa of the slope of paced neurons.
    """

    def __init__(self, profile, slope=None):
        self._formats = profile.number_formats
        self._paced = "paced" in profile.neuron_models.names
        self._slope = slope
        self.populations = []
        self._projections = []

    def network(self):
        """The network, in the formats of the profile."""
        formats = self._formats
        made = networks.network(self.populations, self._projections, timesteps=16)
        return replace(
            made,
            synapse_exponent=formats.synapse_exponent.value,
            threshold_exponent=formats.threshold_exponent.value,
            state_max=formats.state_max,
            bias_mantissa_max=formats.bias_mantissa_max.value,
            bias_exponent_max=formats.bias_exponent_max.value,
        )

    def layer(self, name, shape, sources=(), *, is_output=False):
        """Add a population; each source is one with the connectivity from it."""
        reset = "none" if is_output else "subtract"
        made = networks.population(name, shape, reset, self._start(sources), is_output=is_output)
        if self._paced and not is_output:
            slope = None if self._slope is None else np.full(shape[0], self._slope)
            release = "never" if slope is None else "half"
            made = replace(made, count_memory=CountMemory(release=release, slope_mantissa=slope))
        for source, connectivity in sources:
            self._join(source, made, connectivity)
        self.populations.append(made)
        return made

    def maximum(self, name, source, stride):
        """Add maxima over windows of 2 x 2."""
        shape = (source.shape[0], source.shape[1] // stride, source.shape[2] // stride)
        base = 4 if source.sends_negative else 2
        made = networks.maximum(name, shape, base, self._start([(source, None)]))
        joined, channels = f"{source.name}-{name}", (0, shape[0])
        projection = networks.pool_projection(joined, source, name, shape, channels, 2, stride, base)
        self._projections.append(replace(projection, weight_exponent=-self._formats.synapse_exponent.value))
        self.populations.append(made)
        return made

    @staticmethod
    def _start(sources):
        return max((source.firing_start_step + 1 for source, _ in sources), default=0)

    def _join(self, source, target, connectivity):
        formats = self._formats
        delay = target.start_step - source.firing_start_step - 1
        made = networks.projection(f"{source.name}-{target.name}", source.name, target.name, connectivity, delay=delay)
        lost = 1 << formats.mixed_sign_lost_bits.value
        weights = made.weights // 2 * lost * formats.mantissa_step(8)
        exponent = -formats.synapse_exponent.value
        self._projections.append(replace(made, weights=weights, weight_exponent=exponent))


def conv(source, channels, kernel=3, stride=1, padding=None):
    """The target's shape, and the source with its connectivity."""
    padding = kernel // 2 if padding is None else padding
    rows, columns = ((size + 2 * padding - kernel) // stride + 1 for size in source.shape[1:])
    shape = (channels, rows, columns)
    return shape, [(source, networks.conv_connectivity(source.shape, shape, kernel, stride, padding))]


def mnist_cnn(profile):
    shapes = Shapes(profile)
    last = shapes.layer("conv1", (16, 12, 12))
    for name, channels, stride in (("conv2", 32, 1), ("conv3", 64, 2)):
        last = shapes.layer(name, *conv(last, channels, 3, stride, 0))
    shapes.layer("conv4", *conv(last, 10, last.shape[1], padding=0), is_output=True)
    return shapes.network()


def resnet20(profile):
    shapes = Shapes(profile)
    last = shapes.layer("stem", (16, 32, 32))
    for stage in range(3):
        for block in range(3):
            stride = 2 if stage and block == 0 else 1
            name = f"s{stage}b{block}"
            inner = shapes.layer(f"{name}.1", *conv(last, 16 << stage, 3, stride))
            shape, second = conv(inner, 16 << stage)
            last = shapes.layer(f"{name}.2", shape, [*second, (last, networks.shortcut(last.shape, shape, stride))])
    shapes.layer("logits", (10, 1, 1), [(last, networks.flatten_dense(last.shape, 10))], is_output=True)
    return shapes.network()


def yolov3_tiny(profile, size=416):
    """Leaky neurons, maxima, nearest upsampling and concatenation; the first layer's input is a current."""
    shapes = Shapes(profile, slope=26)
    last = shapes.layer("conv0", (16, size, size))
    for index, channels in enumerate((32, 64, 128, 256), start=1):
        last = shapes.maximum(f"pool{index}", last, 2)
        last = shapes.layer(f"conv{index}", *conv(last, channels))
    route = last
    last = shapes.layer("conv5", *conv(shapes.maximum("pool5", last, 2), 512))
    last = shapes.layer("conv6", *conv(shapes.maximum("pool6", last, 1), 1024))
    trunk = shapes.layer("conv7", *conv(last, 256, 1))
    last = shapes.layer("conv8", *conv(trunk, 512))
    shapes.layer("conv9", *conv(last, 255, 1), is_output=True)
    up = shapes.layer("conv10", *conv(trunk, 128, 1))
    joined = (256, *route.shape[1:])
    sources = [(up, upsampled(up, joined)), (route, networks.conv_connectivity(route.shape, joined))]
    last = shapes.layer("conv11", joined, sources)
    shapes.layer("conv12", *conv(last, 255, 1), is_output=True)
    return shapes.network()


def upsampled(source, shape):
    """A convolution of 3 x 3 on the map upsampled by 2 to its nearest neighbours."""
    fine = [tap_table(2 * source.shape[axis], shape[axis], 3, 1, 1) for axis in (1, 2)]
    tables = [np.where(table >= 0, table // 2, -1).astype(np.int32) for table in fine]
    return Connectivity(source.shape, shape, *tables, (0, source.shape[0]), (0, shape[0]))
