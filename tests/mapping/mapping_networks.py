"""Small and large integer networks for the tests of mapping."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mapping.connectivity import Connectivity, tap_table
from mapping.network import ChipNetwork, Population, Projection, build_graph
from mapping.neuron_models import PoolCounts
from mapping.pool_taps import pool_weights

STEP = 64


def population(name, shape, reset="subtract", start_step=0, thresholds=None, is_output=False):
    channels = shape[0]
    if thresholds is None:
        thresholds = np.full(channels, 100)
    threshold = np.asarray(thresholds, dtype=np.int64) * STEP
    if reset == "zero":
        threshold = threshold + 1
    if reset == "none":
        threshold = np.zeros(channels, dtype=np.int64)
    return Population(
        name=name,
        shape=shape,
        reset=reset,
        threshold=threshold,
        negative_threshold=None,
        bias_mantissa=np.zeros((channels, 1, 1), dtype=np.int64),
        bias_exponent=np.zeros((channels, 1, 1), dtype=np.int64),
        initial_potential=np.zeros(channels, dtype=np.int64),
        start_step=start_step,
        scale=np.ones(channels),
        is_output=is_output,
    )


def conv_connectivity(source, target, kernel=3, stride=1, padding=1, dilation=1, groups=1):
    return Connectivity(
        source,
        target,
        tap_table(source[1], target[1], kernel, stride, padding, dilation),
        tap_table(source[2], target[2], kernel, stride, padding, dilation),
        (0, source[0]),
        (0, target[0]),
        groups,
    )


def flatten_dense(source, outputs):
    rows = np.arange(source[1], dtype=np.int32)[None, :]
    columns = np.arange(source[2], dtype=np.int32)[None, :]
    return Connectivity(source, (outputs, 1, 1), rows, columns, (0, source[0]), (0, outputs))


def upsampled_conv(source, target, factor=2, kernel=3, padding=1):
    """A convolution of the map upsampled to the nearest neighbour: taps may share a source."""
    tables = []
    for axis in (1, 2):
        fine = tap_table(source[axis] * factor, target[axis], kernel, 1, padding)
        tables.append(np.where(fine >= 0, fine // factor, -1).astype(np.int32))
    return Connectivity(source, target, tables[0], tables[1], (0, source[0]), (0, target[0]))


def shortcut(source, target, stride=1):
    """Identity depthwise 1x1 into the first channels that the source has (channel padding)."""
    channels = min(source[0], target[0])
    return Connectivity(
        source,
        target,
        tap_table(source[1], target[1], 1, stride),
        tap_table(source[2], target[2], 1, stride),
        (0, channels),
        (0, channels),
        channels,
    )


def projection(name, source, target, connectivity, bits=8, exponent=0, delay=0, sign_mode="mixed", seed=0):
    generator = np.random.default_rng(seed)
    shape = connectivity.weight_shape
    if sign_mode == "mixed":
        half = 1 << (bits - 1)
        weights = generator.integers(-half, half, shape) << (8 - bits + 1)
    else:
        weights = generator.integers(0, 1 << bits, shape) << (8 - bits)
        if sign_mode == "inhibitory":
            weights = -weights
    return Projection(name, source, target, connectivity, weights.astype(np.int32), exponent, bits, sign_mode, delay)


def maximum(name, shape, base=2, start_step=0):
    """A population of maxima over counts."""
    zeros = np.zeros(shape[0], dtype=np.int64)
    made = population(name, shape, start_step=start_step, thresholds=zeros)
    return replace(made, pool_counts=PoolCounts(base))


def pool_projection(name, source, target, shape, channels, kernel=2, stride=2, base=2, delay=0):
    """Windows of the first channels of a population, each channel by itself, into `channels` of the target."""
    count = channels[1] - channels[0]
    tables = [tap_table(source.shape[axis], shape[axis], kernel, stride) for axis in (1, 2)]
    table = Connectivity(source.shape, shape, *tables, (0, count), channels, count)
    weights = pool_weights((kernel, kernel), count, base)
    return Projection(name, source.name, target, table, weights, -6, 8, "excitatory", delay)


def network(populations, projections, timesteps=8):
    return ChipNetwork(
        input_shape=populations[0].shape,
        timesteps=timesteps,
        synapse_exponent=6,
        threshold_exponent=6,
        state_max=2**23 - 1,
        bias_mantissa_max=4095,
        bias_exponent_max=7,
        graph=build_graph(populations, projections),
    )


def conv_pair(source, target, reset="subtract", kernel=3, **options):
    first = population("first", source, reset)
    second = population("second", target, reset, start_step=1, is_output=True)
    connectivity = conv_connectivity(source, target, kernel, **options)
    return network([first, second], [projection("conv", "first", "second", connectivity, exponent=-6)])


def resnet20(reset="subtract", width=16, blocks=3, size=32):
    """ResNet-20 on CIFAR, by shape; identity shortcuts with channel padding."""
    populations = [population("stem", (width, size, size), reset)]
    projections = []
    step = 0
    for stage in range(3):
        for block in range(blocks):
            stride = 2 if stage and block == 0 else 1
            before = populations[-1]
            shape = (width << stage, size >> stage, size >> stage)
            name = f"s{stage}b{block}"
            populations.append(population(f"{name}.1", shape, reset, step + 1))
            populations.append(population(f"{name}.2", shape, reset, step + 2))
            first = conv_connectivity(before.shape, shape, stride=stride)
            second = conv_connectivity(shape, shape)
            skip = shortcut(before.shape, shape, stride)
            projections += [
                projection(f"{name}.conv1", before.name, f"{name}.1", first, exponent=-3),
                projection(f"{name}.conv2", f"{name}.1", f"{name}.2", second, exponent=-3),
                projection(f"{name}.skip", before.name, f"{name}.2", skip, exponent=0, delay=1),
            ]
            step += 2
    last = populations[-1]
    populations.append(population("logits", (10, 1, 1), "none", step + 1, is_output=True))
    projections.append(projection("fc", last.name, "logits", flatten_dense(last.shape, 10), exponent=-4))
    return network(populations, projections)
