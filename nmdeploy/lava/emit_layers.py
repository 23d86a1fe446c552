"""Granularity "layer": a Lava process for each population and each projection of a network."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity
from mapping.convolution_geometry import covers_source
from mapping.network import ChipNetwork, Population, Projection
from mapping.pool_taps import existing_taps
from nmdeploy.lava.integer_range import populations_of_64_bits
from nmdeploy.lava.machine_limits import Needs, require_machine
from nmdeploy.lava.population_model import PopulationProcess
from nmdeploy.lava.processes.convolution import Convolution
from nmdeploy.lava.processes.count_maximum import CountMaximum
from nmdeploy.lava.processes.count_memory import CountMemoryNeurons
from nmdeploy.lava.processes.dense import Dense
from nmdeploy.lava.processes.integrate_and_fire import IntegrateAndFire
from nmdeploy.lava.program import LavaProgram
from nmdeploy.lava.recording import Recording
from nmdeploy.lava.window_clock import WindowClock

# Synaptic operations from which torch's speed is worth the seconds that it takes to load.
COMPILED_OPERATIONS = 20_000_000_000
Currents = Mapping[str, NDArray[np.signedinteger[Any]]]


def emit_layers(
    network: ChipNetwork,
    currents: Currents,
    *,
    batch: int,
    windows: int | None,
    timesteps: int | None = None,
    recordings: Mapping[str, Recording] | None = None,
) -> LavaProgram:
    """Create and connect the processes of a network.

    Parameters
    ----------
    network : ChipNetwork
    currents : mapping of str to integer array, (windows, batch or 1, rows, columns, channels)
        Bias and input current of each population, see `nmdeploy.lava.batches.window_currents`.
    batch : int
        Samples side by side.
    windows : int or None
        Batches that follow each other; None for no end.
    timesteps : int, optional
        Length of a window instead of the network's own.
    recordings : mapping of str to Recording, optional
        What each population records; the files are created here. Without it nothing is recorded.

    Raises
    ------
    BackendError
        A current could exceed the 32 bits of Lava's messages, a product 64 bits, or this machine cannot hold so many
        processes.
    """
    of_64_bits = populations_of_64_bits(network, currents, timesteps)
    projection_count = len(network.projections)
    require_machine(
        Needs(len(network.populations) + projection_count, 2 * projection_count), "Run it with the simulator."
    )
    clocks = window_clocks(network, windows, timesteps)
    compiled = _is_long(network, batch, windows, timesteps)
    if compiled:
        # here, so that the processes that Lava forks have it already
        importlib.import_module("nmdeploy.simulator.fast_products")
    populations = {}
    for population in network.populations:
        name, (channels, rows, columns) = population.name, population.shape
        common = {
            "name": name,
            "shape": (batch, rows, columns, channels),
            "clock": clocks[name],
            "recording": None if recordings is None else recordings[name].create(),
        }
        populations[name] = _population_process(network, population, currents[name], name in of_64_bits, common)
    projections = {}
    for projection in network.projections:
        process = _projection_process(network, projection, batch, compiled=compiled)
        populations[projection.source].s_out.connect(process.s_in)
        process.a_out.connect(populations[projection.target].a_in)
        projections[projection.name] = process
    return LavaProgram(clocks, populations=populations, projections=projections)


def _is_long(network: ChipNetwork, batch: int, windows: int | None, timesteps: int | None) -> bool:
    """Whether loading torch's kernels pays; not known for windows without end."""
    steps = (windows or 0) * (network.timesteps if timesteps is None else timesteps)
    synapses = sum(projection.connectivity.synapse_count for projection in network.projections)
    return steps * batch * synapses > COMPILED_OPERATIONS


def window_clocks(network: ChipNetwork, windows: int | None, timesteps: int | None) -> dict[str, WindowClock]:
    """When each population has its windows; `timesteps` is their length instead of the network's own."""
    steps = network.timesteps if timesteps is None else timesteps
    gap, refinement = network.gap_steps, network.refinement_steps
    return {
        population.name: WindowClock(population.start_step, steps, windows, gap, population.lead, refinement)
        for population in network.populations
    }


def _population_process(
    network: ChipNetwork,
    population: Population,
    current: NDArray[np.signedinteger[Any]],
    wide: bool,
    common: Mapping[str, Any],
) -> PopulationProcess:
    if population.pool_counts is not None:
        exists = existing_taps(population, network.incoming(population.name))
        return CountMaximum(**common, pool=population.pool_counts, exists=exists)
    fields: dict[str, Any] = {
        **common,
        "current": current if wide else current.astype(np.int32),
        "threshold": population.threshold,
        "initial_potential": population.initial_potential,
        "state_max": network.state_max,
        "wide": wide,
    }
    if population.count_memory is not None:
        return CountMemoryNeurons(**fields, memory=population.count_memory)
    return IntegrateAndFire(**fields, reset=population.reset, negative_threshold=population.negative_threshold)


def _projection_process(
    network: ChipNetwork, projection: Projection, batch: int, *, compiled: bool
) -> Convolution | Dense:
    shift = network.shift(projection)
    if reads_every_neuron(projection.connectivity):
        return Dense(name=projection.name, weights=projection.weights, shift=shift, delay=projection.delay, batch=batch)
    return Convolution(
        name=projection.name,
        connectivity=projection.connectivity,
        weights=projection.weights,
        shift=shift,
        delay=projection.delay,
        batch=batch,
        compiled=compiled,
        signed=network.population(projection.source).sends_negative,
    )


def reads_every_neuron(connectivity: Connectivity) -> bool:
    """Whether the weights are one matrix from the whole source to the whole of a 1x1 target, in order."""
    return (
        connectivity.groups == 1
        and connectivity.source_channels == (0, connectivity.source_shape[0])
        and connectivity.target_channels == (0, connectivity.target_shape[0])
        and covers_source(connectivity)
    )
