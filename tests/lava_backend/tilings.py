"""Random ways to lay a network out on cores: boxes of any size, several on one core."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.tiles import Demands, Tile

CORES_MAX = 5


@st.composite
def placements(draw, network):
    """Every population cut along channels, rows and columns, and its tiles dealt out to a few cores."""
    tiles = []
    for population in network.populations:
        axes = [draw(_intervals(size)) for size in population.shape]
        tiles += [Tile(population.name, *box) for box in itertools.product(*axes)]
    cores = [[] for _ in range(draw(st.integers(1, CORES_MAX)))]
    for tile in draw(st.permutations(tiles)):
        draw(st.sampled_from(cores)).append(tile)
    return placed([core for core in cores if core])


@st.composite
def _intervals(draw, size):
    cuts = draw(st.sets(st.integers(1, size - 1), max_size=2)) if size > 1 else set()
    return list(itertools.pairwise([0, *sorted(cuts), size]))


def placed(cores):
    """A placement of lists of tiles; what it takes of a chip and its routes are left open."""
    demands = Demands(*[0] * 11)
    return Placement(
        tuple(CoreRecord(CoreAddress(0, x, 0, 0), tuple(tiles), (), demands) for x, tiles in enumerate(cores))
    )
