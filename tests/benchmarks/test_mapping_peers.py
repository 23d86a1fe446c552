"""How nengo-loihi's cores are counted and judged; its splitter itself where its environment exists."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.mapping_peers import FOLDER, beyond_our_limits, cells, described, split_by_nengo_loihi
from benchmarks.peer_environment import INSTALLED
from hw_profiles import load_profile
from mapping.partition import partition
from mapping.tiles import Tile

ROOT = Path(__file__).parents[2]
LOIHI = load_profile("loihi")


def block(population, neurons, source_neurons, refusal=""):
    return {"population": population, "neurons": neurons, "source_neurons": source_neurons, "refusal": refusal}


@pytest.fixture
def subtracting(tiny):
    """A population that resets by subtraction: 2 compartments, and an input axon, for each neuron."""
    return next(one.name for one in tiny.network.populations if one.reset == "subtract")


@pytest.mark.parametrize(("neurons", "source_neurons", "count"), [(512, 3584, 0), (513, 0, 1), (512, 3585, 1)])
def test_cores_beyond_our_limits(tiny, subtracting, neurons, source_neurons, count):
    assert beyond_our_limits([block(subtracting, neurons, source_neurons)], tiny.network, LOIHI) == count


def test_refusals_are_counted_by_limit(tiny, subtracting):
    refused = [
        block(subtracting, 1, 1, "LoihiBlock(<Ensemble 'a'>[0:4:1]): Total synapse bits (1219968) exceeded max (8)"),
        block(subtracting, 1, 1, "LoihiBlock(<Ensemble 'a'>[4:8:1]): Total synapse bits (10) exceeded max (8)"),
        block(subtracting, 1, 1, "LoihiBlock(<Ensemble 'b'>): Output axons (5120) exceeded max (4096)"),
        block(subtracting, 1, 1),
    ]
    assert cells({"blocks": refused}, tiny.network, LOIHI) == ("4", "1 (output axons), 2 (total synapse bits)", "0")
    assert cells({"blocks": refused[3:]}, tiny.network, LOIHI) == ("1", "0", "0")
    assert cells({"error": "BuildError: no"}, tiny.network, LOIHI) == ("-", "BuildError: no", "-")


def test_the_description_holds_every_synapse(tiny):
    network = tiny.network
    tiles = {tile.population: tile for core in partition(network, LOIHI).cores for tile in core.tiles}
    case = json.loads(json.dumps(described(network, tiles)))
    assert [one["shape"] for one in case["populations"]] == [list(one.shape) for one in network.populations]
    for one, projection in zip(case["projections"], network.projections, strict=True):
        again = replace(
            projection.connectivity,
            rows=np.array(one["rows"]),
            columns=np.array(one["columns"]),
            source_channels=tuple(one["source_channels"]),
            target_channels=tuple(one["target_channels"]),
            groups=one["groups"],
        )
        assert again.synapse_count == projection.connectivity.synapse_count


@pytest.mark.slow
def test_every_neuron_lies_in_a_block_and_blocks_are_halved_until_none_is_refused(tiny):
    if not (ROOT / FOLDER / INSTALLED).exists():
        pytest.skip(f"no environment {FOLDER}; python -m benchmarks.mapping_peers DATA makes it")
    network = tiny.network
    case = described(network, {one.name: whole(one) for one in network.populations})
    ways = split_by_nengo_loihi(case, ROOT)
    for found in ways.values():
        for population in network.populations:
            of_population = [one for one in found["blocks"] if one["population"] == population.name]
            assert sum(one["neurons"] for one in of_population) == population.neuron_count
    refused = {way: sum(one["refusal"] != "" for one in found["blocks"]) for way, found in ways.items()}
    assert refused["our tiles"] > 0
    assert refused["our tiles, halved where refused"] == 0


def whole(population):
    """One tile, too large for a core of the larger populations."""
    return Tile(population.name, *((0, size) for size in population.shape))
