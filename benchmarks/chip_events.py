"""Events of a mapped run on a chip, and what they cost at so much an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.mapped_case import MappedCase
from mapping.core_traffic import CoreTraffic, core_traffic
from mapping.mesh_positions import mesh_positions
from mapping.tiles import Tile

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class ChipEvents:
    """Events of a run, all samples together.

    Attributes
    ----------
    synapse : int
        Synaptic operations.
    neuron_access, neuron_update : int
        Neurons looked at, and those of them computed: one each a neuron and step.
    spike, message : int
        Spikes, and how many cores they were sent to together.
    hop_x, hop_y : int
        Links that the messages passed.
    """

    synapse: int
    neuron_access: int
    neuron_update: int
    spike: int
    message: int
    hop_x: int
    hop_y: int

    def energies_pj(self, constants_pj: Mapping[str, float]) -> dict[str, float]:
        """Energy of each kind of event; `constants_pj` has one for each attribute."""
        return {name: count * constants_pj[name] for name, count in asdict(self).items()}


def our_events(case: MappedCase) -> ChipEvents:
    """As nmdeploy counts: populations work in their windows only, and every neuron in each step of them."""
    tiles = case.counts.tiles
    updates = sum(tile.neuron_updates for tile in tiles)
    return ChipEvents(
        synapse=sum(tile.ac_dense for tile in tiles),
        neuron_access=updates,
        neuron_update=updates,
        spike=sum(tile.spikes for tile in tiles),
        message=sum(tile.messages for tile in tiles),
        hop_x=sum(tile.hops_x for tile in tiles),
        hop_y=sum(tile.hops_y for tile in tiles),
    )


def messages_of_neurons(case: MappedCase) -> CoreTraffic:
    """Messages between the cores of the placement, as if each neuron were a tile: by other code than the counts."""
    cores = [[part for tile in core.tiles for part in _single_neurons(tile)] for core in case.placement.cores]
    spikes = {
        population.name: case.spike_trains[population.name].sum(axis=(0, 1), dtype=np.int64).reshape(population.shape)
        for population in case.network.populations
    }
    of_neurons = [
        spikes[one.population][one.channels[0], one.rows[0], one.columns[0]] for tiles in cores for one in tiles
    ]
    return core_traffic(case.network, cores, np.array(of_neurons, dtype=np.float64))


def hops(case: MappedCase, source: IntArray, target: IntArray) -> tuple[IntArray, IntArray]:
    """Hops along x and along y between cores of the placement, by their positions in it."""
    positions = mesh_positions([core.address for core in case.placement.cores], case.profile.mesh)
    x, y = positions.x, positions.y
    return np.abs(x[source] - x[target]), np.abs(y[source] - y[target])


def _single_neurons(tile: Tile) -> list[Tile]:
    return [
        Tile(tile.population, (channel, channel + 1), (row, row + 1), (column, column + 1))
        for channel in range(*tile.channels)
        for row in range(*tile.rows)
        for column in range(*tile.columns)
    ]
