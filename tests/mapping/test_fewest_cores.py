"""On tiny networks no regular tiling and packing takes fewer cores, and what is refused is impossible."""

from itertools import product
from math import ceil

import mapping_networks as networks
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from mapping_strategies import EVERYTHING, LOIHI, changed_profile, inputs, spiking
from synapse_oracle import core_demands, list_synapses, output_entries

from mapping.partition import partition
from mapping.place import Placement, place
from mapping.placement import CoreAddress, CoreRecord
from mapping.tiles import Tile
from mapping.verify import verify
from mapping.violation import DoesNotFitError

MOST_NEURONS = 10
SHAPES = [(1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, 1), (2, 2, 1), (1, 2, 2), (1, 1, 3), (5, 1, 1)]


@st.composite
def tiny_networks(draw):
    populations, projections = [], []
    for index in range(draw(st.integers(2, 3))):
        made = draw(spiking(f"p{index}", "if", index, False, draw(st.sampled_from(SHAPES))))
        populations.append(made)
        if index:
            projections += draw(inputs(populations))
    assume(sum(item.neuron_count for item in populations) <= MOST_NEURONS)
    return networks.network(populations, projections)


@st.composite
def tiny_chips(draw):
    """One chip of many cores, each with room for few neurons."""
    return changed_profile(
        draw(st.sampled_from([LOIHI, EVERYTHING])),
        core_limits__compartments=draw(st.integers(2, 9)),
        core_limits__input_axons=draw(st.integers(4, 24)),
        core_limits__output_axon_entries=draw(st.integers(3, 24)),
        core_limits__synapse_memory_words=draw(st.integers(6, 40)),
        core_limits__synapse_formats=draw(st.integers(2, 3)),
        core_limits__threshold_configurations=draw(st.integers(1, 3)),
    )


class BruteForce:
    """Every way to cut every population evenly along each axis and to deal these out, judged by listing synapses."""

    def __init__(self, network, profile):
        self.network, self.profile = network, profile
        self.synapses = {item.name: list_synapses(item) for item in network.projections}
        self.known = {}

    def fits(self, tiles):
        """Whether a core may hold these tiles, whatever they send."""
        if tiles not in self.known:
            demands = core_demands(tiles, self.network, self.profile, self.synapses)
            self.known[tiles] = all(self.limit(name) >= demand for name, demand in demands.items())
        return self.known[tiles]

    def limit(self, name):
        capacity = getattr(self.profile.core_limits, name)
        return float("inf") if capacity is None else capacity.value

    def exists(self, most_cores):
        """Whether a legal mapping to so many cores exists."""
        choices = [self.tilings(population) for population in self.network.populations]
        return any(self.deal(sum(choice, ()), [], most_cores) for choice in product(*choices))

    def tilings(self, population):
        found = []
        even = [sorted({ceil(size / parts) for parts in range(1, size + 1)}) for size in population.shape]
        for sizes in product(*even):
            axes = [
                [(start, min(start + size, whole)) for start in range(0, whole, size)]
                for whole, size in zip(population.shape, sizes, strict=True)
            ]
            tiles = tuple(Tile(population.name, *box) for box in product(*axes))
            if all(self.fits((tile,)) for tile in tiles):
                found.append(tiles)
        return list(dict.fromkeys(found))

    def deal(self, waiting, cores, most_cores):
        """Whether the waiting tiles can be added to these cores."""
        if not waiting:
            return self.entries_suffice(cores)
        first, *others = waiting
        for index, core in enumerate(cores):
            if self.fits((*core, first)) and self.deal(
                others, [*cores[:index], (*core, first), *cores[index + 1 :]], most_cores
            ):
                return True
        return len(cores) < most_cores and self.deal(others, [*cores, (first,)], most_cores)

    def entries_suffice(self, cores):
        records = tuple(CoreRecord(CoreAddress(0, 0, 0, i), tiles, (), None) for i, tiles in enumerate(cores))
        entries, _ = output_entries(Placement(records), self.network, self.profile, self.synapses)
        return max(entries) <= self.limit("output_axon_entries")


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
@given(tiny_networks(), tiny_chips())
def test_no_regular_tiling_and_packing_takes_fewer_cores(network, profile):
    brute_force = BruteForce(network, profile)
    try:
        graph = partition(network, profile)
    except DoesNotFitError:
        event("refused")
        assert not brute_force.exists(MOST_NEURONS)
        return
    count = len(graph.cores)
    event(f"cores: {min(count, 5)}")
    assert verify(network, place(graph, profile), profile) == []
    assert count == 1 or not brute_force.exists(count - 1)
