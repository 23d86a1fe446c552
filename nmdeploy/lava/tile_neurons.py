"""The neurons of one tile on a core: their part of the core's state, and one step of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from nmdeploy.lava.core_contents import PlacedTile
from nmdeploy.lava.neuron_part import NeuronPart, NeuronState, RecordedPart
from nmdeploy.lava.neuron_rules import neuron_rule
from nmdeploy.lava.recording import Recording
from nmdeploy.lava.window_clock import WindowClock


@dataclass(frozen=True)
class CoreVectors:
    """What all neurons of a core keep from step to step.

    Attributes
    ----------
    potential : int32 or int64 array, (batch, neurons of the core)
    spike_counts, net_spikes : int32 arrays, like `potential`
    """

    potential: NDArray[np.signedinteger[Any]]
    spike_counts: NDArray[np.int32]
    net_spikes: NDArray[np.int32]

    def of_tile(self, placed: PlacedTile) -> NeuronState:
        """Views of a tile's part."""
        return NeuronState(
            placed.view(self.potential), placed.view(self.spike_counts), placed.view(self.net_spikes)
        )


@dataclass(frozen=True)
class TileNeurons:
    """Neurons of one tile; their state lies in the vectors of their core.

    Attributes
    ----------
    placed : PlacedTile
    neurons : NeuronPart
    """

    placed: PlacedTile
    neurons: NeuronPart

    @property
    def initial_potential(self) -> NDArray[np.signedinteger[Any]]:
        """Of every window, (channels of the tile,)."""
        return self.neurons.rule.initial_potential

    def step(
        self, time_step: int, arriving: NDArray[np.int32], vectors: CoreVectors, sent: NDArray[np.int8]
    ) -> int:
        """Advance by one step; outside of its windows the tile is idle.

        Parameters
        ----------
        time_step : int
            As Lava counts: the first is 1.
        arriving : int32 array, (batch, neurons of the core)
            In membrane units.
        vectors : CoreVectors
            The tile's part is changed in place.
        sent : int8 array, (batch, neurons of the core)
            The tile's part becomes its spikes; it is zero before.

        Returns
        -------
        int
            Potentials cut off.
        """
        stepped = self.neurons.step(time_step, self.placed.view(arriving), vectors.of_tile(self.placed))
        if stepped.spikes is not None:
            self.placed.view(sent)[...] = stepped.spikes
        return stepped.saturations


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(len(values), -1)


def tile_neurons(
    network: ChipNetwork,
    placed: PlacedTile,
    clock: WindowClock,
    current: NDArray[np.signedinteger[Any]],
    recording: tuple[Recording, int] | None,
) -> TileNeurons:
    """Cut the neurons of a tile out of their population.

    Parameters
    ----------
    network : ChipNetwork
    placed : PlacedTile
    clock : WindowClock
        Of the population.
    current : integer array, (windows, batch or 1, rows, columns, channels)
        Of the whole population.
    recording : (Recording, int), optional
        With the number of the tile among those of the population.
    """
    tile = placed.tile
    population = network.population(tile.population)
    channels, rows, columns = slice(*tile.channels), slice(*tile.rows), slice(*tile.columns)
    numbers = np.arange(population.neuron_count).reshape(population.shape)[channels, rows, columns]
    recorded = None if recording is None else RecordedPart(*recording, numbers.transpose(1, 2, 0).ravel(), _flat)
    rule = neuron_rule(network, population, tile)
    return TileNeurons(placed, NeuronPart(rule, clock, current[:, :, rows, columns, channels], recorded))
