"""The network in the processes that Lava brings along, where their semantics can carry it exactly.

LIF is used without any decay. It integrates ``a_in << 6``, fires where ``v > vth << 6`` and resets to zero;
LIFReset does so from zero in every window. Bias and input current come from a RingBuffer, with the initial
potential in the first step of a window.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from lava.proc.conv.process import Conv
from lava.proc.dense.process import Dense
from lava.proc.io.source import RingBuffer
from lava.proc.lif.process import LIFReset
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population
from nmdeploy.errors import BackendError
from nmdeploy.lava.emit_layers import Currents, window_clocks
from nmdeploy.lava.lif_limits import (
    LIF_SHIFT,
    NO_CURRENT_MEMORY,
    current_obstacles,
    lif_threshold,
    network_obstacles,
    neuron_obstacles,
)
from nmdeploy.lava.processes.probe import Probe
from nmdeploy.lava.program import LavaProgram
from nmdeploy.lava.recording import Recording
from nmdeploy.lava.stock_synapses import DenseWeights, stock_synapses
from nmdeploy.lava.window_clock import WindowClock

SOURCE_BYTES_MAX = 2**30


def stock_obstacles(network: ChipNetwork, currents: Currents | None = None) -> list[str]:
    """Every reason why Lava's own processes cannot compute this network's spikes.

    Parameters
    ----------
    network : ChipNetwork
    currents : mapping of str to integer array, (windows, 1, rows, columns, channels), optional
        Bias and input current of each population; without it only the biases are judged.

    Returns
    -------
    list of str
        Empty if they can.
    """
    found = network_obstacles(network)
    for population in network.populations:
        current = population.bias if currents is None else currents[population.name]
        problems = neuron_obstacles(population) + current_obstacles(network, population, current)
        found += [f"{population.name}: {problem}" for problem in problems]
    for projection in network.projections:
        if projection.delay:
            found.append(f"{projection.name}: {projection.delay} extra steps of delay; Conv and Dense have none")
        if network.lag(projection):
            found.append(
                f"{projection.name}: its spikes come {network.lag(projection)} steps late, in a cycle; "
                "Lava's own neurons cannot pause between samples, so that they would reach the next one"
            )
        synapses = stock_synapses(projection.connectivity, projection.weights, network.shift(projection))
        if isinstance(synapses, str):
            found.append(f"{projection.name}: {synapses}")
    return found


def build_stock(
    network: ChipNetwork,
    currents: Currents,
    *,
    batch: int = 1,
    windows: int,
    timesteps: int | None = None,
    recordings: Mapping[str, Recording] | None = None,
) -> LavaProgram:
    """As `nmdeploy.lava.emit_layers.emit_layers`, from Lava's own processes, which take one sample at a time.

    Raises
    ------
    BackendError
        They cannot carry the network; all obstacles are listed. Or there are too many samples for one run.
    """
    if batch != 1:
        raise BackendError(f"Lava's own processes take one sample at a time, not {batch}")
    obstacles = stock_obstacles(network, currents)
    if obstacles:
        lines = "\n  ".join(obstacles)
        raise BackendError(
            f"Lava's own processes cannot carry this network; use nmdeploy's (no stock option):\n  {lines}"
        )
    clocks = window_clocks(network, windows, timesteps)
    populations, others = {}, []
    for population in network.populations:
        clock = clocks[population.name]
        neurons = _neurons(population, clock)
        populations[population.name] = neurons
        source = _current_source(population, currents[population.name], clock)
        if source is not None:
            source.s_out.connect(neurons.a_in)
            others.append(source)
        if recordings is not None:
            others.append(_probe(neurons, clock, recordings[population.name].create()))
    projections = _connect(network, populations)
    return LavaProgram(clocks, populations=populations, projections=projections, others=others)


def _lava_shape(population: Population) -> tuple[int, int, int]:
    channels, rows, columns = population.shape
    return columns, rows, channels


def _neurons(population: Population, clock: WindowClock) -> LIFReset:
    return LIFReset(
        name=population.name,
        shape=_lava_shape(population),
        du=NO_CURRENT_MEMORY,
        dv=0,
        vth=lif_threshold(population),
        reset_interval=clock.timesteps,
        reset_offset=(clock.start_step + 1) % clock.timesteps,
    )


def _current_source(
    population: Population, current: NDArray[np.signedinteger[Any]], clock: WindowClock
) -> RingBuffer | None:
    """What the population receives besides spikes: of all windows, or one that repeats if all are the same.

    A repeating window also acts before the first window; whatever it causes then is reset and never recorded.
    """
    initial = population.initial_potential
    if not current.any() and not initial.any():
        return None
    same = bool(np.all(current == current[:1]))
    shown = 1 if same else len(current)
    steps = clock.timesteps if same else clock.start_step + len(current) * clock.timesteps
    if steps * population.neuron_count * np.dtype(np.int32).itemsize > SOURCE_BYTES_MAX:
        raise BackendError(
            f"{population.name}: currents of {len(current)} samples exceed {SOURCE_BYTES_MAX >> 20} MiB. "
            "Run fewer samples (--limit), or use nmdeploy's processes."
        )
    data = np.zeros((*_lava_shape(population), steps), dtype=np.int32)
    for window in range(shown):
        of_window = current[window, 0].transpose(1, 0, 2)
        start = clock.start_step + window * clock.timesteps
        for step in range(clock.timesteps):
            arriving = of_window + initial if step == 0 else of_window
            data[..., (start + step) % steps] = arriving >> LIF_SHIFT
    return RingBuffer(data=data)


def _probe(neurons: LIFReset, clock: WindowClock, recording: Recording) -> Probe:
    probe = Probe(shape=neurons.s_out.shape, clock=clock, recording=recording)
    neurons.s_out.connect(probe.s_in)
    if recording.potentials:
        probe.potential.connect_var(neurons.v)
    return probe


def _connect(network: ChipNetwork, populations: dict[str, LIFReset]) -> dict[str, Dense | Conv]:
    projections = {}
    for projection in network.projections:
        source, target = populations[projection.source], populations[projection.target]
        synapses = stock_synapses(projection.connectivity, projection.weights, network.shift(projection))
        if isinstance(synapses, str):
            raise BackendError(f"{projection.name}: {synapses}")
        if isinstance(synapses, DenseWeights):
            process = Dense(name=projection.name, weights=synapses.weights, weight_exp=synapses.weight_exponent)
            source.s_out.flatten().connect(process.s_in)
            process.a_out.reshape(target.a_in.shape).connect(target.a_in)
        else:
            kernel = synapses.weights.transpose(0, 3, 2, 1)
            process = Conv(
                name=projection.name,
                weight=kernel[:, ::-1, ::-1],  # mirrored, as Lava computes a true convolution
                input_shape=source.s_out.shape,
                padding=(synapses.columns.before, synapses.rows.before),
                stride=(synapses.columns.stride, synapses.rows.stride),
                dilation=(synapses.columns.dilation, synapses.rows.dilation),
                groups=synapses.groups,
            )
            source.s_out.connect(process.s_in)
            process.a_out.connect(target.a_in)
        projections[projection.name] = process
    return projections
