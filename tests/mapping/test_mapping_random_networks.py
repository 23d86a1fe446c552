"""Whatever the mapper returns is legal, by verifier and by an oracle that lists every synapse."""

from dataclasses import asdict, replace

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from mapping_strategies import LOIHI, MODELS, random_networks, small_chips, small_chips_of_any_kind
from synapse_oracle import all_demands

from mapping.bounds import core_bounds, cores_lower_bound
from mapping.partition import partition
from mapping.place import Placement, place, placement_from_json, placement_to_json
from mapping.rules.evidence import Evidence
from mapping.tiles import LIMIT_NAMES
from mapping.verify import verify
from mapping.violation import DoesNotFitError

SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))


# Rules that say that the chip has no such neurons.
NOT_OFFERED = {"NMD311", "NMD312", "NMD404", "NMD408"}


def partition_or_reasons(network, profile):
    try:
        return partition(network, profile)
    except DoesNotFitError as error:
        return error.violations


@settings(SETTINGS, max_examples=100)
@given(random_networks(), small_chips())
def test_mapper_and_verifier_agree_with_the_oracle(network, profile):
    check_mapping(network, profile)


@settings(SETTINGS, max_examples=100)
@given(random_networks(MODELS), small_chips_of_any_kind())
def test_mapper_and_verifier_agree_with_the_oracle_on_chips_of_any_kind(network, profile):
    check_mapping(network, profile)


def check_mapping(network, profile):
    graph = partition_or_reasons(network, profile)
    if isinstance(graph, tuple):
        event("does not fit")
        assert graph
        assert all(item.demand > item.capacity for item in graph)
        return
    event(f"chips: {min(graph.chip_count, 3)}")
    placement = place(graph, profile)
    demands, targets = all_demands(network, placement, profile)
    assert [record.demands for record in placement.cores] == demands
    assert [record.targets for record in placement.cores] == targets
    assert Evidence(network, placement, profile).demands == demands
    assert verify(network, placement, profile) == []
    bounds = core_bounds(network, profile)
    assert cores_lower_bound(network, profile) == bounds.of_any_mapping
    assert bounds.of_any_mapping <= bounds.of_regular_tilings <= len(placement.cores)
    for name, bound in bounds.layers.items():
        assert bound <= sum(name in {tile.population for tile in core.tiles} for core in placement.cores)
    assert placement_from_json(placement_to_json(placement)) == placement


@settings(SETTINGS, max_examples=30)
@given(random_networks())
def test_small_networks_fit_the_whole_chip_and_mapping_is_deterministic(network):
    graph = partition(network, LOIHI)
    placement = place(graph, LOIHI)
    assert verify(network, placement, LOIHI) == []
    assert placement_to_json(place(partition(network, LOIHI), LOIHI)) == placement_to_json(placement)


@settings(SETTINGS, max_examples=60)
@given(
    random_networks(MODELS), small_chips() | small_chips_of_any_kind(), st.randoms(use_true_random=False)
)
def test_verifier_counts_cores_of_several_tiles_like_the_oracle(network, profile, random):
    graph = partition_or_reasons(network, profile)
    if isinstance(graph, tuple):
        return
    records = list(place(graph, profile).cores)
    random.shuffle(records)
    merged = []
    while records:
        taken = [records.pop() for _ in range(min(random.randint(1, 3), len(records)))]
        tiles = tuple(tile for record in taken for tile in record.tiles)
        merged.append(replace(taken[0], tiles=tiles))
    demands, targets = all_demands(network, Placement(tuple(merged)), profile)
    complete = tuple(
        replace(record, demands=of_core, targets=to)
        for record, of_core, to in zip(merged, demands, targets, strict=True)
    )
    rules = {violation.rule for violation in verify(network, Placement(complete), profile)}
    limits = {name: getattr(profile.core_limits, name) for name in LIMIT_NAMES}
    exceeded = {
        LIMIT_NAMES[name].code
        for of_core in demands
        for name, demand in asdict(of_core).items()
        if limits[name] is not None and demand > limits[name].value
    }
    assert rules - NOT_OFFERED == exceeded


@settings(SETTINGS, max_examples=30)
@given(random_networks(), small_chips())
def test_traffic_adds_up_to_output_entries(network, profile):
    graph = partition_or_reasons(network, profile)
    if isinstance(graph, tuple):
        return
    extra = profile.output_axons.entries_extra_off_chip.value
    for index, core in enumerate(graph.cores):
        entries = sum(
            graph.messages(index, target) * (1 + extra * (graph.cores[target].chip != core.chip))
            for target in graph.graph.successors(index)
        )
        resets = sum(
            tile.neuron_count for tile in core.tiles if network.population(tile.population).reset == "subtract"
        )
        assert entries + resets == core.demands.output_axon_entries
