"""Spikes of each tile, from those of each neuron."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from mapping.placement import Placement


def tile_spikes(
    network: ChipNetwork, placement: Placement, spike_counts: Mapping[str, NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Mean spikes of one inference in each tile, in the order of the placement.

    Parameters
    ----------
    network : ChipNetwork
    placement : Placement
    spike_counts : mapping of population name to int64 array, (samples, neurons)
        From the simulator, by neurons in C order.

    Returns
    -------
    float64 array, (tiles,)
    """
    means = {
        population.name: spike_counts[population.name].mean(axis=0).reshape(population.shape)
        for population in network.populations
    }
    tiles = [tile for core in placement.cores for tile in core.tiles]
    boxes = ((tile.population, (tile.channels, tile.rows, tile.columns)) for tile in tiles)
    return np.array([means[name][tuple(slice(*interval) for interval in box)].sum() for name, box in boxes])
