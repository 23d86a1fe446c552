"""Count what a placed network did, from the spikes of each neuron."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile, MeshProfile
from mapping.crossbar_program import CrossbarProgram
from mapping.network import ChipNetwork, InputProjection, Population, Projection
from mapping.placement import HOST, HOST_CHIP, Placement
from mapping.tiles import Tile
from nmdeploy.energy.column_messages import column_messages, columns_by_neuron
from nmdeploy.energy.counts import (
    FloatLayer,
    OperationCounts,
    PopulationSize,
    ProjectionCounts,
    TileCounts,
)
from nmdeploy.energy.crossbar_events import synaptic_events
from nmdeploy.energy.message_counts import MessageCounts, count_messages
from nmdeploy.energy.operations import SynapticOperations, synaptic_operations

IntArray = NDArray[np.int64]



def count_operations(
    network: ChipNetwork,
    placement: Placement,
    profile: MeshProfile,
    samples: NDArray[np.float32],
    spike_counts: Mapping[str, IntArray],
    *,
    timesteps: int | None = None,
    float_layers: tuple[FloatLayer, ...] = (),
    steps: Mapping[str, IntArray] | None = None,
    program: CrossbarProgram | None = None,
) -> OperationCounts:
    """Count the operations of a run.

    On crossbars every copy of a neuron is updated, meets synapses and is reset like any other; its spikes are messages,
    and the neuron's spikes count once. What the host computes is counted as done by a core of its own, named `HOST`.

    Parameters
    ----------
    network : ChipNetwork
    placement : Placement
    profile : MeshProfile
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    spike_counts : mapping of population name to int64 array, (samples, neurons)
        From the simulator.
    timesteps : int, optional
        Length of the window; the network's own if not given.
    float_layers : tuple of FloatLayer
        Operations of the trained network.
    steps : mapping of population name to int64 array, (samples,), optional
        Steps that each population was busy with each sample, from the first of its window to its last firing step; all
        of them, T and the lead, if not given. It takes in input in the first T of them.
    program : CrossbarProgram, optional
        Of a chip of crossbars.
    """
    window = network.timesteps if timesteps is None else timesteps
    spikes = {
        population.name: spike_counts[population.name].sum(axis=0, dtype=np.int64).reshape(population.shape)
        for population in network.populations
    }
    if steps is None:
        steps = {
            population.name: np.full(len(samples), window + population.lead, dtype=np.int64)
            for population in network.populations
        }
    input_steps = {name: np.minimum(one, window) for name, one in steps.items()}
    with_input = {projection.target for projection in network.input_projections}
    run = _Run(
        network=network,
        samples=len(samples),
        spikes=spikes,
        steps={name: int(one.sum()) for name, one in steps.items()},
        input_steps={name: int(one.sum()) for name, one in input_steps.items()},
        once=_input_events(samples, np.ones(len(samples), dtype=np.int64)),
        every_step={name: _input_events(samples, input_steps[name]) for name in with_input},
        messages=_messages(network, placement, profile, spikes, program),
        copies={} if program is None else columns_by_neuron(network, program.columns),
        crossbar_events={} if program is None else _crossbar_events(network, spikes),
    )
    tiles = [(str(core.address), core.address.chip, tile) for core in placement.cores for tile in core.tiles]
    tiles += [(HOST, HOST_CHIP, _whole(population)) for population in network.populations if population.on_host]
    return OperationCounts(
        samples=len(samples),
        timesteps=window,
        latency_steps=window + network.latency_steps - network.timesteps,
        read_out_step=network.read_out_step,
        chips=placement.chip_count,
        inputs=int(np.prod(network.input_shape)),
        tiles=tuple(_count_tile(run, number, core, chip, tile) for number, (core, chip, tile) in enumerate(tiles)),
        populations=tuple(_size(network, population) for population in network.populations),
        float_layers=float_layers,
    )


def _messages(
    network: ChipNetwork,
    placement: Placement,
    profile: MeshProfile,
    spikes: Mapping[str, IntArray],
    program: CrossbarProgram | None,
) -> MessageCounts:
    if isinstance(profile, HardwareProfile):
        return count_messages(network, placement, profile, spikes)
    if program is None:
        raise ValueError(f"messages on {profile.name} are those of a program, and there is none")
    return column_messages(network, placement, program, profile.mesh, spikes)


def _crossbar_events(network: ChipNetwork, spikes: Mapping[str, IntArray]) -> dict[str, IntArray]:
    """By projection into the chip, events on entries of 1 that a column of each target neuron sees."""
    return {
        one.name: synaptic_events(one, network.population(one.target), spikes[one.source])
        for one in network.projections
        if not network.population(one.target).on_host
    }


def _whole(population: Population) -> Tile:
    channels, rows, columns = population.shape
    return Tile(population.name, (0, channels), (0, rows), (0, columns))


@dataclass(frozen=True)
class _InputEvents:
    """How often each input is applied: all of them, and where it is not zero; (channels, rows, columns)."""

    all_inputs: IntArray
    nonzero_inputs: IntArray


def _input_events(samples: NDArray[np.float32], times: IntArray) -> _InputEvents:
    """Events if the input of each sample is applied so many times; `times` has shape (samples,)."""
    all_inputs = np.full(samples.shape[1:], times.sum(), dtype=np.int64)
    return _InputEvents(all_inputs, np.einsum("s,schw->chw", times, samples != 0))


@dataclass(frozen=True)
class _Run:
    """What a run did, summed over the samples; `spikes` to `input_steps` and `every_step` by population.

    On crossbars also copies of every neuron by population, and `_crossbar_events` by projection.
    """

    network: ChipNetwork
    samples: int
    spikes: dict[str, IntArray]
    steps: dict[str, int]
    input_steps: dict[str, int]
    once: _InputEvents
    every_step: dict[str, _InputEvents]
    messages: MessageCounts
    copies: dict[str, IntArray]
    crossbar_events: dict[str, IntArray]

    def copies_in(self, tile: Tile) -> IntArray:
        """Copies of the neurons of a tile, (channels, rows, columns)."""
        if tile.population not in self.copies:
            return np.ones(tile.shape, dtype=np.int64)
        return self.copies[tile.population][_box(tile)]


def _box(tile: Tile) -> tuple[slice, slice, slice]:
    return slice(*tile.channels), slice(*tile.rows), slice(*tile.columns)


def _accumulates(run: _Run, projection: Projection, tile: Tile) -> ProjectionCounts:
    if projection.name in run.crossbar_events:
        events = int((run.crossbar_events[projection.name][_box(tile)] * run.copies_in(tile)).sum())
        return ProjectionCounts(projection.name, events, events)
    sent = run.spikes[projection.source]
    operations = synaptic_operations(projection.connectivity, projection.weights, tile, sent)
    return ProjectionCounts(projection.name, operations.dense, operations.effective)


def _count_tile(run: _Run, number: int, core: str, chip: int, tile: Tile) -> TileCounts:
    name = tile.population
    projections = [_accumulates(run, projection, tile) for projection in run.network.incoming(name)]
    currents = list(run.network.input_currents(name))
    once = [_input_operations(current, tile, run.once) for current in currents]
    every_step = [_input_operations(current, tile, run.every_step[name]) for current in currents]
    population = run.network.population(name)
    copies = run.copies_in(tile)
    bias = np.broadcast_to(population.bias, population.shape)[_box(tile)]
    sent = run.spikes[name][_box(tile)]
    _, rows, columns = tile.shape
    fed = len(_channels_with_current(tile, currents)) * rows * columns
    return TileCounts(
        core=core,
        chip=chip,
        population=name,
        projections=tuple(projections),
        input_mac_dense=sum(operations.dense for operations in once),
        input_mac_effective=sum(operations.effective for operations in once),
        input_mac_dense_every_step=sum(operations.dense for operations in every_step),
        input_mac_effective_every_step=sum(operations.effective for operations in every_step),
        input_currents=fed * run.samples,
        input_additions=fed * run.input_steps[name],
        neuron_updates=int(copies.sum()) * run.steps[name],
        bias_additions=int(copies[bias != 0].sum()) * run.input_steps[name],
        spikes=int(sent.sum()),
        resets=int((sent * copies).sum()) if _resets(population) else 0,
        messages=int(run.messages.messages[number]),
        off_chip_messages=int(run.messages.off_chip_messages[number]),
        hops_x=int(run.messages.hops_x[number]),
        hops_y=int(run.messages.hops_y[number]),
    )


def _resets(population: Population) -> bool:
    """Whether a spike changes the potential: a maximum over counts has none."""
    return population.reset != "none" and population.pool_counts is None


def _input_operations(current: InputProjection, tile: Tile, events: _InputEvents) -> SynapticOperations:
    """Operations of an input current, inputs of zero being left out of the effective ones."""
    table, weights = current.connectivity, current.weights
    return SynapticOperations(
        dense=synaptic_operations(table, weights, tile, events.all_inputs).dense,
        effective=synaptic_operations(table, weights, tile, events.nonzero_inputs).effective,
    )


def _channels_with_current(tile: Tile, currents: list[InputProjection]) -> set[int]:
    """Channels of a tile that input projections run to."""
    channels = {channel for current in currents for channel in range(*current.connectivity.target_channels)}
    return channels.intersection(range(*tile.channels))


def _size(network: ChipNetwork, population: Population) -> PopulationSize:
    incoming, outgoing = list(network.incoming(population.name)), list(network.outgoing(population.name))
    currents = list(network.input_currents(population.name))
    return PopulationSize(
        name=population.name,
        neurons=population.neuron_count,
        synapses=sum(projection.connectivity.synapse_count for projection in incoming),
        weights=sum(int(projection.weights.size) for projection in incoming),
        input_weights=sum(int(current.weights.size) for current in currents),
        projections_out=len(outgoing),
        convolutions_out=sum(_is_convolution(projection.connectivity.target_shape) for projection in outgoing),
    )


def _is_convolution(target_shape: tuple[int, int, int]) -> bool:
    return target_shape[1] * target_shape[2] > 1
