"""From an integer network to connected Lava processes that compute the very same spikes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, Population, Projection
from nmdeploy.errors import BackendError
from nmdeploy.lava.integer_range import synaptic_range
from nmdeploy.lava.processes.convolution import Convolution
from nmdeploy.lava.processes.dense import Dense
from nmdeploy.lava.processes.integrate_and_fire import IntegrateAndFire
from nmdeploy.lava.recording import Recording, recordings_of

INT32_MAX = 2**31 - 1
Currents = Mapping[str, NDArray[np.signedinteger[Any]]]


@dataclass(frozen=True)
class Emission:
    """Connected Lava processes of a network.

    Attributes
    ----------
    populations : dict of str to Lava process
        By population.
    projections : dict of str to Lava process
        By projection.
    total_steps : int
        Steps in which all windows of all populations end.
    recordings : dict of str to Recording
        By population; empty if nothing is recorded.
    others : list of Lava processes
        Sources and recorders that a network of stock processes needs besides.
    """

    populations: dict[str, Any]
    projections: dict[str, Any]
    total_steps: int
    recordings: dict[str, Recording] = field(default_factory=dict)
    others: list[Any] = field(default_factory=list)


def build(
    network: ChipNetwork,
    currents: Currents,
    *,
    batch: int,
    windows: int,
    timesteps: int | None = None,
    record_folder: Path | None = None,
    record_spike_trains: bool = False,
) -> Emission:
    """Create and connect the processes of a network.

    Parameters
    ----------
    network : ChipNetwork
        Feed-forward, with balanced delays.
    currents : mapping of str to integer array, (windows, batch or 1, rows, columns, channels)
        Bias and input current of each population, see `nmdeploy.lava.batches.window_currents`.
    batch : int
        Samples side by side.
    windows : int
        Batches that follow each other.
    timesteps : int, optional
        Length of a window instead of the network's own.
    record_folder : Path, optional
        Existing folder for the results; without it nothing is recorded.
    record_spike_trains : bool
        Record every spike too.

    Raises
    ------
    BackendError
        A sum could exceed the 32 bits of Lava's messages.
    """
    steps = network.timesteps if timesteps is None else timesteps
    recordings = {}
    if record_folder is not None:
        recordings = recordings_of(network, record_folder, (batch, windows, steps), record_spike_trains)
        for recording in recordings.values():
            recording.create()
    populations = {}
    for population in network.populations:
        current = currents[population.name]
        _require_int32(network, population, current)
        populations[population.name] = _population_process(
            network, population, current, (batch, windows, steps), recordings.get(population.name)
        )
    projections = {}
    for projection in network.projections:
        process = _projection_process(projection, network.shift(projection), batch)
        populations[projection.source].s_out.connect(process.s_in)
        process.a_out.connect(populations[projection.target].a_in)
        projections[projection.name] = process
    return Emission(populations, projections, total_steps(network, windows, steps), recordings)


def total_steps(network: ChipNetwork, windows: int, timesteps: int) -> int:
    """Steps of the global clock until every population has finished its last window."""
    return windows * timesteps + max(population.start_step for population in network.populations)


def _population_process(
    network: ChipNetwork,
    population: Population,
    current: NDArray[np.signedinteger[Any]],
    extent: tuple[int, int, int],
    recording: Recording | None,
) -> IntegrateAndFire:
    batch, windows, timesteps = extent
    channels, rows, columns = population.shape
    return IntegrateAndFire(
        name=population.name,
        shape=(batch, rows, columns, channels),
        timesteps=timesteps,
        windows=windows,
        start_step=population.start_step,
        current=current,
        reset=population.reset,
        threshold=population.threshold,
        negative_threshold=population.negative_threshold,
        initial_potential=population.initial_potential,
        state_max=network.state_max,
        recording=recording,
    )


def _projection_process(projection: Projection, shift: int, batch: int) -> Convolution | Dense:
    if reads_every_neuron(projection.connectivity):
        return Dense(
            name=projection.name, weights=projection.weights, shift=shift, delay=projection.delay, batch=batch
        )
    return Convolution(
        name=projection.name,
        connectivity=projection.connectivity,
        weights=projection.weights,
        shift=shift,
        delay=projection.delay,
        batch=batch,
    )


def reads_every_neuron(connectivity: Connectivity) -> bool:
    """Whether the weights are one matrix from the whole source to the whole of a 1x1 target, in order."""
    source_channels, rows, columns = connectivity.source_shape
    return (
        connectivity.groups == 1
        and connectivity.source_channels == (0, source_channels)
        and connectivity.target_channels == (0, connectivity.target_shape[0])
        and np.array_equal(connectivity.rows, np.arange(rows)[None])
        and np.array_equal(connectivity.columns, np.arange(columns)[None])
    )


def _require_int32(
    network: ChipNetwork, population: Population, current: NDArray[np.signedinteger[Any]]
) -> None:
    low, high = synaptic_range(network, population.name)
    synaptic = int(np.maximum(high, -low).max())
    largest = network.state_max + synaptic + max(int(current.max()), -int(current.min()))
    if largest > INT32_MAX:
        raise BackendError(
            f"{population.name}: a potential may reach {largest:,} before it saturates, beyond the 32 bits "
            "of Lava's messages. Run it with the simulator."
        )
