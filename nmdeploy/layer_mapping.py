"""From a trained network to whole layers on the cores of a chip that computes a layer a core."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles.layer_core_profile import LayerCoreProfile
from mapping.convolution_geometry import symmetric_axis_geometry
from mapping.layer_cores import ConvolutionLayer, match_layers
from mapping.verify_layers import verify_layer_limits, verify_layers
from mapping.violation import DoesNotFitError, Violation
from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.errors import UnsupportedNetworkError
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.simplify import simplify
from nmdeploy.spiking.network import INPUT, FloatPopulation, FloatProjection, SpikingNetwork


@dataclass(frozen=True)
class LayerMapping:
    """Layers and their cores.

    Attributes
    ----------
    layers : tuple of ConvolutionLayer
        Sources before targets.
    cores : dict of str to int
        Core by name of the layer.
    violations : tuple of Violation
        What the independent verifier found; empty for a legal mapping.
    """

    layers: tuple[ConvolutionLayer, ...]
    cores: dict[str, int]
    violations: tuple[Violation, ...]


def map_layers(graph: LayerGraph, profile: LayerCoreProfile) -> LayerMapping:
    """Convert the layers of a network as for any chip, and match them to the cores.

    Raises
    ------
    UnsupportedNetworkError
        Lists what has no exact form, and the populations that are no convolution of one source.
    DoesNotFitError
        Layers exceed limits of the chip or fit too few cores; lists all reasons.
    """
    network, _ = lower_layers(simplify(graph))
    layers = convolution_layers(network, profile.layer_limits.pooling.values)
    violations = verify_layer_limits(layers, profile)
    if violations:
        raise DoesNotFitError(violations)
    cores = match_layers(layers, profile)
    return LayerMapping(tuple(layers), cores, tuple(verify_layers(layers, cores, profile)))


def convolution_layers(network: SpikingNetwork, poolings: tuple[int, ...]) -> list[ConvolutionLayer]:
    """Read every population as one convolution.

    Parameters
    ----------
    network : SpikingNetwork
    poolings : tuple of int
        Windows over which a core can sum what it sends; average pooling of these sizes costs no kernel.

    Raises
    ------
    UnsupportedNetworkError
        Lists the populations that are none.
    """
    layers: list[ConvolutionLayer] = []
    problems: list[str] = []
    for population in network.populations:
        projections = list(network.incoming(population.name))
        if len(projections) != 1:
            problems.append(
                f"{population.name}: sums {len(projections)} projections, but a core has one kernel for all that "
                "arrives. Do without the addition, concatenation or max pooling that makes it"
            )
            continue
        layer = convolution_layer(population, projections[0], poolings)
        if layer is None:
            problems.append(
                f"{population.name}: no convolution of its whole source with one bias a channel. Do without the "
                "slicing, upsampling or uneven padding before it"
            )
        else:
            layers.append(layer)
    if problems:
        raise UnsupportedNetworkError(problems)
    return layers


def convolution_layer(
    population: FloatPopulation, projection: FloatProjection, poolings: tuple[int, ...]
) -> ConvolutionLayer | None:
    """The convolution that a population computes of its only source, or None if it is none.

    Groups and dilation are filled up with zeros, since a core has neither. The host adds up the input, so that nothing
    is pooled before the first layer. Of pooling windows the largest is taken, which leaves the smallest kernel.
    """
    windows = (1,) if projection.source == INPUT else sorted({1, *poolings}, reverse=True)
    found = (layer_after_pooling(population, projection, window) for window in windows)
    return next((layer for layer in found if layer is not None), None)


def layer_after_pooling(
    population: FloatPopulation, projection: FloatProjection, window: int
) -> ConvolutionLayer | None:
    """The convolution of a map that is summed over windows before; None if it is none."""
    table = projection.connectivity
    whole = table.in_channels == table.source_shape[0] and table.out_channels == table.target_shape[0]
    if not whole or population.bias.shape[1:] != (1, 1) or not constant_in_windows(projection.weights, window):
        return None
    channels, *sizes = table.source_shape
    rows, columns = (
        axis_after_pooling(taps, size, window)
        for taps, size in zip((table.rows, table.columns), sizes, strict=True)
    )
    if rows is None or columns is None:
        return None
    return ConvolutionLayer(
        name=population.name,
        source=None if projection.source == INPUT else projection.source,
        input_shape=(channels, sizes[0] // window, sizes[1] // window),
        channels=population.shape[0],
        kernel=(rows.kernel, columns.kernel),
        stride=(rows.stride, columns.stride),
        padding=(rows.padding, columns.padding),
        has_bias=bool(population.bias.any()),
        source_pooling=window,
    )


def constant_in_windows(weights: NDArray[np.float64], window: int) -> bool:
    """Whether kernels fall into square windows of equal weights."""
    outputs, inputs, rows, columns = weights.shape
    if rows % window or columns % window:
        return False
    blocks = weights.reshape(outputs, inputs, rows // window, window, columns // window, window)
    return bool((blocks == blocks[:, :, :, :1, :, :1]).all())


@dataclass(frozen=True)
class Axis:
    """A convolution along one axis."""

    kernel: int
    stride: int
    padding: int


def axis_after_pooling(taps: NDArray[np.int32], source_size: int, window: int) -> Axis | None:
    """The convolution along one axis whose taps, `window` at a time, are windows of the source; None if there is none.

    Parameters
    ----------
    taps : int32 array, (targets, taps)
        As in `Connectivity`.
    source_size, window : int
    """
    if taps.shape[1] % window:
        return None
    first = taps[:, ::window]
    of_windows = np.where(first[:, :, None] < 0, -1, first[:, :, None] + np.arange(window))
    if (first % window)[first >= 0].any() or not np.array_equal(of_windows.reshape(taps.shape), taps):
        return None
    geometry = symmetric_axis_geometry(np.where(first < 0, -1, first // window).astype(np.int32), source_size // window)
    if geometry is None:
        return None
    return Axis((first.shape[1] - 1) * geometry.dilation + 1, geometry.stride, geometry.before)
