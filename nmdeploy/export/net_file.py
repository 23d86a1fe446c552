"""A network as a ``.net`` file: the HDF5 format that lava-dl's netx makes Lava processes of. Needs no Lava.

Layer 0 is an "input" layer: the neurons of the first population without synapses, since the host computes their
current from the sample. Whoever runs the network sends `first_layer_input` to ``net.in_layer.neuron.a_in`` in
every step, and loads the file with ``reset_interval`` equal to the time steps of the window, which starts each
layer's window anew.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mapping.convolution_geometry import covers_source
from mapping.network import ChipNetwork, Population, Projection
from nmdeploy.errors import ExportError
from nmdeploy.export.net_obstacles import net_obstacles
from nmdeploy.lava.conv_synapses import ConvSynapses, conv_synapses
from nmdeploy.lava.lif_limits import LIF_SHIFT, current_obstacles, lif_threshold
from nmdeploy.simulator.input_current import constant_current
from nmdeploy.write_file import write_whole

NO_CURRENT_MEMORY = 4096  # netx takes one off
IntArray = NDArray[np.int64]


def write_net_file(path: Path, network: ChipNetwork) -> None:
    """Write a network that netx loads and that computes the same spikes.

    Raises
    ------
    ExportError
        netx cannot hold the network, with every reason; or the file cannot be written.
    """
    obstacles = net_obstacles(network)
    if obstacles:
        lines = "\n  ".join(obstacles)
        raise ExportError(
            f"lava-dl's netx cannot hold this network (compile with --reset zero --thresholds layer "
            f"--initial-potential 0):\n  {lines}"
        )
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        _write_layers(file, network)
    try:
        write_whole(path, content.getvalue())
    except OSError as error:
        raise ExportError(f"{path}: cannot be written: {error}") from error


def first_layer_input(network: ChipNetwork, samples: NDArray[np.float32], timesteps: int) -> NDArray[np.int32]:
    """What ``net.in_layer.neuron.a_in`` must receive, sample after sample.

    Parameters
    ----------
    network : ChipNetwork
        As exported.
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    timesteps : int
        Of one window.

    Returns
    -------
    int32 array, (columns, rows, channels, samples * timesteps)
        As the source process `lava.proc.io.source.RingBuffer` takes it.

    Raises
    ------
    ExportError
        A current is not one that LIF can receive.
    """
    first = network.populations[0]
    current = constant_current(network, first, samples)
    obstacles = current_obstacles(network, first, current)
    if obstacles:
        raise ExportError("\n  ".join(f"{first.name}: {obstacle}" for obstacle in obstacles))
    sent = np.zeros((len(samples), timesteps, *current.shape[1:]), dtype=np.int32)
    sent[:] = current[:, None] >> LIF_SHIFT
    sent[:, 0] += (first.initial_potential >> LIF_SHIFT).astype(np.int32)
    return np.moveaxis(sent.reshape(-1, *current.shape[1:]), 0, -1).transpose(1, 0, 2, 3)


def _write_layers(file: h5py.File, network: ChipNetwork) -> None:
    projections = [next(network.incoming(population.name)) for population in network.populations[1:]]
    dense_from = _first_dense(network, projections)
    layers = file.create_group("layer")
    _write_neurons(_new_layer(layers, "input", network.populations[0].shape), network.populations[0])
    for number, projection in enumerate(projections):
        target = network.population(projection.target)
        synapses = conv_synapses(projection.connectivity, projection.weights, network.shift(projection))
        assert isinstance(synapses, ConvSynapses)  # no obstacles
        if number < dense_from:
            layer = _new_layer(layers, "conv", target.shape)
            _write_convolution(layer, synapses)
            bias = _broadcast_bias(target).transpose(2, 1, 0)  # as Lava has it: columns, rows, channels
        else:
            if number == dense_from:
                _new_layer(layers, "flatten", ())
            layer = _new_layer(layers, "dense", (target.neuron_count,))
            matrix = synapses.weights.reshape(len(synapses.weights), -1)
            layer["outFeatures"], layer["inFeatures"] = matrix.shape
            layer["weight"] = matrix
            bias = _broadcast_bias(target).reshape(-1)
        if bias.any():
            layer["bias"] = bias
        _write_neurons(layer, target)


def _new_layer(layers: h5py.Group, kind: str, shape: tuple[int, ...]) -> h5py.Group:
    layer = layers.create_group(str(len(layers)))
    layer["type"] = np.bytes_(kind)
    if shape:
        layer["shape"] = np.array(shape)
    return layer


def _write_neurons(layer: h5py.Group, population: Population) -> None:
    neuron = layer.create_group("neuron")
    neuron["type"] = np.bytes_("LOIHI")
    neuron["iDecay"] = NO_CURRENT_MEMORY
    neuron["vDecay"] = 0
    neuron["vThMant"] = lif_threshold(population)
    neuron["refDelay"] = 1
    neuron["gradedSpike"] = False


def _write_convolution(layer: h5py.Group, synapses: ConvSynapses) -> None:
    rows, columns = synapses.rows, synapses.columns
    values: dict[str, Any] = {
        "inChannels": synapses.weights.shape[1] * synapses.groups,
        "outChannels": len(synapses.weights),
        "kernelSize": synapses.weights.shape[2:],
        "stride": (rows.stride, columns.stride),
        "padding": (rows.before, columns.before),
        "dilation": (rows.dilation, columns.dilation),
        "groups": synapses.groups,
        "weight": synapses.weights,
    }
    for name, value in values.items():
        layer[name] = np.array(value)


def _broadcast_bias(population: Population) -> IntArray:
    """In netx' unit, (channels, rows, columns)."""
    return np.broadcast_to(population.bias >> LIF_SHIFT, population.shape)


def _first_dense(network: ChipNetwork, projections: list[Projection]) -> int:
    """The projection from which on all can be dense layers: no convolution follows a dense layer in netx."""
    for number in reversed(range(len(projections))):
        projection = projections[number]
        if not _is_dense(projection, network.shift(projection)):
            return number + 1
    return 0


def _is_dense(projection: Projection, shift: int) -> bool:
    if not covers_source(projection.connectivity):
        return False
    synapses = conv_synapses(projection.connectivity, projection.weights, shift)
    return isinstance(synapses, ConvSynapses) and synapses.groups == 1 and survives_netx(synapses.weights)


def survives_netx(weights: IntArray) -> bool:
    """Whether netx and Lava's Dense carry weights without clipping or dropping bits: 8 with the sign, or 9 if even."""
    low, high = int(weights.min()), int(weights.max())
    if low >= 0:
        return 0 < high <= 255
    if high <= 0:
        return False  # netx and Lava disagree about the sign mode
    if low >= -128 and high <= 127:
        return True
    return low >= -256 and high <= 254 and not np.any(weights % 2)
