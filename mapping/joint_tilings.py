"""Tilings of all populations together, for fewest tiles, where output axons tie them to each other.

A source neuron takes an output axon entry for each core of its targets, so that the tiling of a population limits
those of its sources, theirs limit those of their own sources, and so on up to the input. A population tiled with few
cores can cost its sources many. This is dynamic programming over the populations, from the last to the first: for each
tiling of a population, the fewest tiles that it and what comes after it can have; then, from the first to the last,
the tilings that reach it.

In a chain, where each population has one target and one source, the result has the fewest tiles of all regular tilings
that fit. A population with several targets divides its output axons between them, the widest first, unless they read
different channels of it; and one with several sources counts a part for each. That is good, but with no such proof.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from mapping.axis_reach import ProjectionReach
from mapping.network import ChipNetwork
from mapping.regular_tiling import Tiling, cut, tile_sizes
from mapping.tiling import PopulationTiler

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

MOST_TILINGS = 2048
"""Tilings of a population that are compared with all those of its targets: more than 64 maps of 32 x 32 have."""


@dataclass
class Choices:
    """What is known of each tiling of one population.

    Attributes
    ----------
    tiles_from_here : float64 array, (tilings,)
        Fewest tiles of the population and of what comes after it; infinite where its output axons never suffice.
    entries_for : dict of population name to int64 array, (tilings,)
        Output axon entries that a target may take of a tile.
    """

    tiles_from_here: FloatArray
    entries_for: dict[str, IntArray] = field(default_factory=dict)

    def add(self, needed: IntArray, room: IntArray, cost: FloatArray) -> IntArray:
        """Add the least cost of a target whose entries, (tilings, target tilings), lie within `room`; what it takes."""
        allowed = np.where(needed <= room[:, None], cost, np.inf)
        best = allowed.argmin(axis=1)
        places = np.arange(len(room))
        self.tiles_from_here += allowed[places, best]
        taken: IntArray = needed[places, best]
        return taken


class JointTilings:
    """Chooses the tilings of one network again and again, for other entries to targets.

    Parameters
    ----------
    network : ChipNetwork
    tilers : dict of population name to PopulationTiler
        Without outgoing projections.
    reaches : dict of projection name to ProjectionReach
    reset_entries : dict of population name to int
        Of one neuron.
    entries_per_core : int
        Output axon entries of a core.
    """

    def __init__(
        self,
        network: ChipNetwork,
        tilers: dict[str, PopulationTiler],
        reaches: dict[str, ProjectionReach],
        reset_entries: dict[str, int],
        entries_per_core: int,
    ) -> None:
        self._network = network
        self._populations = network.populations
        self._reaches = reaches
        self._entries_per_core = entries_per_core
        self._tilings = {name: legal_tilings(tiler) for name, tiler in tilers.items()}
        self._resets = {
            name: np.array([reset_entries[name] * prod(one.size) for one in tilings], dtype=np.int64)
            for name, tilings in self._tilings.items()
        }
        self._reached: dict[tuple[str, int], IntArray] = {}
        # where sources meet, each counts its part of what comes after
        self._sources = {
            item.name: max(1, len({projection.source for projection in network.incoming(item.name)}))
            for item in self._populations
        }

    def fewest_tiles(self, entries_per_target: dict[str, int]) -> dict[str, Tiling] | None:
        """Choose a tiling for each population.

        Parameters
        ----------
        entries_per_target : dict of population name to int
            Output axon entries of a source neuron for each core of a target.

        Returns
        -------
        dict of population name to Tiling, or None
            None where none was found.
        """
        choices: dict[str, Choices] = {}
        for population in reversed(self._populations):
            made = self._choices(population.name, entries_per_target[population.name], choices)
            if not np.isfinite(made.tiles_from_here).any():
                return None
            choices[population.name] = made
        chosen: dict[str, int] = {}
        for population in self._populations:
            cost = choices[population.name].tiles_from_here.copy()
            for source in {projection.source for projection in self._network.incoming(population.name)}:
                entries = self._entries(source, population.name, [chosen[source]])[0] * entries_per_target[source]
                cost[entries > choices[source].entries_for[population.name][chosen[source]]] = np.inf
            best = int(cost.argmin())
            if not np.isfinite(cost[best]):
                return None
            chosen[population.name] = best
        return {name: self._tilings[name][index] for name, index in chosen.items()}

    def _choices(self, name: str, per_target: int, later: dict[str, Choices]) -> Choices:
        """What the tilings of a population cost, given those of its targets."""
        tilings = self._tilings[name]
        made = Choices(np.array([float(one.count) for one in tilings]))
        apart, others, borders = self._targets(name)
        straddles = np.array([any(border % one.size[0] for border in borders) for one in tilings], dtype=bool)
        needs: dict[str, IntArray] = {}
        least: dict[str, IntArray] = {}
        for target in (*apart, *others):
            needs[target] = self._entries(name, target, range(len(tilings))) * per_target
            least[target] = needs[target][:, np.isfinite(later[target].tiles_from_here)].min(axis=1)
        others.sort(key=lambda target: -int(least[target].sum()))
        left = self._entries_per_core - self._resets[name]
        for target in others:
            left = left - least[target]
        apart_left = left.copy()
        for target in apart:
            apart_left -= least[target]
        most = np.zeros_like(left)
        for target in apart:
            # neurons in different channels send to different targets, unless blocks of channels straddle the border
            room = np.where(straddles, apart_left + least[target], left)
            taken = made.add(needs[target], room, later[target].tiles_from_here / self._sources[target])
            made.entries_for[target] = taken if others else np.where(straddles, taken, room)
            apart_left = apart_left + least[target] - taken
            most = np.where(straddles, most + taken, np.maximum(most, taken))
        left = left - most
        for target in others:
            room = left + least[target]
            taken = made.add(needs[target], room, later[target].tiles_from_here / self._sources[target])
            # the last target may take all that is left
            made.entries_for[target] = room if target == others[-1] else taken
            left = room - taken
        return made

    def _targets(self, name: str) -> tuple[list[str], list[str], list[int]]:
        """Targets that read channels apart from each other, other targets, and where the former channels begin."""
        ranges: dict[str, list[tuple[int, int]]] = {}
        for projection in self._network.outgoing(name):
            ranges.setdefault(projection.target, []).append(projection.connectivity.source_channels)
        spans = {target: (min(start for start, _ in of), max(stop for _, stop in of)) for target, of in ranges.items()}
        apart: list[str] = []
        for target in sorted(spans, key=lambda target: spans[target][0] - spans[target][1]):
            start, stop = spans[target]
            if all(stop <= spans[other][0] or spans[other][1] <= start for other in apart):
                apart.append(target)
        if len(apart) < 2:
            return [], list(spans), []
        return apart, [target for target in spans if target not in apart], [spans[target][0] for target in apart]

    def _entries(self, source: str, target: str, places: range | list[int]) -> IntArray:
        """Most target tiles that the neurons of a source tile reach, summed: (source tilings, target tilings)."""
        sources = [self._tilings[source][place] for place in places]
        total = np.zeros((len(sources), len(self._tilings[target])), dtype=np.int64)
        for projection in self._network.outgoing(source):
            if projection.target != target:
                continue
            reached = np.ones_like(total)
            for axis in range(3):
                table = self._reached_along(projection.name, axis, source, target)
                rows = [_place(one, axis) for one in sources]
                columns = [_place(one, axis) for one in self._tilings[target]]
                reached *= table[np.ix_(rows, columns)]
            total += reached
        return total

    def _reached_along(self, projection: str, axis: int, source: str, target: str) -> IntArray:
        """Most target intervals that a source interval reaches, summed over it, by the sizes of both."""
        if (projection, axis) not in self._reached:
            reach = self._reaches[projection]
            of_axis = (reach.channels, reach.rows, reach.columns)[axis]
            whole = self._network.population(source).shape[axis]
            sizes, target_sizes = tile_sizes(whole), tile_sizes(self._network.population(target).shape[axis])
            table = np.zeros((len(sizes), len(target_sizes)), dtype=np.int64)
            for column, target_size in enumerate(target_sizes):
                intervals = of_axis.incidence(target_size).sum(axis=0, dtype=np.int64)
                for row, size in enumerate(sizes):
                    table[row, column] = np.add.reduceat(intervals, [start for start, _ in cut(whole, size)]).max()
            self._reached[projection, axis] = table
        return self._reached[projection, axis]


def _place(tiling: Tiling, axis: int) -> int:
    """Index of the size of a tiling along an axis in `tile_sizes`."""
    return tile_sizes(tiling.shape[axis]).index(tiling.size[axis])


def legal_tilings(tiler: PopulationTiler) -> list[Tiling]:
    """Those that fit cores whatever they send; of equally many tiles, that of fewest input axons first."""
    return [tiling for tiling in tiler.by_count() if tiler.fits(tiling)]


def few_enough(network: ChipNetwork) -> bool:
    """Whether no population has more tilings than are compared."""
    return all(
        prod(len(tile_sizes(size)) for size in population.shape) <= MOST_TILINGS for population in network.populations
    )
