"""Count anew which cores send to which, and what that takes of their output axons."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.network import Projection
from mapping.rules.core_recount import PlacedTile, reach_masks


@dataclass(frozen=True)
class RouteRecount:
    """Routes of all cores, by position of their records in the placement.

    Attributes
    ----------
    targets : list of set of int
        Core records that each one sends to.
    output_entries : list of int
        Output axon entries that each one takes.
    """

    targets: list[set[int]]
    output_entries: list[int]

    @classmethod
    def of(
        cls,
        placed: list[PlacedTile],
        projections: list[Projection],
        chips: list[int],
        profile: HardwareProfile,
    ) -> RouteRecount:
        """Count the routes of placed tiles.

        Parameters
        ----------
        placed : list of PlacedTile
        projections : list of Projection
            Sound ones.
        chips : list of int
            Chip of each core record.
        """
        costs = profile.core_costs
        near = costs.output_entries_per_target_core.value
        far = near + costs.output_entries_extra_off_chip.value
        counted = cls([set() for _ in chips], [0] * len(chips))
        by_population: defaultdict[str, list[PlacedTile]] = defaultdict(list)
        for item in placed:
            by_population[item.tile.population].append(item)
            if item.population.reset == "subtract":
                resets = item.tile.neuron_count * costs.reset_synapses_per_subtractive_neuron.value
                counted.output_entries[item.core] += resets * near
        for projection in projections:
            sources = by_population[projection.source]
            if not sources:
                continue
            for target, tiles in tiles_by_core(by_population[projection.target]).items():
                senders = count_senders(projection, tiles, sources)
                for source, neurons in zip(sources, senders, strict=True):
                    if neurons:
                        counted.targets[source.core].add(target)
                        cost = near if chips[source.core] == chips[target] else far
                        counted.output_entries[source.core] += neurons * cost
        return counted


def tiles_by_core(placed: list[PlacedTile]) -> dict[int, list[PlacedTile]]:
    """Group tiles by the core record that they are in."""
    grouped: defaultdict[int, list[PlacedTile]] = defaultdict(list)
    for item in placed:
        grouped[item.core].append(item)
    return grouped


def count_senders(projection: Projection, targets: list[PlacedTile], sources: list[PlacedTile]) -> list[int]:
    """Neurons of each source tile that reach a core with these target tiles, each counted once."""
    boxes = np.array([(*item.tile.channels, *item.tile.rows, *item.tile.columns) for item in sources])
    masks = [reach_masks(projection, item.tile) for item in targets]
    if len(masks) == 1:
        counts = np.ones(len(sources), dtype=np.int64)
        for axis, mask in enumerate(masks[0]):
            counts *= count_within(mask, boxes[:, 2 * axis], boxes[:, 2 * axis + 1])
        return [int(count) for count in counts]
    reached = np.zeros(projection.connectivity.source_shape, dtype=np.bool_)
    for channels, rows, columns in masks:
        reached[np.ix_(channels, rows, columns)] = True
    return [
        int(reached[slice(*item.tile.channels), slice(*item.tile.rows), slice(*item.tile.columns)].sum())
        for item in sources
    ]


def count_within(mask: NDArray[np.bool_], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of true values in each half-open interval."""
    cumulative = np.zeros(len(mask) + 1, dtype=np.int64)
    np.cumsum(mask, out=cumulative[1:])
    inside: NDArray[np.int64] = cumulative[stops] - cumulative[starts]
    return inside
