"""Well-known networks in their usual shapes with random integer weights, for the benchmarks of mapping.

They are built directly as integer networks, from the shapes of the layers, and are equal in form to what the compiler
makes of the trained networks: the first layer's input is a current, an average pooling before a linear layer is folded
into its weights, a shortcut is a projection, a maximum is a population where the chip has such neurons, and a knock-out
of rectifiers where it has not (`nmdeploy.convert.max_pool`). Neurons are paced where the chip has them. Weights,
thresholds and exponents are random or constant: they decide no demand of a core but through their widths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.connectivity import Connectivity, Shape, tap_table
from mapping.fan_in_parts import Piece, fan_in_parts, largest_fan_in
from mapping.network import ChipNetwork, Population, Projection, Reset, build_graph
from mapping.neuron_models import CountMemory, PoolCounts
from mapping.pool_taps import pool_weights

TIMESTEPS = 16
WEIGHT_BITS = 8
IndexTable = NDArray[np.int32]


@dataclass(frozen=True)
class Part:
    """A population as a layer reads it: the row and column of it that each row and column of the map is."""

    population: Population
    rows: IndexTable
    columns: IndexTable


@dataclass(frozen=True)
class Map:
    """What a layer reads: the sum of its parts, all of one shape."""

    shape: Shape
    parts: tuple[Part, ...]


class Wire(NamedTuple):
    """A projection before it has weights."""

    source: Population
    table: Connectivity


class NetworkBuilder:
    """Adds layer after layer, each in step with its sources.

    Parameters
    ----------
    profile : HardwareProfile
        Gives the neurons and number formats.
    split_fan_in : bool
        Sum in parts what has more inputs than a core has input axons, as `nmdeploy compile --split-fan-in` does.
    seed : int
    """

    def __init__(self, profile: HardwareProfile, *, split_fan_in: bool = False, seed: int = 0) -> None:
        axons = profile.core_limits.input_axons
        resets = profile.core_costs.reset_synapses_per_subtractive_neuron.value
        self._most_inputs = None if axons is None or not split_fan_in else int(axons.value) - resets
        self._formats = profile.number_formats
        self._paced = "paced" in profile.neuron_models.names
        self._has_maximum = "max_pool" in profile.neuron_models.names
        self._generator = np.random.default_rng(seed)
        self._populations: list[Population] = []
        self._projections: list[Projection] = []
        self._input_shape: Shape = (1, 1, 1)

    def network(self) -> ChipNetwork:
        """All that was added."""
        formats = self._formats
        return ChipNetwork(
            input_shape=self._input_shape,
            timesteps=TIMESTEPS,
            synapse_exponent=formats.synapse_exponent.value,
            threshold_exponent=formats.threshold_exponent.value,
            state_max=formats.state_max,
            bias_mantissa_max=formats.bias_mantissa_max.value,
            bias_exponent_max=formats.bias_exponent_max.value,
            graph=build_graph(self._populations, self._projections),
        )

    def first(self, name: str, shape: Shape) -> Map:
        """The first layer; the host computes its current."""
        self._input_shape = shape
        return self._add(name, shape, [])

    def convolution(
        self, name: str, source: Map, channels: int, kernel: int = 3, stride: int = 1, *, depthwise: bool = False
    ) -> Map:
        """A convolution with ReLU, zeros of half the kernel around it."""
        return self.sum_of_convolutions(name, [(source, kernel, stride, channels if depthwise else 1)], channels)

    def sum_of_convolutions(
        self, name: str, terms: Sequence[tuple[Map, int, int, int]], channels: int
    ) -> Map:
        """ReLU of a sum of convolutions, given as source, kernel, stride and groups."""
        source, kernel, stride, _ = terms[0]
        rows, columns = ((size + 2 * (kernel // 2) - kernel) // stride + 1 for size in source.shape[1:])
        return self._add(name, (channels, rows, columns), terms)

    def dense(self, name: str, source: Map, outputs: int, *, is_output: bool = False) -> Map:
        """A dense layer that reads the whole map."""
        return self._add(name, (outputs, 1, 1), [(source, 0, 1, 1)], is_output=is_output)

    def classifier(self, source: Map, pool_neurons: bool) -> None:
        """Average over the map and 1000 outputs; the average has neurons of its own, or is folded into the weights."""
        if pool_neurons:
            source = self._add("pool", (source.shape[0], 1, 1), [(source, 0, 1, source.shape[0])])
        self.dense("logits", source, 1000, is_output=True)
        last = self._projections[-1]
        of_one_tap = np.broadcast_to(last.weights[:, :, :1, :1], last.weights.shape)
        self._projections[-1] = replace(last, weights=np.ascontiguousarray(of_one_tap))

    def max_pool(self, name: str, source: Map, kernel: int = 2) -> Map:
        """Maximum over windows with stride 2, of a single population."""
        (part,) = source.parts
        padding = (kernel - 1) // 2
        rows, columns = ((size + 2 * padding - kernel) // 2 + 1 for size in source.shape[1:])
        row_taps = tap_table(source.shape[1], rows, kernel, 2, padding)
        column_taps = tap_table(source.shape[2], columns, kernel, 2, padding)
        if not self._has_maximum:
            return self._knock_out(name, part.population, row_taps, column_taps)
        every_row = np.arange(rows, dtype=np.int32)[:, None]
        every_column = np.arange(source.shape[2], dtype=np.int32)[:, None]
        if kernel == 2:
            return whole(self._maximum(name, part.population, row_taps, column_taps))
        by_rows = self._maximum(f"{name}.rows", part.population, row_taps, every_column)
        return whole(self._maximum(f"{name}.columns", by_rows, every_row, column_taps))

    def _maximum(self, name: str, source: Population, rows: IndexTable, columns: IndexTable) -> Population:
        shape = (source.shape[0], len(rows), len(columns))
        zeros = np.zeros(shape[0], dtype=np.int64)
        base = 4 if source.sends_negative else 2
        made = self._population(name, shape, "subtract", source.firing_start_step + 1, zeros, None, PoolCounts(base))
        connectivity = Connectivity(
            source.shape, shape, rows, columns, (0, shape[0]), (0, shape[0]), shape[0]
        )
        weights = pool_weights((rows.shape[1], columns.shape[1]), shape[0], base)
        exponent = -self._formats.synapse_exponent.value
        joined = Projection(
            f"{source.name}-{name}", source.name, name, connectivity, weights, exponent, WEIGHT_BITS, "excitatory"
        )
        self._populations.append(made)
        self._projections.append(joined)
        return made

    def _knock_out(self, name: str, source: Population, rows: IndexTable, columns: IndexTable) -> Map:
        """``max(a, b) = b + relu(a - b)`` along the rows, then along the columns."""
        all_columns = np.arange(source.shape[2], dtype=np.int32)[:, None]
        highest = [Part(source, filled_tap(rows, tap), all_columns) for tap in range(rows.shape[1])]
        parts = self._knock_out_axis(f"{name}.rows", [[part] for part in highest])
        by_column = [
            [
                Part(part.population, part.rows, part.columns[filled_tap(columns, tap)[:, 0]])
                for part in parts
            ]
            for tap in range(columns.shape[1])
        ]
        parts = self._knock_out_axis(f"{name}.columns", by_column)
        return Map((source.shape[0], len(rows), len(columns)), tuple(parts))

    def _knock_out_axis(self, name: str, values: list[list[Part]]) -> list[Part]:
        level = 0
        while len(values) > 1:
            winners = []
            for index in range(0, len(values) - 1, 2):
                first, second = values[index], values[index + 1]
                shape = (first[0].population.shape[0], len(first[0].rows), len(first[0].columns))
                terms = [(Map(shape, (*first, *second)), 1, 1, shape[0])]
                difference = self._add(f"{name}{level}.{index // 2}", shape, terms)
                winners.append([*second, *difference.parts])
            values = winners + values[len(values) // 2 * 2 :]
            level += 1
        return values[0]

    def _add(
        self, name: str, shape: Shape, terms: Sequence[tuple[Map, int, int, int]], *, is_output: bool = False
    ) -> Map:
        """A population that reads each part of each term."""
        wires = [
            self._wire(part, shape, kernel, stride, groups)
            for term, kernel, stride, groups in terms
            for part in term.parts
        ]
        tables = [wire.table for wire in wires]
        if self._most_inputs is not None and largest_fan_in(tables) > self._most_inputs:
            wires = self._split(name, shape, wires, self._most_inputs)
        threshold = self._threshold(shape)
        reset: Reset = "none" if is_output else "subtract"
        memory = CountMemory(release="never") if self._paced and not is_output else None
        made = self._population(
            name, shape, reset, start_after(wires), np.zeros_like(threshold) if is_output else threshold, memory, None,
            is_output,
        )  # fmt: skip
        self._join(made, wires)
        return whole(made)

    def _split(self, name: str, shape: Shape, wires: list[Wire], most_inputs: int) -> list[Wire]:
        """What a population reads whose other inputs are summed by populations of their own."""
        parts = fan_in_parts([wire.table for wire in wires], most_inputs, 1 if self._paced else 2)
        if parts is None:
            return wires

        def cut(pieces: list[Piece]) -> list[Wire]:
            return [
                Wire(wires[piece.projection].source, piece.connectivity(wires[piece.projection].table))
                for piece in pieces
            ]

        read = cut(parts[0])
        for number, pieces in enumerate(parts[1:], start=2):
            into = cut(pieces)
            for sign in ("",) if self._paced else (".positive", ".negative"):
                memory = CountMemory(release="half", slope_mantissa=np.full(shape[0], 256)) if self._paced else None
                threshold, start = self._threshold(shape), start_after(into)
                partial = self._population(
                    f"{name}.part{number}{sign}", shape, "subtract", start, threshold, memory, None
                )
                self._join(partial, into)
                read.append(Wire(partial, Connectivity.identity(shape)))
        return read

    def _threshold(self, shape: Shape) -> NDArray[np.int64]:
        return np.full(shape[0], 100 << self._formats.threshold_exponent.value, dtype=np.int64)

    def _population(
        self,
        name: str,
        shape: Shape,
        reset: Reset,
        start: int,
        threshold: NDArray[np.int64],
        memory: CountMemory | None,
        pool: PoolCounts | None,
        is_output: bool = False,
    ) -> Population:
        zeros = np.zeros((shape[0], 1, 1), dtype=np.int64)
        return Population(
            name, shape, reset, threshold, None, zeros, zeros, np.zeros(shape[0], dtype=np.int64), start,
            np.ones(shape[0]), is_output, memory, pool,
        )  # fmt: skip

    def _wire(self, part: Part, shape: Shape, kernel: int, stride: int, groups: int) -> Wire:
        """How a convolution into a population of this shape reads a part."""
        rows, columns = (
            through(part_map, shape[axis], kernel, stride) for axis, part_map in ((1, part.rows), (2, part.columns))
        )
        source = part.population
        table = Connectivity(source.shape, shape, rows, columns, (0, source.shape[0]), (0, shape[0]), groups)
        return Wire(source, table)

    def _join(self, made: Population, wires: list[Wire]) -> None:
        """Add a population with random weights into it."""
        self._populations.append(made)
        formats = self._formats
        largest = 1 << (WEIGHT_BITS - 2)
        step = (1 << formats.mixed_sign_lost_bits.value) * formats.mantissa_step(WEIGHT_BITS)
        exponent = -formats.synapse_exponent.value
        for number, (source, table) in enumerate(wires):
            weights = self._generator.integers(-largest, largest, table.weight_shape, dtype=np.int32) * step
            name = f"{source.name}-{made.name}-{number}"
            delay = made.start_step - source.firing_start_step - 1
            self._projections.append(
                Projection(
                    name, source.name, made.name, table, weights.astype(np.int32), exponent, WEIGHT_BITS, "mixed", delay
                )
            )


def start_after(wires: list[Wire]) -> int:
    """First step of a population that reads these."""
    return max((wire.source.firing_start_step + 1 for wire in wires), default=0)


def whole(population: Population) -> Map:
    """All of a population."""
    rows, columns = (np.arange(size, dtype=np.int32)[:, None] for size in population.shape[1:])
    return Map(population.shape, (Part(population, rows, columns),))


def filled_tap(table: IndexTable, tap: int) -> IndexTable:
    """One tap of each window; a tap outside of the map is the window's first inside."""
    first = table[np.arange(len(table)), (table >= 0).argmax(axis=1)]
    filled: IndexTable = np.where(table[:, tap] >= 0, table[:, tap], first)[:, None].astype(np.int32)
    return filled


def through(part_map: IndexTable, targets: int, kernel: int, stride: int) -> IndexTable:
    """Index table of a convolution over a mapped axis; kernel 0 reads all of it."""
    size = len(part_map)
    if kernel == 0:
        return np.ascontiguousarray(part_map.T)
    taps = tap_table(size, targets, kernel, stride, kernel // 2)
    return np.where(taps >= 0, part_map[taps, 0], -1).astype(np.int32)


VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
"""Channels of the layers; 0 is a maximum over 2 x 2."""


def vgg16(profile: HardwareProfile, size: int = 32, *, split_fan_in: bool = False) -> ChipNetwork:
    """VGG-16; with a single dense layer for maps of 32 x 32, as on CIFAR, and with three for larger ones.

    Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015, configuration D.
    """
    builder = NetworkBuilder(profile, split_fan_in=split_fan_in)
    last = builder.first("conv1", (VGG16[0], size, size))
    convolutions = pools = 1
    for channels in VGG16[1:]:
        if channels:
            convolutions += 1
            last = builder.convolution(f"conv{convolutions}", last, channels)
        else:
            last = builder.max_pool(f"pool{pools}", last)
            pools += 1
    if size > 32:
        last = builder.dense("fc1", last, 4096)
        last = builder.dense("fc2", last, 4096)
    builder.dense("logits", last, 10 if size <= 32 else 1000, is_output=True)
    return builder.network()


def narrowed_vgg16(profile: HardwareProfile) -> ChipNetwork:
    """VGG-16 for maps of 32 x 32 as the refusals of Loihi advise.

    Convolutions of 512 channels have two groups, and those before a maximum have stride 2 in its place.
    """
    builder = NetworkBuilder(profile)
    last = builder.first("conv1", (VGG16[0], 32, 32))
    convolutions = 1
    for channels, following in pairwise(VGG16[1:]):
        if channels:
            convolutions += 1
            groups = 2 if last.shape[0] == 512 else 1
            terms = [(last, 3, 1 if following else 2, groups)]
            last = builder.sum_of_convolutions(f"conv{convolutions}", terms, channels)
    builder.dense("logits", last, 10, is_output=True)
    return builder.network()


MOBILENET = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
"""Channels after each pair of depthwise and pointwise convolution, and the stride of the former."""


def mobilenet_v1(profile: HardwareProfile, size: int = 224, *, pool_neurons: bool = False) -> ChipNetwork:
    """MobileNetV1 of width 1; Howard et al., "MobileNets", 2017, table 1.

    Parameters
    ----------
    pool_neurons : bool
        A ReLU after the average pooling, which then has neurons of its own.
    """
    builder = NetworkBuilder(profile)
    last = builder.first("conv1", (32, size // 2, size // 2))
    for index, (channels, stride) in enumerate(MOBILENET, start=2):
        last = builder.convolution(f"depthwise{index}", last, last.shape[0], 3, stride, depthwise=True)
        last = builder.convolution(f"pointwise{index}", last, channels, 1)
    builder.classifier(last, pool_neurons)
    return builder.network()


RESNET50 = ((64, 3), (128, 4), (256, 6), (512, 3))
"""Inner channels and number of bottlenecks of each stage."""


def resnet50(
    profile: HardwareProfile, size: int = 224, *, pool_neurons: bool = False, split_fan_in: bool = False
) -> ChipNetwork:
    """ResNet-50; He et al., "Deep residual learning for image recognition", 2016, table 1, stride in the 3x3 layers."""
    builder = NetworkBuilder(profile, split_fan_in=split_fan_in)
    last = builder.max_pool("pool1", builder.first("conv1", (64, size // 2, size // 2)), 3)
    for stage, (inner, blocks) in enumerate(RESNET50, start=2):
        for block in range(blocks):
            stride = 2 if stage > 2 and block == 0 else 1
            name = f"stage{stage}.{block}"
            first = builder.convolution(f"{name}.a", last, inner, 1)
            second = builder.convolution(f"{name}.b", first, inner, 3, stride)
            groups = 4 * inner if block else 1
            terms = [(second, 1, 1, 1), (last, 1, stride, groups)]
            last = builder.sum_of_convolutions(f"{name}.c", terms, 4 * inner)
    builder.classifier(last, pool_neurons)
    return builder.network()


def convolution_stack(profile: HardwareProfile, size: int) -> ChipNetwork:
    """Four layers of 16 channels on maps of one size: what grows with the map and with nothing else."""
    builder = NetworkBuilder(profile)
    last = builder.first("conv1", (16, size, size))
    for index in range(2, 5):
        last = builder.convolution(f"conv{index}", last, 16)
    return builder.network()


NETWORKS: dict[str, Callable[[HardwareProfile], ChipNetwork]] = {
    "VGG-16, 32 x 32": vgg16,
    "VGG-16, 32 x 32, fan-in split": lambda profile: vgg16(profile, split_fan_in=True),
    "VGG-16, 32 x 32, narrowed": narrowed_vgg16,
    "VGG-16, 224 x 224": lambda profile: vgg16(profile, 224),
    "VGG-16, 224 x 224, fan-in split": lambda profile: vgg16(profile, 224, split_fan_in=True),
    "MobileNetV1": mobilenet_v1,
    "MobileNetV1, pooling neurons": lambda profile: mobilenet_v1(profile, pool_neurons=True),
    "ResNet-50": resnet50,
    "ResNet-50, pooling neurons": lambda profile: resnet50(profile, pool_neurons=True),
    "ResNet-50, pooling neurons, fan-in split": lambda profile: resnet50(
        profile, pool_neurons=True, split_fan_in=True
    ),
}
"""Each by its name."""
