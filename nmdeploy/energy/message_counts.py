"""Messages of each tile, and the links that they pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.core_traffic import core_traffic
from mapping.mesh_positions import mesh_positions
from mapping.multicast_trees import tree_segments
from mapping.network import ChipNetwork
from mapping.placement import Placement
from mapping.spike_messages import spike_messages

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class MessageCounts:
    """By tile, in the order of the placement; see `nmdeploy.energy.counts.TileCounts`.

    Attributes
    ----------
    messages, off_chip_messages, hops_x, hops_y : int64 arrays, (tiles,)
    """

    messages: IntArray
    off_chip_messages: IntArray
    hops_x: IntArray
    hops_y: IntArray


def count_messages(
    network: ChipNetwork, placement: Placement, profile: HardwareProfile, spikes: Mapping[str, IntArray]
) -> MessageCounts:
    """Count messages and hops on dimension-ordered routes, or along multicast trees where the chip has them.

    Parameters
    ----------
    network : ChipNetwork
    placement : Placement
        Whose cores lie on the mesh.
    profile : HardwareProfile
    spikes : mapping of population name to int64 array, (channels, rows, columns)
        Spikes of each neuron, of either sign.
    """
    tiles = [core.tiles for core in placement.cores]
    core_of_tile = np.repeat(np.arange(len(tiles)), [len(of_core) for of_core in tiles])
    addresses = [core.address for core in placement.cores]
    positions = mesh_positions(addresses, profile.mesh)
    chips = np.array([address.chip for address in addresses], dtype=np.int64)
    sent = spike_messages(network, placement, spikes)
    sender = core_of_tile[sent.source]

    def by_tile(amounts: IntArray) -> IntArray:
        sums = np.zeros(len(core_of_tile), dtype=np.int64)
        np.add.at(sums, sent.source, amounts)
        return sums

    if profile.multicast is None:
        hops_x = by_tile(sent.count * np.abs(positions.x[sender] - positions.x[sent.target]))
        hops_y = by_tile(sent.count * np.abs(positions.y[sender] - positions.y[sent.target]))
    else:
        segments = tree_segments(core_traffic(network, tiles), positions)
        lengths_x, lengths_y = (_tree_lengths(source, start, stop, len(tiles)) for source, _, start, stop in segments)
        of_tiles = np.array(
            [
                spikes[tile.population][tuple(slice(*axis) for axis in (tile.channels, tile.rows, tile.columns))].sum()
                for of_core in tiles
                for tile in of_core
            ],
            dtype=np.int64,
        )
        hops_x, hops_y = of_tiles * lengths_x[core_of_tile], of_tiles * lengths_y[core_of_tile]
    return MessageCounts(
        messages=by_tile(sent.count),
        off_chip_messages=by_tile(sent.count * (chips[sender] != chips[sent.target])),
        hops_x=hops_x,
        hops_y=hops_y,
    )


def _tree_lengths(source: IntArray, start: IntArray, stop: IntArray, cores: int) -> IntArray:
    """Links of each core's tree along one axis."""
    lengths = np.zeros(cores, dtype=np.int64)
    np.add.at(lengths, source, np.abs(stop - start))
    return lengths
