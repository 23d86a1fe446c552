"""A network of integrate-and-fire neurons as torch layers that a process without nmdeploy can build and run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.mapped_case import MappedCase
from mapping.connectivity import Connectivity
from mapping.convolution_geometry import symmetric_axis_geometry
from mapping.network import ChipNetwork
from nmdeploy.simulator.input_current import constant_current

Arrays = dict[str, NDArray[Any]]


def write_layers(case: MappedCase, folder: Path) -> None:
    """Write layers.json, arrays.npz and samples.npy, which `benchmarks.neurobench_network` reads.

    Parameters
    ----------
    case : MappedCase
        Populations with reset by subtraction, and accumulators, without delays but those that balance paths.
    folder : Path
        Must exist.
    """
    layers, arrays = describe_layers(case.network, case.samples)
    (folder / "layers.json").write_text(json.dumps({"timesteps": case.network.timesteps, "populations": layers}))
    np.savez(folder / "arrays.npz", **arrays)
    np.save(folder / "samples.npy", case.samples)


def describe_layers(network: ChipNetwork, samples: NDArray[np.float32]) -> tuple[list[dict[str, Any]], Arrays]:
    """Populations, sources before targets, with their incoming convolutions; and arrays by name.

    Raises
    ------
    ValueError
        The network has neurons or synapses that torch layers and a plain recurrence do not compute.
    """
    layers: list[dict[str, Any]] = []
    arrays: Arrays = {}
    for population in network.populations:
        if population.model != "if" or population.reset == "zero":
            raise ValueError(f"{population.name} has other neurons than integrate-and-fire with reset by subtraction")
        name = population.name
        arrays[f"{name}/threshold"] = population.threshold
        arrays[f"{name}/initial_potential"] = population.initial_potential
        current = constant_current(network, population, samples).transpose(0, 3, 1, 2)
        arrays[f"{name}/current"] = np.ascontiguousarray(current)
        synapses = []
        for projection in network.incoming(name):
            if network.lag(projection):
                raise ValueError(f"{projection.name} brings spikes late")
            arrays[projection.name] = projection.weights.astype(np.int64) << network.shift(projection)
            synapses.append(
                {"name": projection.name, "source": projection.source, **_convolution(projection.connectivity)}
            )
        for projection in network.input_currents(name):
            arrays[projection.name] = projection.weights
            synapses.append({"name": projection.name, "source": None, **_convolution(projection.connectivity)})
        layers.append(
            {"name": name, "shape": population.shape, "fires": population.reset != "none", "synapses": synapses}
        )
    return layers, arrays


def _convolution(connectivity: Connectivity) -> dict[str, Any]:
    """Parameters of torch's Conv2d, and which channels it reads and adds to."""
    _, source_rows, source_columns = connectivity.source_shape
    rows = symmetric_axis_geometry(connectivity.rows, source_rows)
    columns = symmetric_axis_geometry(connectivity.columns, source_columns)
    if rows is None or columns is None:
        raise ValueError("synapses are no convolution with the same padding on both sides")
    return {
        "stride": (rows.stride, columns.stride),
        "padding": (rows.before, columns.before),
        "dilation": (rows.dilation, columns.dilation),
        "groups": connectivity.groups,
        "source_channels": connectivity.source_channels,
        "target_channels": connectivity.target_channels,
    }
