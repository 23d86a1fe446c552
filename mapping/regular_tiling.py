"""Populations cut into boxes of one size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from mapping.tiles import Interval, Tile

Size = tuple[int, int, int]


@dataclass(frozen=True)
class Tiling:
    """A population cut into boxes of one size; boxes at the far ends may be smaller.

    Attributes
    ----------
    population : str
    shape : (int, int, int)
        Channels, rows and columns of the population.
    size : (int, int, int)
        Channels, rows and columns of a box.
    """

    population: str
    shape: Size
    size: Size

    @property
    def grid(self) -> Size:
        """Number of boxes along channels, rows and columns."""
        channels, rows, columns = (-(-whole // part) for whole, part in zip(self.shape, self.size, strict=True))
        return channels, rows, columns

    @property
    def count(self) -> int:
        """Number of boxes."""
        channels, rows, columns = self.grid
        return channels * rows * columns

    def intervals(self, axis: int) -> list[Interval]:
        """Intervals along channels (0), rows (1) or columns (2)."""
        return cut(self.shape[axis], self.size[axis])

    def tiles(self) -> Iterator[Tile]:
        """The boxes; channels vary fastest, then columns, then rows."""
        for rows, columns, channels in product(self.intervals(1), self.intervals(2), self.intervals(0)):
            yield Tile(self.population, channels, rows, columns)


def cut(whole: int, part: int) -> list[Interval]:
    """Intervals of length `part` that cover ``0:whole``; the last may be shorter."""
    return [(start, min(start + part, whole)) for start in range(0, whole, part)]


def tile_sizes(whole: int) -> list[int]:
    """All sizes that cutting `whole` evenly into 1, 2, ... parts gives, without repetition."""
    return sorted({-(-whole // parts) for parts in range(1, whole + 1)})
