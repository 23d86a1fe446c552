"""Operation counts of a placed network, per core and population."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, InputProjection
from mapping.placement import Placement
from mapping.tiles import Tile
from nmdeploy.energy.operations import synaptic_operations

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
        Accumulates that arriving spikes cause; "effective" leaves weights of zero out.
    input_mac_dense, input_mac_effective : int
        Multiply-accumulates of the input current, applied once a sample; "effective" leaves out inputs and
        weights of zero.
    input_neurons : int
        Neurons of the tile with input current, times samples: each adds its current in every step.
    neuron_updates, bias_additions, spikes : int
        Neurons times steps; those of them that add a bias; spikes sent.
    """

    core: str
    population: str
    ac_dense: int
    ac_effective: int
    input_mac_dense: int
    input_mac_effective: int
    input_neurons: int
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
        Steps that were simulated.
    float_macs : dict of layer name to int
        See `OperationCounts`.
    """
    spikes = {
        population.name: spike_counts[population.name].sum(axis=0).reshape(population.shape)
        for population in network.populations
    }
    applied = np.full(network.input_shape, len(samples), dtype=np.int64)
    nonzero_inputs = np.count_nonzero(samples, axis=0)
    tiles = [
        _count_tile(network, str(core.address), tile, spikes, (applied, nonzero_inputs), len(samples) * timesteps)
        for core in placement.cores
        for tile in core.tiles
    ]
    return OperationCounts(len(samples), timesteps, tuple(tiles), float_macs)


def _count_tile(
    network: ChipNetwork,
    core: str,
    tile: Tile,
    spikes: dict[str, IntArray],
    inputs: tuple[IntArray, NDArray[np.intp]],
    neuron_steps: int,
) -> TileCounts:
    population = network.population(tile.population)
    box = tuple(slice(*interval) for interval in (tile.channels, tile.rows, tile.columns))
    accumulates = [
        synaptic_operations(projection.connectivity, projection.weights, tile, spikes[projection.source])
        for projection in network.incoming(tile.population)
    ]
    applied, nonzero_inputs = inputs
    currents = list(network.input_currents(tile.population))
    bias = np.broadcast_to(population.bias, population.shape)[box]
    return TileCounts(
        core=core,
        population=tile.population,
        ac_dense=sum(operations.dense for operations in accumulates),
        ac_effective=sum(operations.effective for operations in accumulates),
        input_mac_dense=sum(
            synaptic_operations(current.connectivity, current.weights, tile, applied).dense for current in currents
        ),
        input_mac_effective=sum(
            synaptic_operations(current.connectivity, current.weights, tile, nonzero_inputs.astype(np.int64)).effective
            for current in currents
        ),
        input_neurons=_neurons_with_current(tile, currents) * int(applied.flat[0]),
        neuron_updates=tile.neuron_count * neuron_steps,
        bias_additions=int(np.count_nonzero(bias)) * neuron_steps,
        spikes=int(spikes[tile.population][box].sum()),
    )


def _neurons_with_current(tile: Tile, currents: list[InputProjection]) -> int:
    """Neurons of a tile in the channels that input projections run to."""
    channels = {channel for current in currents for channel in range(*current.connectivity.target_channels)}
    _, rows, columns = tile.shape
    return len(channels.intersection(range(*tile.channels))) * rows * columns
