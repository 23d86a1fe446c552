"""Optimised placements are legal, never worse than the order of the network, and the same for the same seed."""

from dataclasses import replace
from itertools import pairwise, permutations

import mapping_networks as networks
import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from mapping_strategies import (
    LOIHI,
    changed_profile,
    limited,
    random_networks,
    small_chips_of_any_kind,
    without,
)
from route_oracle import loads_of, messages_of, routers

from mapping.anneal_hops import anneal_hops
from mapping.annealing import anneal
from mapping.congestion_annealing import anneal_loads, directed_rows, fill
from mapping.core_traffic import CoreTraffic, core_traffic
from mapping.hilbert import hilbert_curve
from mapping.hop_bounds import crowding_bound, gilmore_lawler_bound, hop_cost_bound, nearest_costs, ring_bound
from mapping.hop_costs import hop_costs
from mapping.mesh_slots import near_slots
from mapping.optimise_placement import optimise_placement, with_slots
from mapping.partition import partition
from mapping.place import place
from mapping.placement import CoreAddress, Placement
from mapping.placement_json import placement_to_json
from mapping.placement_options import EFFORTS, MOVES_PER_CORE, OBJECTIVES, PlacementOptions
from mapping.placement_problem import current_slots, placement_problem
from mapping.placement_starts import LARGEST_DENSE, constructive_starts, spectral_coordinates
from mapping.route_metrics import route_metrics
from mapping.verify import verify
from mapping.violation import DoesNotFitError

SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def placed_networks(draw):
    """A legal placement of a random network on a small chip, with random spikes of each tile."""
    network, profile = draw(random_networks()), draw(small_chips_of_any_kind())
    if draw(st.booleans()):
        profile = without(profile, "output_axons") if profile.core_limits.output_axon_entries is None else profile
    try:
        placement = place(partition(network, profile), profile)
    except DoesNotFitError:
        placement = place(partition(network, LOIHI), LOIHI)
        profile = LOIHI
    count = sum(len(core.tiles) for core in placement.cores)
    spikes = draw(st.lists(st.integers(0, 100), min_size=count, max_size=count))
    return network, profile, placement, spikes


def traffic_of(network, placement, spikes=None):
    return core_traffic(network, [core.tiles for core in placement.cores], spikes)


def value(network, placement, profile, spikes, objective):
    """What an objective minimises, from the messages of every neuron."""
    tiles = [tile for core in placement.cores for tile in core.tiles]
    rates = {tile: count / tile.neuron_count for tile, count in zip(tiles, spikes, strict=True)}
    loads = loads_of(messages_of(network, placement, lambda _, tile: rates[tile]), routers(placement, profile))
    if objective == "congestion":
        return max(loads.values(), default=0)
    along_x, along_y = hop_costs(profile, objective)
    return sum(load * (along_x if start[1] == stop[1] else along_y) for (start, stop), load in loads.items())


@settings(SETTINGS, max_examples=40)
@given(placed_networks(), st.sampled_from(OBJECTIVES), st.integers(-(2**70), 2**70))
def test_optimised_placements_are_legal_no_worse_and_reproducible(case, objective, seed):
    network, profile, placement, spikes = case
    options = PlacementOptions(objective, "low", seed)
    traffic = traffic_of(network, placement, spikes)
    optimised = optimise_placement(placement, traffic, profile, options)
    assert verify(network, optimised, profile) == verify(network, placement, profile) == []
    assert [core.tiles for core in optimised.cores] == [core.tiles for core in placement.cores]
    before = value(network, placement, profile, spikes, objective)
    after = value(network, optimised, profile, spikes, objective)
    event("better" if after < before else "as good")
    assert after <= before * (1 + 1e-6)
    again = optimise_placement(placement, traffic, profile, options)
    assert placement_to_json(again) == placement_to_json(optimised)


def test_no_effort_changes_nothing():
    network = networks.resnet20(width=4, blocks=1, size=8)
    placement = place(partition(network, CHIP), CHIP)
    traffic = traffic_of(network, placement)
    assert optimise_placement(placement, traffic, CHIP, PlacementOptions(effort="none")) is placement
    silent = replace(traffic, messages=np.zeros_like(traffic.messages))
    assert optimise_placement(placement, silent, CHIP, PlacementOptions()) is placement


CHIP = limited(compartments=64)


ADDRESSED = place(partition(networks.conv_pair((1, 1, 1), (1, 1, 1)), LOIHI), LOIHI)
SMALL_MESHES = [(1, 1, 4, 1), (1, 7, 1, 1), (1, 3, 2, 1), (1, 2, 1, 3), (2, 3, 1, 1), (2, 1, 1, 3), (3, 1, 2, 1)]
"""Chips, columns, rows and cores of a router: at most 7 cores, which is few enough to try all placements."""


@st.composite
def problems(draw):
    """A placement problem on a few cores of one to three chips, with any traffic; and its placement."""
    sizes = draw(st.sampled_from(SMALL_MESHES))
    profile = changed_profile(
        LOIHI, mesh__routers_x=sizes[1], mesh__routers_y=sizes[2], mesh__cores_per_router=sizes[3]
    )
    if draw(st.booleans()):
        profile = without(changed_profile(profile, core_limits__output_axon_entries=None), "output_axons")
    used = draw(st.integers(1, int(np.prod(sizes))))
    numbers = draw(st.permutations(range(int(np.prod(sizes)))))[:used]
    addresses = [CoreAddress(*map(int, np.unravel_index(number, sizes))) for number in numbers]
    records = tuple(replace(ADDRESSED.cores[0], address=address, targets=()) for address in addresses)
    pairs = sorted(draw(st.sets(st.tuples(st.integers(0, used - 1), st.integers(0, used - 1)), max_size=20)))
    messages = draw(st.lists(st.integers(0, 50), min_size=len(pairs), max_size=len(pairs)))
    source, target = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    traffic = CoreTraffic(used, source, target, np.array(messages, dtype=np.float64))
    costs = draw(st.sampled_from([(1, 1), (3, 4), (2, 1)]))
    return placement_problem(Placement(records), traffic, profile, costs), Placement(records)


def all_costs(problem):
    """Costs of all placements that keep every core in its group, from every message by itself."""
    slots, groups = problem.slots, np.searchsorted(problem.slots.starts, np.arange(len(problem.slots.x)), "right") - 1
    found = []
    for arrangement in permutations(range(len(slots.x)), len(problem.group_of)):
        if all(groups[slot] == group for slot, group in zip(arrangement, problem.group_of, strict=True)):
            at = np.array(arrangement)
            source, target = at[problem.traffic.source], at[problem.traffic.target]
            dx, dy = np.abs(slots.x[source] - slots.x[target]), np.abs(slots.y[source] - slots.y[target])
            ways = dx * problem.hop_costs[0] + dy * problem.hop_costs[1]
            found.append(float(problem.traffic.messages @ ways))
    return found


@settings(SETTINGS, max_examples=40)
@given(problems())
def test_bounds_are_bounds_and_annealing_finds_the_best_of_small_cases(case):
    problem, placement = case
    best = min(all_costs(problem))
    allowed = best * (1 + 1e-6) + 1e-6
    assert ring_bound(problem) <= allowed
    assert gilmore_lawler_bound(problem) <= allowed
    assert crowding_bound(problem) <= allowed
    assert hop_cost_bound(problem) <= allowed
    start = current_slots(problem, placement)
    found = problem.total_cost(anneal_hops(problem, start, PlacementOptions(effort="normal")))
    event("best" if found <= allowed else "not the best")
    assert best <= found * (1 + 1e-6) + 1e-6
    assert found <= problem.total_cost(start)


def test_annealing_finds_the_best_placement_of_a_chain():
    """Seven cores in a ring on a row of seven: the best wiring has 12 hops, whatever it starts from."""
    profile = changed_profile(LOIHI, mesh__routers_x=7, mesh__routers_y=1, mesh__cores_per_router=1)
    addresses = [CoreAddress(0, x, 0, 0) for x in (0, 4, 1, 5, 2, 6, 3)]
    records = tuple(replace(ADDRESSED.cores[0], address=address, targets=()) for address in addresses)
    ring = np.arange(7)
    traffic = CoreTraffic(7, ring, np.roll(ring, -1), np.ones(7))
    problem = placement_problem(Placement(records), traffic, profile)
    start = current_slots(problem, Placement(records))
    assert problem.total_cost(start) == pytest.approx(24)
    assert min(all_costs(problem)) == 12
    for seed in range(5):
        assert problem.total_cost(anneal_hops(problem, start, PlacementOptions(seed=seed))) == pytest.approx(12)


@settings(SETTINGS, max_examples=60)
@given(problems(), st.integers(0, 2**31), st.sampled_from([0.0, 1e7, 1e9, 1e12]))
def test_cost_carried_along_equals_cost_counted_anew(case, seed, temperature):
    problem, placement = case
    slots = problem.slots
    slot_of = current_slots(problem, placement)
    core_at, before = problem.core_at(slot_of), whole_cost(problem, slot_of)
    rows = problem.first, problem.other.astype(np.int32), problem.weight
    near = near_slots(slots, 4)
    routers = slots.x.astype(np.int32), slots.y.astype(np.int32)
    arrays = (slot_of, core_at, problem.group_of, slots.starts, *routers, near)
    change = anneal(*rows, *arrays, *problem.hop_costs, temperature, 500, seed)
    assert change == whole_cost(problem, slot_of) - before
    assert_consistent(problem, slot_of, core_at)


def whole_cost(problem, slot_of):
    """Cost in whole units, message by message."""
    source, target = slot_of[problem.traffic.source], slot_of[problem.traffic.target]
    slots, (along_x, along_y) = problem.slots, problem.hop_costs
    return sum(
        units * (abs(int(slots.x[one] - slots.x[other])) * along_x + abs(int(slots.y[one] - slots.y[other])) * along_y)
        for units, one, other in zip(problem.units.tolist(), source, target, strict=True)
    )


def assert_consistent(problem, slot_of, core_at):
    assert core_at[slot_of].tolist() == list(range(len(slot_of)))
    assert (core_at >= 0).sum() == len(slot_of)
    assert (problem.slots.starts[problem.group_of] <= slot_of).all()
    assert (slot_of < problem.slots.starts[problem.group_of + 1]).all()


@settings(SETTINGS, max_examples=40)
@given(problems(), st.integers(0, 2**31), st.sampled_from([0.0, 0.1, 100.0]))
def test_loads_carried_along_equal_loads_counted_anew(case, seed, temperature):
    problem, placement = case
    slots = problem.slots
    rows = directed_rows(problem)
    slot_of = current_slots(problem, placement)
    core_at, loads = problem.core_at(slot_of), np.zeros((4, slots.height, slots.width))
    fill(*rows[:3], slot_of, slots.x, slots.y, loads)
    scale = loads.max() or 1.0
    before = ((loads / scale) ** 4).sum()
    arrays = (slot_of, core_at, problem.group_of, slots.starts, slots.x, slots.y, near_slots(slots, 4))
    change = anneal_loads(*rows, *arrays, loads, scale, temperature, 300, seed)
    assert_consistent(problem, slot_of, core_at)
    again = np.zeros_like(loads)
    fill(*rows[:3], slot_of, slots.x, slots.y, again)
    assert (again == loads).all()
    assert change == pytest.approx(((loads / scale) ** 4).sum() - before, abs=1e-9)
    walked = loads_of(
        dict(zip(zip(*(part.tolist() for part in rows_of(problem)), strict=True), problem.units.tolist(), strict=True)),
        list(zip(slots.x[slot_of].tolist(), slots.y[slot_of].tolist(), strict=True)),
    )
    assert loads.sum() == sum(walked.values())
    assert loads.max() == max(walked.values(), default=0)


def rows_of(problem):
    return problem.traffic.source, problem.traffic.target


@settings(SETTINGS, max_examples=30)
@given(placed_networks())
def test_starts_give_every_core_a_slot_of_its_group(case):
    network, profile, placement, spikes = case
    problem = placement_problem(placement, traffic_of(network, placement, spikes), profile)
    tiles = [core.tiles for core in placement.cores]
    starts = constructive_starts(problem, tiles)
    assert {"snake", "hilbert", "bands"} <= set(starts) <= {"snake", "hilbert", "bands", "spectral"}
    for slot_of in starts.values():
        assert_consistent(problem, slot_of, problem.core_at(slot_of))
        moved = with_slots(placement, problem, slot_of)
        assert verify(network, moved, profile) == []


@pytest.mark.parametrize("width", [1, 2, 3, 4, 7, 8, 12, 24])
@pytest.mark.parametrize("height", [1, 2, 4, 5, 8])
def test_hilbert_curve_visits_every_point_by_single_steps(width, height):
    points = list(hilbert_curve(width, height))
    assert sorted(points) == [(x, y) for x in range(width) for y in range(height)]
    steps = [max(abs(x - a), abs(y - b)) for (x, y), (a, b) in pairwise(points)]
    assert set(steps) <= {1}


def test_hilbert_curve_keeps_neighbours_close():
    """Points 16 steps apart on 16 x 16 lie about 4 routers apart on the curve, 16 along rows."""
    points = np.array(list(hilbert_curve(16, 16)))
    assert np.abs(points[16:] - points[:-16]).sum(axis=1).mean() < 6


@settings(SETTINGS, max_examples=40)
@given(problems(), st.integers(1, 30))
def test_nearest_costs_are_those_of_a_large_mesh(case, count):
    problem, _ = case
    beside = max(np.unique(problem.slots.y * problem.slots.width + problem.slots.x, return_counts=True)[1])
    around = range(-35, 36)
    along_x, along_y = problem.hop_costs
    costs = sorted(abs(x) * along_x + abs(y) * along_y for x in around for y in around for _ in range(beside))
    assert nearest_costs(count, problem).tolist() == costs[1 : count + 1]


@pytest.mark.parametrize("count", [20, LARGEST_DENSE + 1])
def test_spectral_coordinates_order_a_path(count):
    """The Fiedler vector of a path is monotonic along it; of a long one the iteration finds the trend."""
    order = np.random.default_rng(0).permutation(count)
    traffic = CoreTraffic(count, order[:-1], order[1:], np.ones(count - 1))
    problem = placement_problem(Placement(ADDRESSED.cores[:1] * count), traffic, LOIHI)
    first, _ = spectral_coordinates(problem)
    steps = np.diff(first[order])
    steps *= np.sign(steps.sum())
    assert (steps > 0).mean() > (0.99 if count < LARGEST_DENSE else 0.7)
    again, _ = spectral_coordinates(problem)
    assert (again == first).all()


def test_better_than_the_order_of_the_network_on_a_residual_network():
    network = networks.resnet20(width=8, blocks=1, size=16)
    placement = place(partition(network, CHIP), CHIP)
    traffic = traffic_of(network, placement)
    before = route_metrics(network, placement, CHIP)
    hops = route_metrics(network, optimise_placement(placement, traffic, CHIP, PlacementOptions()), CHIP)
    congestion = optimise_placement(placement, traffic, CHIP, PlacementOptions("congestion", "low"))
    assert hops.total_hops < 0.6 * before.total_hops
    assert route_metrics(network, congestion, CHIP).max_link_load < 0.6 * before.max_link_load


def test_chips_whose_cores_must_stay_are_exchanged_as_a_whole():
    """Dozens of chips of four cores, where a target on another chip takes more output axon entries."""
    chip = changed_profile(CHIP, mesh__routers_x=2, mesh__routers_y=2, mesh__cores_per_router=1)
    network = networks.resnet20(width=8, blocks=1, size=16)
    placement = place(partition(network, chip), chip)
    optimised = optimise_placement(placement, traffic_of(network, placement), chip, PlacementOptions())
    assert verify(network, optimised, chip) == []
    pairs = {(one.address.chip, two.address.chip) for one, two in zip(placement.cores, optimised.cores, strict=True)}
    assert placement.chip_count == optimised.chip_count == len(pairs) > 20  # each chip became one chip
    rows = {core.address.chip // chip.mesh.chip_columns.value for core in optimised.cores}
    assert len(rows) > 4
    before, after = (route_metrics(network, one, chip).total_hops for one in (placement, optimised))
    assert after < 0.5 * before


def test_effort_is_the_number_of_moves():
    assert [MOVES_PER_CORE[effort] for effort in EFFORTS] == sorted(MOVES_PER_CORE.values())
