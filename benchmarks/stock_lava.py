"""Lava's own processes in the shape of a network: ``python -m benchmarks.stock_lava CASE_FOLDER`` times their steps.

Stock LIF resets to zero and stock connections have no delay, so most networks cannot be carried; but Lava's Conv
computes the same sums whether there are spikes or not, so a network of the same convolutions and neurons takes the
same time. Shortcuts without weights of their own are left out, which is in Lava's favour.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fresh_process import run_in_fresh_process
from mapping.convolution_geometry import covers_source, symmetric_axis_geometry
from mapping.network import ChipNetwork, Population, Projection
from nmdeploy.artifact.network_file import read_network

FEW_STEPS = 3
LONG_STEP_SECONDS = 10.0
UNREACHABLE_THRESHOLD = 2**17 - 1


@dataclass(frozen=True)
class StockNetwork:
    """Connected Lava processes.

    Attributes
    ----------
    neurons : dict of str to LIF process
        By population.
    connections : dict of str to Conv or Dense process
        By projection.
    """

    neurons: dict[str, Any]
    connections: dict[str, Any]

    @property
    def neuron_count(self) -> int:
        return sum(math.prod(process.s_out.shape) for process in self.neurons.values())

    @property
    def weight_count(self) -> int:
        connections = self.connections.values()
        shapes = [(process.weight if hasattr(process, "weight") else process.weights).shape for process in connections]
        return sum(math.prod(shape) for shape in shapes)


def is_plain_shortcut(projection: Projection) -> bool:
    """Whether each target neuron reads one neuron of one channel: an addition, perhaps after slicing."""
    table = projection.connectivity
    return projection.weights.shape[1:] == (1, 1, 1) and table.groups == table.in_channels == table.out_channels


def stock_network(network: ChipNetwork) -> StockNetwork:
    """Lava's own LIF, Conv and Dense with the shapes, geometry and weights of a network.

    Raises
    ------
    ValueError
        A projection is neither a dense layer nor a convolution that Lava's Conv computes.
    """
    from lava.proc.lif.process import LIF  # an optional dependency

    neurons = {
        population.name: LIF(shape=_lava_shape(population), du=4095, dv=0, vth=UNREACHABLE_THRESHOLD)
        for population in network.populations
    }
    connections = {}
    for projection in network.projections:
        if is_plain_shortcut(projection):
            continue
        source, target = neurons[projection.source], neurons[projection.target]
        connections[projection.name] = _connect(projection, source, target)
    return StockNetwork(neurons, connections)


def _lava_shape(population: Population) -> tuple[int, int, int]:
    channels, rows, columns = population.shape
    return columns, rows, channels


def _connect(projection: Projection, source: Any, target: Any) -> Any:
    from lava.proc.conv.process import Conv
    from lava.proc.dense.process import Dense

    table = projection.connectivity
    _, source_rows, source_columns = table.source_shape
    weights = projection.weights
    if covers_source(table) and table.groups == 1:
        dense = Dense(weights=weights.transpose(0, 3, 2, 1).reshape(len(weights), -1))
        source.s_out.flatten().connect(dense.s_in)
        dense.a_out.reshape(target.a_in.shape).connect(target.a_in)
        return dense
    rows = symmetric_axis_geometry(table.rows, source_rows)
    columns = symmetric_axis_geometry(table.columns, source_columns)
    if rows is None or columns is None:
        raise ValueError(f"{projection.name} is no convolution of Lava's")
    conv = Conv(
        weight=weights.transpose(0, 3, 2, 1)[:, ::-1, ::-1, :],
        input_shape=source.s_out.shape,
        padding=(columns.before, rows.before),
        stride=(columns.stride, rows.stride),
        dilation=(columns.dilation, rows.dilation),
        groups=table.groups,
    )
    source.s_out.connect(conv.s_in)
    conv.a_out.connect(target.a_in)
    return conv


def time_stock_lava(folder: Path) -> dict[str, Any]:
    """Time a prepared case in a process of its own.

    Returns
    -------
    dict
        start_seconds (of Lava's runtime), step_seconds (of one image), measured_steps, neurons, weights, processes.
    """
    return run_in_fresh_process("benchmarks.stock_lava", str(folder))


def measure(network: ChipNetwork) -> dict[str, Any]:
    """Time the first steps; see `time_stock_lava`."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    stock = stock_network(network)
    process = next(iter(stock.neurons.values()))
    begin = time.perf_counter()
    process.create_runtime(run_cfg=Loihi2SimCfg(select_tag="fixed_pt"), compile_config={"pypy_channel_size": 1})
    measured = {
        "start_seconds": time.perf_counter() - begin,
        "neurons": stock.neuron_count,
        "weights": stock.weight_count,
        "processes": len(stock.neurons) + len(stock.connections),
    }
    for steps in (1, FEW_STEPS):
        begin = time.perf_counter()
        process.run(condition=RunSteps(num_steps=steps))
        seconds = time.perf_counter() - begin
        measured |= {"step_seconds": seconds / steps, "measured_steps": steps}
        if seconds > LONG_STEP_SECONDS:
            break
    process.stop()
    return measured


def main() -> None:
    try:
        print(json.dumps(measure(read_network(Path(sys.argv[1]) / "network.h5"))), flush=True)
    except Exception:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # the interpreter's own end would wait for Lava's workers


if __name__ == "__main__":
    main()
