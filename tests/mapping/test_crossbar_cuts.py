"""The cut that is found against all regular cuts, each counted tile by tile from synapses."""

from __future__ import annotations

from collections import Counter
from itertools import product

import crossbar_networks as networks
import crossbar_strategies as strategies
import mapping_strategies
import numpy as np
import synapse_oracle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapping.crossbar_cuts import Limits, PopulationCuts
from mapping.crossbar_reads import ProjectionReads
from mapping.regular_tiling import Tiling

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def populations(draw):
    """A population with the columns of its neurons, and one or two projections into it, from the host or not."""
    target = networks.population("target", draw(strategies.shapes()))
    projections = []
    for number in range(draw(st.integers(1, 2))):
        source = networks.population(f"source{number}", draw(strategies.shapes()))
        table = draw(mapping_strategies.connectivities(source.shape, target.shape))
        types = draw(st.sampled_from([(0,), (0, 1)]))
        projections.append((networks.projection(source, target, table, types), draw(st.booleans())))
    columns = np.random.default_rng(draw(st.integers(0, 99))).integers(1, 4, target.shape)
    return target, projections, columns


@SETTINGS
@given(populations(), st.integers(4, 60), st.integers(3, 30))
def test_all_cuts_that_fit_are_found_and_none_else(population, axons, neurons):
    target, projections, columns = population
    cuts = PopulationCuts(
        target,
        [ProjectionReads(one) for one, _ in projections],
        [on_chip for _, on_chip in projections],
        Limits(axons, neurons),
    )
    expected = {}
    for size in product(*(range(1, whole + 1) for whole in target.shape)):
        counted = cost(target, projections, columns, size, axons, neurons)
        if counted is not None:
            expected[size] = counted
    found = {cut.size: (round(cut.cores, 6), cut.driven) for cut in cuts.all(columns)}
    assert found == {size: (round(cores, 6), driven) for size, (cores, driven) in expected.items()}
    best = cuts.best(columns)
    assert (best is None) == (not expected)
    if best is not None:
        lowest = min(cores + driven / neurons for cores, driven in expected.values())
        assert abs(best.cores + best.driven / neurons - lowest) < 1e-5


def cost(target, projections, columns, size, axons, neurons):
    """Cores of the tiles, and axons that sources on the chip drive; None if a tile fits no core."""
    tiles = list(Tiling("target", target.shape, size).tiles())
    tile_of = np.empty(target.shape, dtype=int)
    for number, tile in enumerate(tiles):
        tile_of[slice(*tile.channels), slice(*tile.rows), slice(*tile.columns)] = number
    needed, driven = Counter(), 0
    for projection, on_chip in projections:
        synapses = synapse_oracle.list_synapses(projection)
        pairs = {(int(tile_of[place]), source) for source, place, _, _ in synapses}
        for tile, _ in pairs:
            needed[tile] += len(projection.axon_types)
        driven += on_chip * len(projection.axon_types) * len(pairs)
    taken = Counter()
    for place in np.ndindex(target.shape):
        taken[int(tile_of[place])] += int(columns[place])
    cores = 0.0
    for number in range(len(tiles)):
        together = min(neurons // taken[number], axons // needed[number] if needed[number] else neurons)
        if together == 0:
            return None
        cores += 1 / together
    return cores, driven
