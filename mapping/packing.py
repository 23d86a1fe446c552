"""Put small tiles together into cores: multi-resource bin packing.

A core is filled greedily with the tile whose demands, weighed by how scarce each resource is over the whole network,
go best with what the core has left (the dot product heuristic of Panigrahy, Talwar, Uyeda and Wieder, "Heuristics for
vector bin packing", Microsoft Research 2011, filling one bin at a time). Tiles of equal demands are one kind, and a
core that was filled is repeated as long as its kinds last, so the time grows with the kinds and not with the tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.tile_loads import ADDED, SynapseFormat, TileLoad

COUNTED = {
    "format": "synapse_formats",
    "configuration": "compartment_configurations",
    "threshold": "threshold_configurations",
}
"""Limits of how many different ones a core may hold."""

ROWS_AT_ONCE = 256
"""Kinds that are compared with all others at once."""


@dataclass(frozen=True)
class Bins:
    """Capacities of a core as packing sees them.

    Attributes
    ----------
    added : dict of str to int
        Of `mapping.tile_loads.ADDED`, what tiles may take together; without the fixed bytes of a core.
    most : dict of str to int
        Most different ones of "format", "configuration" and "threshold", where they are limited.
    fixed_bytes : int
    """

    added: dict[str, int]
    most: dict[str, int]
    fixed_bytes: int

    @classmethod
    def of(cls, limits: Mapping[str, int], fixed_bytes: int) -> Bins:
        """Those of a chip with these limits of a core."""
        added = {name: limits[name] for name in ADDED if name in limits}
        if "memory_bytes" in added:
            added["memory_bytes"] -= fixed_bytes
        return cls(added, {what: limits[name] for what, name in COUNTED.items() if name in limits}, fixed_bytes)

    def vector(self, load: TileLoad) -> list[int]:
        """What a tile takes of each of `added`."""
        return [
            getattr(load.demands, name) - (self.fixed_bytes if name == "memory_bytes" else 0) for name in self.added
        ]

    def shares(self, load: TileLoad) -> frozenset[SynapseFormat]:
        """Formats, configurations and thresholds of a tile, as far as they are limited."""
        found = [
            *(("format", *item) for item in load.formats),
            *(("configuration", *item) for item in load.configurations),
            *(("threshold", threshold) for _, threshold in load.configurations),
        ]
        return frozenset(item for item in found if item[0] in self.most)

    def allow(self, shared: frozenset[SynapseFormat]) -> bool:
        """Whether a core may hold all of these formats, configurations and thresholds."""
        return all(sum(item[0] == what for item in shared) <= limit for what, limit in self.most.items())


def pack(loads: Sequence[TileLoad], bins: Bins) -> list[list[int]]:
    """Put tiles into few cores.

    Parameters
    ----------
    loads : sequence of TileLoad
        Each fits a core alone.
    bins : Bins

    Returns
    -------
    list of list of int
        For each core the numbers of its tiles, ascending; cores in order of their first tiles.
    """
    kinds: dict[TileLoad, list[int]] = {}
    for number, load in enumerate(loads):
        kinds.setdefault(load, []).append(number)
    packer = _Packer(list(kinds), [len(numbers) for numbers in kinds.values()], bins)
    waiting = [iter(numbers) for numbers in kinds.values()]
    cores = [
        sorted(next(waiting[kind]) for kind in pattern) for pattern, times in packer.patterns() for _ in range(times)
    ]
    return sorted(cores)


class _Packer:
    """Fills cores with kinds of tiles.

    Parameters
    ----------
    kinds : list of TileLoad
    counts : list of int
        Tiles of each kind.
    bins : Bins
    """

    def __init__(self, kinds: list[TileLoad], counts: list[int], bins: Bins) -> None:
        self._bins = bins
        self._left = np.array(counts, dtype=np.int64)
        self._room = np.array(list(bins.added.values()), dtype=np.int64)
        self._vectors = np.array([bins.vector(kind) for kind in kinds], dtype=np.int64).reshape(len(kinds), -1)
        self._shares = [bins.shares(kind) for kind in kinds]
        parts = self._vectors / np.maximum(self._room, 1)
        # a resource counts as much as all tiles together take of it
        self._parts = parts * (parts * self._left[:, None]).sum(axis=0)
        self._size: NDArray[np.float64] = self._parts.sum(axis=1)

    def patterns(self) -> Iterator[tuple[list[int], int]]:
        """Yield the kinds of a core's tiles, and how many such cores there are, until nothing is left."""
        alone = ~self._with_partner()
        for kind in np.flatnonzero(alone).tolist():
            yield [kind], int(self._left[kind])
            self._left[kind] = 0
        while self._left.any():
            pattern = self._fill()
            used = np.bincount(pattern, minlength=len(self._left))
            times = int((self._left[used > 0] // used[used > 0]).min())
            self._left -= used * times
            yield pattern, times

    def _with_partner(self) -> NDArray[np.bool_]:
        """Which kinds fit a core with some other tile."""
        found = np.zeros(len(self._left), dtype=np.bool_)
        for start in range(0, len(found), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            fits = (self._vectors[rows, None] + self._vectors[None] <= self._room).all(axis=2)
            numbers = np.arange(start, start + len(fits))
            fits[numbers - start, numbers] &= self._left[numbers] > 1
            found[rows] = fits.any(axis=1)
        return found

    def _fill(self) -> list[int]:
        """Kinds of the tiles of one core, the largest first."""
        left = self._left.copy()
        pattern = [int(np.where(left > 0, self._size, -1.0).argmax())]
        room, shared = self._room.copy(), frozenset[SynapseFormat]()
        while True:
            kind = pattern[-1]
            left[kind] -= 1
            room -= self._vectors[kind]
            shared |= self._shares[kind]
            fitting = np.flatnonzero((left > 0) & (self._vectors <= room).all(axis=1))
            scores = self._parts[fitting] @ (room / np.maximum(self._room, 1))
            ranked = fitting[np.argsort(-scores, kind="stable")].tolist()
            following = next((kind for kind in ranked if self._bins.allow(shared | self._shares[kind])), None)
            if following is None:
                return pattern
            pattern.append(following)
