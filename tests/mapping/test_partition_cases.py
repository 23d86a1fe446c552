"""Known cases of partition, placement and bounds."""

from dataclasses import replace
from time import perf_counter

import mapping_networks as networks
import networkx as nx
import numpy as np
import pytest
from mapping_strategies import EVERYTHING, LOIHI, changed_profile, limited

from mapping.bounds import cores_lower_bound
from mapping.network import build_graph
from mapping.partition import partition
from mapping.place import place
from mapping.usable_cores import snake_address
from mapping.verify import verify
from mapping.violation import DoesNotFitError


def cores_of(graph, name):
    return [core for core in graph.cores if name in {tile.population for tile in core.tiles}]


def tiles_of(graph, name):
    return [tile for core in graph.cores for tile in core.tiles if tile.population == name]


@pytest.mark.parametrize(("reset", "bound"), [("zero", 32), ("subtract", 64)])
def test_worked_example_128x16x16(reset, bound):
    """Conv 128x16x16 to the same, 3x3, 8 bits: 128 cores with all limits, as computed for NxTF's rules."""
    shape = (128, 16, 16)
    network = networks.conv_pair(shape, shape, reset)
    graph = partition(network, LOIHI)
    tiles = tiles_of(graph, "second")
    assert len(tiles) == 128
    assert {tile.shape for tile in tiles} == {(32, 1, 8)}
    resets = 256 if reset == "subtract" else 0
    # the first population reads nothing, so input axons are the second's, and resets of both
    for core in cores_of(graph, "second"):
        of_second = [tile for tile in core.tiles if tile.population == "second"]
        if [tile.rows for tile in of_second] == [(8, 9)]:
            packed = sum(tile.neuron_count for tile in core.tiles if tile.population == "first")
            assert core.demands.input_axons == 128 * 3 * 9 + resets + (packed if resets else 0)
    alone = networks.network([network.population("second")], [])
    assert cores_lower_bound(alone, LOIHI) == bound


def test_worked_example_by_hand():
    """Words of a tile of 32 channels, 1 row and 8 columns at the map's left end, away from top and bottom.

    Its source columns 0 to 8 have four patterns of 2, 3, 2 and 1 target columns, each target column 32 channels that
    are all the tile has, so that columns join to runs of 64, 96, 64 and 32 synapses. Entries of 60 take 500 bits or 8
    words, so that these lists take 8+1, 8+5, 8+1 and 5 words: 36, times 3 row patterns and 128 channels. (The example
    in the notes that this follows has 14,208, 37 words in place of 36, and the same tile and number of cores.)
    """
    network = networks.conv_pair((128, 16, 16), (128, 16, 16), "zero")
    graph = partition(network, LOIHI)
    cores = cores_of(graph, "second")
    assert len(cores) == len(tiles_of(graph, "second"))
    assert max(core.demands.synapse_memory_words for core in cores) == 36 * 3 * 128 == 13824
    assert {core.demands.words_per_axon_list for core in cores} == {13}


def test_512_channels_are_refused_with_the_smallest_change():
    network = networks.conv_pair((512, 4, 4), (512, 4, 4), "zero")
    with pytest.raises(DoesNotFitError) as caught:
        partition(network, LOIHI)
    (violation,) = caught.value.violations
    assert (violation.rule, violation.demand, violation.capacity) == ("NMD202", 4608, 4096)
    assert violation.where == "population second"
    assert "at most 455 input channels, or 2 groups" in violation.remedy
    for source, groups in (((455, 4, 4), 1), ((512, 4, 4), 2)):
        fitting = networks.conv_pair(source, (512, 4, 4), "zero", groups=groups)
        assert partition(fitting, LOIHI).chip_count >= 1


def test_all_populations_that_do_not_fit_are_listed():
    shapes = [(512, 4, 4)] * 3 + [(8, 4, 4)]
    populations = [networks.population(f"p{i}", shape, "zero", i) for i, shape in enumerate(shapes)]
    projections = [
        networks.projection(f"c{i}", f"p{i}", f"p{i + 1}", networks.conv_connectivity(*shapes[i : i + 2]))
        for i in range(3)
    ]
    with pytest.raises(DoesNotFitError) as caught:
        partition(networks.network(populations, projections), LOIHI)
    assert [item.where for item in caught.value.violations] == [
        "population p1",
        "population p2",
        "population p3",
    ]


@pytest.mark.parametrize(
    ("profile", "rule"),
    [
        (limited(compartments=1), "NMD201"),
        (limited(input_axons=36), "NMD202"),
        (limited(output_axon_entries=4), "NMD203"),
        (limited(synapse_memory_words=36), "NMD204"),
        (changed_profile(LOIHI, synapse_lists__entry_prefix_bits=80, core_limits__words_per_axon_list=1), "NMD205"),
        (limited(synapse_formats=1), "NMD206"),
        (changed_profile(EVERYTHING, core_limits__memory_bytes=100), "NMD209"),
        (changed_profile(EVERYTHING, core_limits__synapse_row_bytes=36 * 16 - 1), "NMD210"),
        (changed_profile(EVERYTHING, core_limits__synapses_per_row=3), "NMD211"),
        (changed_profile(LOIHI, number_formats__delay_max=1), "NMD308"),
        (changed_profile(LOIHI, mesh__chips=1, mesh__routers_x=1, mesh__routers_y=1), "NMD107"),
    ],
)
def test_each_limit_is_refused_by_its_own_rule(profile, rule):
    shape = (4, 6, 6)
    populations = [networks.population("a", shape), networks.population("b", shape, start_step=3)]
    conv = networks.conv_connectivity(shape, shape)
    network = networks.network(populations, [networks.projection("ab", "a", "b", conv, delay=2)])
    if rule == "NMD211":
        # a neuron reads one of the map before upsampling by up to four taps
        upsampled = networks.projection("ab", "a", "b", networks.upsampled_conv(shape, shape, 4), delay=2)
        network = networks.network(populations, [upsampled])
    if rule == "NMD107":
        network = networks.conv_pair((16, 32, 32), (16, 32, 32))
    with pytest.raises(DoesNotFitError) as caught:
        partition(network, profile)
    assert rule in {item.rule for item in caught.value.violations}
    assert all(item.demand > item.capacity and item.remedy for item in caught.value.violations)


def test_channel_tiles_respect_threshold_configurations():
    network = networks.conv_pair((16, 4, 4), (16, 4, 4))
    many = replace(network.population("second"), threshold=np.arange(100, 116) * 64)
    graph = build_graph([network.population("first"), many], network.projections)
    mapped = partition(replace(network, graph=graph), LOIHI)
    assert len(mapped.cores) == 3
    assert max(core.demands.threshold_configurations for core in mapped.cores) <= 7


def test_cycles_are_refused():
    network = networks.conv_pair((2, 4, 4), (2, 4, 4))
    back = networks.projection("back", "second", "first", networks.conv_connectivity((2, 4, 4), (2, 4, 4)))
    graph = build_graph(network.populations, [*network.projections, back])
    with pytest.raises(ValueError, match="topologically sorted"):
        partition(replace(network, graph=graph), LOIHI)


def test_resnet20_is_mapped_in_seconds():
    network = networks.resnet20()
    started = perf_counter()
    graph = partition(network, LOIHI)
    assert perf_counter() - started < 5
    placement = place(graph, LOIHI)
    assert verify(network, placement, LOIHI) == []
    assert graph.chip_count == placement.chip_count > 1
    assert cores_lower_bound(network, LOIHI) <= len(graph.cores)
    assert nx.is_directed_acyclic_graph(graph.graph)


def test_output_entries_off_chip_force_smaller_tiles():
    """With four cores a chip nearly all targets are on other chips, where each costs two entries."""
    network = networks.conv_pair((64, 32, 32), (64, 32, 32), "zero")
    one_chip = partition(network, LOIHI)
    many_chips = changed_profile(LOIHI, mesh__routers_x=2, mesh__routers_y=1, mesh__cores_per_router=2)
    graph = partition(network, many_chips)
    assert len(cores_of(graph, "first")) > len(cores_of(one_chip, "first"))
    assert verify(network, place(graph, many_chips), many_chips) == []


def test_snake():
    mesh = changed_profile(LOIHI, mesh__routers_x=3, mesh__routers_y=2, mesh__cores_per_router=2).mesh
    routers = [(address.x, address.y) for address in (snake_address(0, i, mesh) for i in range(0, 12, 2))]
    assert routers == [(0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0, 1)]
    assert [snake_address(0, i, mesh).slot for i in range(4)] == [0, 1, 0, 1]


def test_core_graph_of_another_profile_is_refused():
    network = networks.conv_pair((64, 32, 32), (64, 32, 32))
    with pytest.raises(ValueError, match="more cores than profile"):
        place(partition(network, LOIHI), changed_profile(LOIHI, mesh__routers_x=1))


def test_too_many_inputs_of_several_projections_name_the_channels_that_fit():
    shape = (200, 4, 4)
    first, second = networks.population("first", shape, "zero"), networks.population("second", shape, "zero", 1)
    third = networks.population("third", shape, "zero", 2)

    def summing(channels):
        wide = [replace(item, shape=(channels, 4, 4)) for item in (first, second)]
        populations = [networks.population(item.name, item.shape, "zero", item.start_step) for item in wide]
        parts = [
            networks.projection(item.name, item.name, "third", networks.conv_connectivity(item.shape, shape, kernel))
            for item, kernel in zip(populations, (5, 3), strict=True)
        ]
        return networks.network([*populations, third], parts)

    with pytest.raises(DoesNotFitError) as caught:
        partition(summing(512), limited(input_axons=4096))
    (violation,) = caught.value.violations
    # a corner of the 5 x 5 kernel on a map of 4 x 4 is never alone: 16 positions, and 9 of the 3 x 3 kernel
    assert violation.demand == 512 * (16 + 9)
    assert "each of the 2 projections into it at most 163 input channels" in violation.remedy
    assert partition(summing(163), LOIHI).chip_count >= 1


def test_a_folded_average_pooling_is_offered_neurons_of_its_own():
    shape = (512, 3, 3)
    populations = [networks.population("map", shape, "zero"), networks.population("logits", (10, 1, 1), "none", 1)]
    dense = networks.projection("fc", "map", "logits", networks.flatten_dense(shape, 10))
    with pytest.raises(DoesNotFitError) as caught:
        partition(networks.network(populations, [dense]), LOIHI)
    assert "ReLU" not in caught.value.violations[0].remedy
    pooled = replace(dense, weights=np.broadcast_to(dense.weights[:, :, :1, :1], dense.weights.shape).copy())
    with pytest.raises(DoesNotFitError) as caught:
        partition(networks.network(populations, [pooled]), LOIHI)
    assert "or a ReLU after the average pooling" in caught.value.violations[0].remedy
    pool = networks.population("pool", (512, 1, 1), "zero", 1)
    each = networks.conv_connectivity(shape, pool.shape, 3, padding=0, groups=512)
    logits = networks.population("logits", (10, 1, 1), "none", 2)
    parts = [
        networks.projection("average", "map", "pool", each),
        networks.projection("fc", "pool", "logits", networks.flatten_dense(pool.shape, 10)),
    ]
    assert partition(networks.network([populations[0], pool, logits], parts), LOIHI).chip_count == 1
