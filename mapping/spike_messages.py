"""Messages of given spikes, exactly: what each tile sends to each core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from mapping.placement import Placement
from mapping.tile_boxes import TileBoxes, amounts_of_union

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class SpikeMessages:
    """Messages from tiles to cores as parallel arrays; pairs may repeat for different projections.

    Attributes
    ----------
    source : int64 array
        Positions of tiles, in the order of cores and of their tiles.
    target : int64 array
        Positions of cores.
    count : int64 array
        Spikes of neurons of the tile that have a synapse, of whatever weight, on the core. A spike is one message for
        each projection and core.
    """

    source: IntArray
    target: IntArray
    count: IntArray


def spike_messages(network: ChipNetwork, placement: Placement, spikes: Mapping[str, IntArray]) -> SpikeMessages:
    """Count the messages that some spikes are.

    `mapping.core_traffic` takes the spikes of a tile as spread evenly over its neurons; this knows each neuron's.

    Parameters
    ----------
    network : ChipNetwork
    placement : Placement
    spikes : mapping of population name to int64 array, (channels, rows, columns)
        Spikes of each neuron, of either sign.
    """
    boxes = TileBoxes.of([core.tiles for core in placement.cores])
    none = np.zeros(0, dtype=np.int64)
    parts: list[tuple[IntArray, IntArray, IntArray]] = [(none, none, none)]
    for projection in network.projections:
        sources, targets = boxes.by_population[projection.source], boxes.by_population[projection.target]
        amounts = spikes[projection.source]
        for core in np.unique(boxes.core[targets]):
            on_core = targets[boxes.core[targets] == core]
            counts = amounts_of_union(projection.connectivity, sources, on_core, boxes, amounts)
            sending = np.flatnonzero(counts)
            parts.append((sources[sending], np.full(len(sending), core), counts[sending]))
    source, target, count = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return SpikeMessages(source, target, count)
