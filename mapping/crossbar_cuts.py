"""Tile sizes of one population on crossbars, all of them enumerated, and what each costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_reads import ProjectionReads
from mapping.network import Population
from mapping.regular_tiling import Size

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Limits:
    """Rows and columns of a crossbar."""

    axons: int
    neurons: int

    @classmethod
    def of(cls, profile: CrossbarProfile) -> Limits:
        """Those of a chip."""
        return cls(profile.crossbar.axons.value, profile.crossbar.neurons.value)


@dataclass(frozen=True)
class Cut:
    """One way to cut a population.

    Attributes
    ----------
    size : (int, int, int)
        Channels, rows and columns of a tile.
    cores : float
        Cores of all tiles; of tiles of which several fit into a core, each counts as its part of one.
    driven : int
        Axons that sources on the chip drive, each of which takes a column there.
    """

    size: Size
    cores: float
    driven: int


@dataclass(frozen=True)
class _Size:
    size: Size
    axons: IntArray
    driven: int


class PopulationCuts:
    """All tile sizes of a population of which every tile finds enough axons in a core.

    Parameters
    ----------
    population : Population
    reads : sequence of ProjectionReads
        Of the projections into it.
    from_chip : sequence of bool
        Whether the source of each lies on the chip.
    limits : Limits
    """

    def __init__(
        self,
        population: Population,
        reads: Sequence[ProjectionReads],
        from_chip: Sequence[bool],
        limits: Limits,
    ) -> None:
        self._shape = population.shape
        self._reads = list(reads)
        self._from_chip = list(from_chip)
        self._limits = limits
        self._sizes = self._feasible()

    def all(self, columns: IntArray) -> list[Cut]:
        """Every cut that fits if the neurons have so many columns each; `columns` has the population's shape."""
        cuts = []
        summed = np.zeros([size + 1 for size in self._shape], dtype=np.int64)
        summed[1:, 1:, 1:] = columns.cumsum(axis=0).cumsum(axis=1).cumsum(axis=2)
        limits = self._limits
        for one in self._sizes:
            if one.axons.size * limits.neurons < summed[-1, -1, -1]:
                continue
            edges = [
                np.minimum(np.arange(blocks + 1) * size, whole)
                for blocks, size, whole in zip(one.axons.shape, one.size, self._shape, strict=True)
            ]
            of_tiles = np.diff(np.diff(np.diff(summed[np.ix_(*edges)], axis=0), axis=1), axis=2)
            if of_tiles.max() > limits.neurons:
                continue
            by_axons = np.where(one.axons > 0, limits.axons // np.maximum(one.axons, 1), limits.neurons)
            together = np.minimum(by_axons, limits.neurons // of_tiles)
            cuts.append(Cut(one.size, float((1 / together).sum()), one.driven))
        return cuts

    def best(self, columns: IntArray) -> Cut | None:
        """The cut of fewest cores, those of the columns that drive its axons included; None if none fits.

        Of several it is the one that takes fewer columns elsewhere, then that of the largest tiles.
        """
        return min(self.all(columns), key=self._rank, default=None)

    def _rank(self, cut: Cut) -> tuple[float, int, int, Size]:
        total = round(cut.cores + cut.driven / self._limits.neurons, 6)
        return total, cut.driven, -cut.size[0] * cut.size[1] * cut.size[2], cut.size

    def _feasible(self) -> list[_Size]:
        found = []
        for size in self._sizes_by_largest():
            grid = [-(-whole // part) for whole, part in zip(self._shape, size, strict=True)]
            axons = np.zeros(grid, dtype=np.int64)
            for reads in self._reads:
                axons += reads.axons(size)
            if axons.max() <= self._limits.axons:
                sources = zip(self._reads, self._from_chip, strict=True)
                driven = sum(reads.axons_in_all(size) for reads, on_chip in sources if on_chip)
                found.append(_Size(size, axons, driven))
        return found

    def _sizes_by_largest(self) -> Iterator[Size]:
        """Sizes for which no projection alone needs too many axons: its most are the product of its most by axis."""
        limits = self._limits
        lengths = [np.arange(1, min(whole, limits.neurons) + 1) for whole in self._shape]
        largest = [
            [np.array([reads.read(axis, int(length)).max() for length in lengths[axis]]) for axis in range(3)]
            for reads in self._reads
        ]
        for channels in lengths[0].tolist():
            fits = channels * np.multiply.outer(lengths[1], lengths[2]) <= limits.neurons
            for reads, most in zip(self._reads, largest, strict=True):
                per_channel = reads.axons_per_input * int(most[0][channels - 1])
                fits &= per_channel * np.multiply.outer(most[1], most[2]) <= limits.axons
            for rows, columns in np.argwhere(fits).tolist():
                yield channels, rows + 1, columns + 1
