"""Tilings chosen together: fewest tiles in chains, by brute force, and legal ones in any network."""

from itertools import product

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from mapping_strategies import random_networks, small_chips
from test_fewest_cores import BruteForce, tiny_chips, tiny_networks

from benchmarks.mapping_networks import narrowed_vgg16
from hw_profiles import load_profile
from mapping.layout import entries_per_target
from mapping.partition import Partitioner, partition
from mapping.place import place
from mapping.regular_tiling import Tiling
from mapping.tiling import IncomingProjection, OutgoingProjection, PopulationTiler
from mapping.verify import verify


def on_one_chip(network, profile):
    """The tilings chosen, with no target on another chip; None if none were found."""
    near, _ = entries_per_target(profile)
    entries = {population.name: near for population in network.populations}
    return Partitioner(network, profile).joint_tilings.fewest_tiles(entries)


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=400)
@given(tiny_networks(), tiny_chips())
def test_no_regular_tiling_of_a_chain_has_fewer_tiles(network, profile):
    names = [population.name for population in network.populations]
    assume(all(len(list(network.outgoing(name))) <= 1 for name in names))
    assume(all(len(list(network.incoming(name))) <= 1 for name in names))
    brute_force = BruteForce(network, profile)
    counts = [
        sum(map(len, choice))
        for choice in product(*[brute_force.tilings(population) for population in network.populations])
        if brute_force.entries_suffice([(tile,) for tiles in choice for tile in tiles])
    ]
    found = on_one_chip(network, profile)
    event("refused" if found is None else "found")
    if found is None:
        assert counts == []
        return
    assert sum(tiling.count for tiling in found.values()) == min(counts)
    assert brute_force.entries_suffice([(tile,) for tiling in found.values() for tile in tiling.tiles()])


@given(random_networks(), small_chips())
@settings(deadline=None, max_examples=200)
def test_tilings_of_any_network_fit_cores(network, profile):
    found = on_one_chip(network, profile)
    assume(found is not None)
    near, _ = entries_per_target(profile)
    reaches = {item.name: IncomingProjection(item, profile) for item in network.projections}
    for population in network.populations:
        assert isinstance(found[population.name], Tiling)
        tiler = PopulationTiler(
            population,
            [reaches[item.name] for item in network.incoming(population.name)],
            [
                OutgoingProjection(reaches[item.name].reach, found[item.target])
                for item in network.outgoing(population.name)
            ],
            near,
            profile,
        )
        assert tiler.fits(found[population.name])


@pytest.mark.parametrize(("target", "cores", "one_after_the_other"), [("loihi", 2117, 2314), ("loihi2", 1961, 2182)])
def test_vgg16_takes_fewer_cores_than_tiled_one_population_after_the_other(target, cores, one_after_the_other):
    """Golden numbers; the second is what the best of six objectives took before tilings were chosen together."""
    profile = load_profile(target)
    network = narrowed_vgg16(profile)
    placement = place(partition(network, profile), profile)
    assert verify(network, placement, profile) == []
    assert len(placement.cores) == cores < one_after_the_other
