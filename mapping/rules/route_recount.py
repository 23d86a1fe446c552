"""Count anew which cores send to which, and what that takes of their output axons."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.network import Projection
from mapping.rules.core_recount import PlacedTile, ReachMasks


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
        axons = profile.output_axons
        near = 0 if axons is None else axons.entries_per_target_core.value
        far = 0 if axons is None else near + axons.entries_extra_off_chip.value
        counted = cls([set() for _ in chips], [0] * len(chips))
        by_population: defaultdict[str, list[PlacedTile]] = defaultdict(list)
        for item in placed:
            by_population[item.tile.population].append(item)
            if item.population.reset == "subtract":
                resets = item.tile.neuron_count * profile.core_costs.reset_synapses_per_subtractive_neuron.value
                counted.output_entries[item.core] += resets * near
        for projection in projections:
            sources = by_population[projection.source]
            if not sources:
                continue
            boxes = np.array([(*item.tile.channels, *item.tile.rows, *item.tile.columns) for item in sources])
            masks = ReachMasks(projection)
            for target, tiles in tiles_by_core(by_population[projection.target]).items():
                senders = count_senders(masks, tiles, boxes)
                for index in np.flatnonzero(senders):
                    core = sources[index].core
                    counted.targets[core].add(target)
                    cost = near if chips[core] == chips[target] else far
                    counted.output_entries[core] += int(senders[index]) * cost
        return counted


def tiles_by_core(placed: list[PlacedTile]) -> dict[int, list[PlacedTile]]:
    """Group tiles by the core record that they are in."""
    grouped: defaultdict[int, list[PlacedTile]] = defaultdict(list)
    for item in placed:
        grouped[item.core].append(item)
    return grouped


def count_senders(masks: ReachMasks, targets: list[PlacedTile], boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Neurons of each source box that reach a core with these target tiles, each counted once.

    Parameters
    ----------
    masks : ReachMasks
    targets : list of PlacedTile
    boxes : int64 array, (boxes, 6)
        Start and stop of channels, rows and columns.

    Returns
    -------
    int64 array, (boxes,)
    """
    of_targets = [masks.of(item.tile) for item in targets]
    counts = np.zeros(len(boxes), dtype=np.int64)
    for of_target in of_targets:
        of_each = np.ones(len(boxes), dtype=np.int64)
        for axis, mask in enumerate(of_target):
            of_each *= count_within(mask, boxes[:, 2 * axis], boxes[:, 2 * axis + 1])
        counts += of_each
    if len(of_targets) > 1:
        # a neuron that reaches several of the tiles was counted several times
        for index in np.flatnonzero(counts).tolist():
            box = boxes[index].reshape(3, 2).tolist()
            reached = np.zeros([stop - start for start, stop in box], dtype=np.bool_)
            for of_target in of_targets:
                parts = [mask[start:stop] for mask, (start, stop) in zip(of_target, box, strict=True)]
                reached[np.ix_(*parts)] = True
            counts[index] = np.count_nonzero(reached)
    return counts


def count_within(mask: NDArray[np.bool_], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of true values in each half-open interval."""
    cumulative = np.zeros(len(mask) + 1, dtype=np.int64)
    np.cumsum(mask, out=cumulative[1:])
    inside: NDArray[np.int64] = cumulative[stops] - cumulative[starts]
    return inside
