"""From a layer graph to populations and projections.

Linear layers become values (`nmdeploy.convert.values`), activations become populations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity, Shape, tap_table
from nmdeploy.convert.audit import AuditEntry, ConversionAudit
from nmdeploy.convert.gated_max_pool import gated_max_pool
from nmdeploy.convert.max_pool import max_pool
from nmdeploy.convert.values import Value, add, apply, compact, concatenate, population_value, scale
from nmdeploy.convert.windows import adaptive_average_pool, average_pool, pad, slice_value, upsample
from nmdeploy.errors import UnsupportedNetworkError
from nmdeploy.layers import operators as op
from nmdeploy.layers.graph import Layer, LayerGraph
from nmdeploy.spiking.network import (
    INPUT,
    Activation,
    FloatPopulation,
    FloatProjection,
    SpikingNetwork,
    build_spiking_network,
)

NeuronKind = Literal["leaky", "maximum"]
ACTIVATIONS = (op.ReLU, op.LeakyReLU, op.MaxPool, op.Softmax, op.Sigmoid)
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class FlatValue:
    """A vector: the C-order elements of its parts, one part after the other."""

    parts: tuple[Value, ...]


Tensor = Value | FlatValue


def lower_layers(
    layers: LayerGraph, kinds: frozenset[NeuronKind] = frozenset()
) -> tuple[SpikingNetwork, ConversionAudit]:
    """Convert every layer.

    Parameters
    ----------
    layers : LayerGraph
        Simplified: no BatchNorm, no Identity.
    kinds : frozenset of {"leaky", "maximum"}
        What there are neurons for beyond rectifiers: leaky activations (which need spikes of -1), and maxima over
        spike counts. Without, rectifiers compute both.

    Returns
    -------
    SpikingNetwork
        Equal to the layer graph as a float network; its scales are still ones.
    ConversionAudit

    Raises
    ------
    UnsupportedNetworkError
        Lists every layer that has no exact form.
    """
    lowering = _Lowering(layers, kinds)
    problems: list[str] = []
    for layer in layers.layers:
        if any(name not in lowering.tensors for name in layer.inputs):
            continue  # a consequence of a problem already listed
        try:
            lowering.tensors[layer.name] = lowering.lower(layer)
        except UnsupportedNetworkError as error:
            problems += error.problems
    if problems:
        raise UnsupportedNetworkError(problems)
    for name in layers.outputs:
        lowering.make_output(name)
    network = build_spiking_network(
        layers.input_layer.shape, lowering.populations, lowering.projections
    )
    total = sum(isinstance(layer.operator, ACTIVATIONS) for layer in layers.layers)
    return network, ConversionAudit(tuple(lowering.audit), total)


class _Lowering:
    """The network as built so far."""

    def __init__(self, layers: LayerGraph, kinds: frozenset[NeuronKind]) -> None:
        self._layers = layers
        self._kinds = kinds
        self.tensors: dict[str, Tensor] = {}
        self.populations: list[FloatPopulation] = []
        self.projections: list[FloatProjection] = []
        self.audit: list[AuditEntry] = []
        self._rectified: set[str] = set()

    def lower(self, layer: Layer) -> Tensor:
        """The layer's output; makes populations for an activation."""
        operator = layer.operator
        inputs = [self.tensors[name] for name in layer.inputs]
        if isinstance(operator, op.Input):
            return population_value(INPUT, layer.shape)
        if isinstance(operator, ACTIVATIONS):
            return self._activation(layer, inputs[0])
        if isinstance(operator, op.Add):
            return _add(layer, inputs)
        if isinstance(operator, op.Concatenate):
            return _concatenate(inputs)
        if isinstance(operator, op.Flatten):
            return _flatten(inputs[0])
        if isinstance(operator, op.Linear):
            return _linear(operator, inputs[0])
        if isinstance(operator, op.Affine):
            return _affine(layer, operator, inputs[0])
        return _spatial(layer, self._value(layer.inputs[0]))

    def make_output(self, name: str) -> None:
        """Make the population that integrates an output of the network."""
        tensor = self.tensors[name]
        parts = tensor.parts if isinstance(tensor, FlatValue) else (tensor,)
        feeding = self._layers.layer(name)
        while isinstance(feeding.operator, (op.Softmax, op.Sigmoid, op.Flatten)):
            feeding = self._layers.layer(feeding.inputs[0])
        for part in parts:
            self._add_population(self._unique(feeding.name), part, "none", is_output=True)

    def _value(self, name: str) -> Value:
        tensor = self.tensors[name]
        if isinstance(tensor, FlatValue):
            raise UnsupportedNetworkError([f"{name}: a flattened map can only go on to linear layers"])
        return tensor

    def _activation(self, layer: Layer, tensor: Tensor) -> Tensor:
        if isinstance(layer.operator, (op.Softmax, op.Sigmoid)):
            self._record(layer, (), "computed by the host on the decoded output")
            return tensor
        operator = layer.operator
        if isinstance(operator, op.ReLU):
            return self._relu(layer, operator, tensor)
        if isinstance(tensor, FlatValue):
            raise UnsupportedNetworkError(
                [f"{layer.name}: {type(layer.operator).__name__} after flattening. Apply it before flattening."]
            )
        if isinstance(operator, op.LeakyReLU):
            return self._leaky_relu(layer, operator, tensor)
        if isinstance(operator, op.MaxPool):
            return self._max_pool(layer, operator, tensor)
        raise UnsupportedNetworkError([f"{layer.name}: no rule for {type(operator).__name__}"])

    def _relu(self, layer: Layer, operator: op.ReLU, tensor: Tensor) -> Tensor:
        parts: list[Value] = []
        made: list[str] = []
        for value in tensor.parts if isinstance(tensor, FlatValue) else (tensor,):
            if operator.ceiling is None and self._never_negative(value):
                parts.append(value)
                continue
            made.append(self._unique(layer.inputs[0]))
            parts.append(self._rectify(made[-1], value, operator.ceiling))
        clipped = "" if operator.ceiling is None else f", clipped at {operator.ceiling:g} by the maximum rate"
        how = f"integrate-and-fire population{clipped}" if made else "absorbed: its input is never negative"
        self._record(layer, tuple(made), how)
        return FlatValue(tuple(parts)) if isinstance(tensor, FlatValue) else parts[0]

    def _leaky_relu(self, layer: Layer, operator: op.LeakyReLU, value: Value) -> Value:
        channels = value.shape[0]
        slope = np.broadcast_to(operator.negative_slope.astype(np.float64), channels)
        zeros = np.zeros(channels)
        base = layer.inputs[0]
        if "leaky" in self._kinds and (slope >= 0).all():
            name = self._unique(base)
            self._add_population(name, value, "leaky", negative_slope=slope)
            self._record(layer, (name,), "population with spikes of both signs")
            return population_value(name, value.shape)
        positive, negative = self._unique(f"{base}.positive"), self._unique(f"{base}.negative")
        above = self._rectify(positive, value)
        below = self._rectify(negative, scale(value, -np.ones(channels), zeros))
        self._record(
            layer, (positive, negative), "two integrate-and-fire populations: relu(x) - slope * relu(-x)"
        )
        return add([above, scale(below, -slope, zeros)])

    def _max_pool(self, layer: Layer, operator: op.MaxPool, value: Value) -> Value:
        made: list[str] = []

        def rectify(suffix: str, difference: Value) -> Value:
            made.append(self._unique(f"{layer.name}.{suffix}"))
            return self._rectify(made[-1], difference)

        def take_maximum(suffix: str, windows: Value) -> Value:
            made.append(self._unique(f"{layer.name}.{suffix}"))
            if all(term.source in self._rectified for term in windows.terms):
                self._rectified.add(made[-1])
            self._add_population(made[-1], windows, "maximum")
            return population_value(made[-1], windows.shape)

        if "maximum" in self._kinds:
            gated = gated_max_pool(value, operator, layer.shape, take_maximum)
            if gated is not None:
                self._record(layer, tuple(made), "maximum over spike counts, exact in counts")
                return gated
        result = max_pool(value, operator, layer.shape, rectify)
        knock_out = "integrate-and-fire populations: max(a, b) = b + relu(a - b)"
        self._record(layer, tuple(made), knock_out if made else "absorbed: windows of one value")
        return result

    def _never_negative(self, value: Value) -> bool:
        return bool((value.bias >= 0).all()) and all(
            term.source in self._rectified and bool((term.weights >= 0).all()) for term in value.terms
        )

    def _rectify(self, name: str, value: Value, ceiling: float | None = None) -> Value:
        self._rectified.add(name)
        self._add_population(name, value, "rectifier", ceiling=ceiling)
        return population_value(name, value.shape)

    def _add_population(
        self,
        name: str,
        value: Value,
        activation: Activation,
        *,
        ceiling: float | None = None,
        negative_slope: FloatArray | None = None,
        is_output: bool = False,
    ) -> None:
        self.populations.append(
            FloatPopulation(
                name=name,
                shape=value.shape,
                activation=activation,
                ceiling=ceiling,
                bias=compact(value.bias),
                scale=np.ones(value.shape[0]),
                is_output=is_output,
                negative_slope=negative_slope,
            )
        )
        for index, term in enumerate(value.terms):
            self.projections.append(
                FloatProjection(
                    name=f"{term.source}->{name}" + (f"#{index}" if index else ""),
                    source=term.source,
                    target=name,
                    connectivity=term.connectivity,
                    weights=term.weights,
                )
            )

    def _record(self, layer: Layer, populations: tuple[str, ...], how: str) -> None:
        self.audit.append(
            AuditEntry(layer.name, type(layer.operator).__name__, layer.location, populations, how)
        )

    def _unique(self, name: str) -> str:
        taken = {population.name for population in self.populations} | {INPUT}
        candidate, number = name, 1
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        return candidate


def _spatial(layer: Layer, value: Value) -> Value:
    operator = layer.operator
    if isinstance(operator, op.Convolution):
        return _convolution(operator, value, layer.shape)
    if isinstance(operator, op.AveragePool):
        return average_pool(value, operator, layer.shape)
    if isinstance(operator, op.AdaptiveAveragePool):
        return adaptive_average_pool(value, operator)
    if isinstance(operator, op.Upsample):
        return upsample(value, operator)
    if isinstance(operator, op.Slice):
        return slice_value(value, operator)
    if isinstance(operator, op.Pad):
        return pad(value, operator)
    raise UnsupportedNetworkError([f"{layer.name}: no rule for {type(operator).__name__}"])


def _convolution(operator: op.Convolution, value: Value, shape: Shape) -> Value:
    top, _, left, _ = operator.padding
    _, _, k_rows, k_columns = operator.weight.shape
    connectivity = Connectivity(
        source_shape=value.shape,
        target_shape=shape,
        rows=tap_table(value.shape[1], shape[1], k_rows, operator.stride[0], top, operator.dilation[0]),
        columns=tap_table(value.shape[2], shape[2], k_columns, operator.stride[1], left, operator.dilation[1]),
        source_channels=(0, value.shape[0]),
        target_channels=(0, shape[0]),
        groups=operator.groups,
    )
    bias = operator.bias.astype(np.float64)[:, None, None]
    return apply(value, connectivity, operator.weight.astype(np.float64), bias)


def _linear(operator: op.Linear, tensor: Tensor) -> Value:
    """A dense layer is a convolution whose kernel covers each part."""
    parts = tensor.parts if isinstance(tensor, FlatValue) else (tensor,)
    out = operator.weight.shape[0]
    results, offset = [], 0
    for part in parts:
        size = int(np.prod(part.shape))
        weights = operator.weight[:, offset : offset + size].astype(np.float64).reshape(out, *part.shape)
        offset += size
        connectivity = Connectivity(
            source_shape=part.shape,
            target_shape=(out, 1, 1),
            rows=np.arange(part.shape[1], dtype=np.int32)[None],
            columns=np.arange(part.shape[2], dtype=np.int32)[None],
            source_channels=(0, part.shape[0]),
            target_channels=(0, out),
        )
        results.append(apply(part, connectivity, weights, np.zeros((out, 1, 1))))
    return scale(add(results), np.ones(out), operator.bias.astype(np.float64))


def _flatten(tensor: Tensor) -> Tensor:
    if isinstance(tensor, FlatValue) or tensor.shape[1:] == (1, 1):
        return tensor
    return FlatValue((tensor,))


def _concatenate(inputs: list[Tensor]) -> Tensor:
    values = [tensor for tensor in inputs if isinstance(tensor, Value)]
    if len(values) == len(inputs):
        return concatenate(values)
    return FlatValue(
        tuple(part for tensor in inputs for part in (tensor.parts if isinstance(tensor, FlatValue) else (tensor,)))
    )


def _add(layer: Layer, inputs: list[Tensor]) -> Tensor:
    values = [tensor for tensor in inputs if isinstance(tensor, Value)]
    if len(values) == len(inputs):
        return add(values)
    flat = [tensor.parts for tensor in inputs if isinstance(tensor, FlatValue)]
    shapes = {tuple(part.shape for part in parts) for parts in flat}
    if len(flat) < len(inputs) or len(shapes) > 1:
        raise UnsupportedNetworkError(
            [f"{layer.name}: addition of flattened maps of different shapes. Add before flattening."]
        )
    return FlatValue(tuple(add(list(parts)) for parts in zip(*flat, strict=True)))


def _affine(layer: Layer, operator: op.Affine, tensor: Tensor) -> Tensor:
    factor, shift = operator.scale.astype(np.float64), operator.shift.astype(np.float64)
    if isinstance(tensor, Value):
        channels = tensor.shape[0]
        return scale(tensor, np.broadcast_to(factor, channels), np.broadcast_to(shift, channels))
    raise UnsupportedNetworkError(
        [f"{layer.name}: normalisation or scaling after flattening. Apply it before flattening."]
    )
