"""Operation counts of a placed network, per core and population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, InputProjection
from mapping.placement import Placement
from mapping.tiles import Tile
from nmdeploy.energy.operations import SynapticOperations, synaptic_operations

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class TileCounts:
    """What one tile does, summed over all samples; all counts are exact.

    Synaptic operations are charged to the core that holds the target neuron, spikes to the core that sends them.

    Attributes
    ----------
    core : str
        Address of the core.
    population : str
    ac_dense, ac_effective : int
        Accumulates that arriving spikes of either sign cause, those of a maximum over counts too; "effective" leaves
        weights of zero out.
    input_mac_dense, input_mac_effective : int
        Multiply-accumulates of the input current, applied once a sample; "effective" leaves out inputs and
        weights of zero.
    input_mac_dense_every_step, input_mac_effective_every_step : int
        The same if the input were applied in every step.
    input_additions : int
        Additions of the input current, one for each neuron that has it and each step that takes in input.
    neuron_updates : int
        Neurons times steps, of which a population with a lead has so many more.
    bias_additions, spikes : int
        Neurons with a bias times steps that take in input; spikes sent, those of -1 too.
    """

    core: str
    population: str
    ac_dense: int
    ac_effective: int
    input_mac_dense: int
    input_mac_effective: int
    input_mac_dense_every_step: int
    input_mac_effective_every_step: int
    input_additions: int
    neuron_updates: int
    bias_additions: int
    spikes: int


@dataclass(frozen=True)
class OperationCounts:
    """Counts of a whole run.

    Attributes
    ----------
    samples, timesteps : int
    tiles : tuple of TileCounts
        In the order of the placement.
    float_macs : dict of layer name to int
        Multiply-accumulates of the trained network for one sample, padding left out.
    """

    samples: int
    timesteps: int
    tiles: tuple[TileCounts, ...]
    float_macs: dict[str, int]

    @property
    def spikes_per_inference(self) -> list[float]:
        """Mean spikes of one inference in each tile."""
        return [tile.spikes / self.samples for tile in self.tiles]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "samples": self.samples,
            "timesteps": self.timesteps,
            "float_macs": self.float_macs,
            "tiles": [asdict(tile) for tile in self.tiles],
        }


def counts_from_dict(data: dict[str, Any]) -> OperationCounts:
    """The counts that `OperationCounts.as_dict` wrote.

    Raises
    ------
    KeyError, TypeError, ValueError
        A field is missing, unknown or no integer.
    """
    names = {field.name for field in fields(TileCounts)}
    tiles = []
    for tile in data["tiles"]:
        if set(tile) != names:
            raise ValueError(f"a tile has the fields {sorted(tile)}")
        numbers = {name: value for name, value in tile.items() if name not in ("core", "population")}
        if not all(isinstance(value, int) for value in numbers.values()):
            raise ValueError("a count is no integer")
        tiles.append(TileCounts(**tile))
    float_macs = {str(name): int(value) for name, value in data["float_macs"].items()}
    samples, timesteps = int(data["samples"]), int(data["timesteps"])
    if samples < 1 or timesteps < 1:
        raise ValueError(f"{samples} samples and {timesteps} time steps")
    return OperationCounts(samples, timesteps, tuple(tiles), float_macs)


def count_operations(
    network: ChipNetwork,
    placement: Placement,
    samples: NDArray[np.float32],
    spike_counts: dict[str, IntArray],
    timesteps: int,
    float_macs: dict[str, int],
    steps: Mapping[str, IntArray] | None = None,
) -> OperationCounts:
    """Count the operations of a run.

    Parameters
    ----------
    network : ChipNetwork
    placement : Placement
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed.
    spike_counts : dict of population name to int64 array, (samples, neurons)
        From the simulator.
    timesteps : int
        Length of the window.
    float_macs : dict of layer name to int
        See `OperationCounts`.
    steps : mapping of population name to int64 array, (samples,), optional
        Steps that each population was busy with each sample, from the first of its window to its last firing step; all
        of them, T and the lead, if not given. It takes in input in the first T of them.
    """
    spikes = {
        population.name: spike_counts[population.name].sum(axis=0, dtype=np.int64).reshape(population.shape)
        for population in network.populations
    }
    if steps is None:
        steps = {
            population.name: np.full(len(samples), timesteps + population.lead, dtype=np.int64)
            for population in network.populations
        }
    input_steps = {name: np.minimum(one, timesteps) for name, one in steps.items()}
    with_input = {projection.target for projection in network.input_projections}
    run = _Run(
        network=network,
        spikes=spikes,
        steps={name: int(one.sum()) for name, one in steps.items()},
        input_steps={name: int(one.sum()) for name, one in input_steps.items()},
        once=_input_events(samples, np.ones(len(samples), dtype=np.int64)),
        every_step={name: _input_events(samples, input_steps[name]) for name in with_input},
    )
    tiles = [_count_tile(run, str(core.address), tile) for core in placement.cores for tile in core.tiles]
    return OperationCounts(len(samples), timesteps, tuple(tiles), float_macs)


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
    """What a run did, summed over the samples; all but `network` and `once` by population."""

    network: ChipNetwork
    spikes: dict[str, IntArray]
    steps: dict[str, int]
    input_steps: dict[str, int]
    once: _InputEvents
    every_step: dict[str, _InputEvents]


def _count_tile(run: _Run, core: str, tile: Tile) -> TileCounts:
    name = tile.population
    accumulates = [
        synaptic_operations(projection.connectivity, projection.weights, tile, run.spikes[projection.source])
        for projection in run.network.incoming(name)
    ]
    currents = list(run.network.input_currents(name))
    once = [_input_operations(current, tile, run.once) for current in currents]
    every_step = [_input_operations(current, tile, run.every_step[name]) for current in currents]
    population = run.network.population(name)
    box = tuple(slice(*interval) for interval in (tile.channels, tile.rows, tile.columns))
    bias = np.broadcast_to(population.bias, population.shape)[box]
    return TileCounts(
        core=core,
        population=name,
        ac_dense=sum(operations.dense for operations in accumulates),
        ac_effective=sum(operations.effective for operations in accumulates),
        input_mac_dense=sum(operations.dense for operations in once),
        input_mac_effective=sum(operations.effective for operations in once),
        input_mac_dense_every_step=sum(operations.dense for operations in every_step),
        input_mac_effective_every_step=sum(operations.effective for operations in every_step),
        input_additions=_neurons_with_current(tile, currents) * run.input_steps[name],
        neuron_updates=tile.neuron_count * run.steps[name],
        bias_additions=int(np.count_nonzero(bias)) * run.input_steps[name],
        spikes=int(run.spikes[name][box].sum()),
    )


def _input_operations(current: InputProjection, tile: Tile, events: _InputEvents) -> SynapticOperations:
    """Operations of an input current, inputs of zero being left out of the effective ones."""
    table, weights = current.connectivity, current.weights
    return SynapticOperations(
        dense=synaptic_operations(table, weights, tile, events.all_inputs).dense,
        effective=synaptic_operations(table, weights, tile, events.nonzero_inputs).effective,
    )


def _neurons_with_current(tile: Tile, currents: list[InputProjection]) -> int:
    """Neurons of a tile in the channels that input projections run to."""
    channels = {channel for current in currents for channel in range(*current.connectivity.target_channels)}
    _, rows, columns = tile.shape
    return len(channels.intersection(range(*tile.channels))) * rows * columns
