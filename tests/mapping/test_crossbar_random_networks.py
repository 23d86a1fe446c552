"""Random networks on random crossbars: everything in the program is found again by listing every synapse."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import crossbar_oracle as oracle
import crossbar_strategies as strategies
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from mapping.crossbar_bounds import crossbar_core_bound
from mapping.crossbar_mapping import crossbar_traffic, map_crossbars, relayed
from mapping.crossbar_program import TO_HOST
from mapping.crossbar_schedule import scheduled
from mapping.network import build_graph
from mapping.placement_options import PlacementOptions
from mapping.violation import DoesNotFitError
from nmdeploy.simulator import simulate

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def fits(network, profile):
    return max(oracle.single_neuron_axons(network).values()) <= profile.crossbar.axons.value and all(
        len(projection.axon_types) <= profile.crossbar.neurons.value for projection in network.projections
    )


@st.composite
def mapped(draw):
    network, profile = draw(strategies.crossbar_networks()), draw(strategies.small_crossbars())
    assume(fits(network, profile))
    found = map_crossbars(network, profile)
    event("relays" if len(found.network.populations) > len(network.populations) else "no relays")
    return network, profile, found


@SETTINGS
@given(mapped())
def test_program_is_what_synapses_ask_for(case):
    _, profile, found = case
    _, times = oracle.homes(found.network, found.placement)
    assert times == Counter(oracle.neurons(found.network))

    axons = oracle.listed_axons(found.network, found.program)
    expected = oracle.expected_axons(found.network, found.placement)
    assert set(axons.values()) == expected
    assert len(axons) == len(expected)

    check_columns(found, axons)
    check_limits(found, profile)


def check_columns(found, axons):
    home, _ = oracle.homes(found.network, found.placement)
    projections = {projection.name: projection for projection in found.network.projections}
    aimed, driven, to_host = Counter(), Counter(), Counter()
    for core, _, population, neuron, target, axon, delay in oracle.listed_columns(found.network, found.program):
        assert home[population, neuron] == core
        if target == TO_HOST:
            to_host[population, neuron] += 1
            continue
        _, name, source, _ = axons[target, axon]
        assert (projections[name].source, source) == (population, neuron)
        assert delay == 1 + projections[name].delay
        aimed[target, axon] += 1
        driven[population, neuron] += 1
    from_chip = {
        place
        for place, (_, name, _, _) in axons.items()
        if not found.network.population(projections[name].source).on_host
    }
    assert aimed == Counter(from_chip)
    read = oracle.read_by_host(found.network)
    assert to_host == Counter(
        neuron for neuron in oracle.neurons(found.network) if neuron in read or not driven[neuron]
    )


def check_limits(found, profile):
    columns, axons = found.program.columns, found.program.axons
    for number, core in enumerate(found.placement.cores):
        rows, lines = np.flatnonzero(axons.core == number), np.flatnonzero(columns.core == number)
        assert core.demands.axons == len(rows) <= profile.crossbar.axons.value
        assert core.demands.neurons == len(lines) <= profile.crossbar.neurons.value
        assert axons.axon[rows].tolist() == list(range(len(rows)))
        assert columns.column[lines].tolist() == list(range(len(lines)))
        reached = {int(target) for target in columns.target_core[lines] if target != TO_HOST}
        assert core.targets == tuple(sorted(found.placement.cores[target].address for target in reached))
    assert len({core.address for core in found.placement.cores}) == len(found.placement.cores)


@SETTINGS
@given(mapped())
def test_delays_balance_and_can_be_held(case):
    _, profile, found = case
    for projection in found.network.projections:
        source, target = (found.network.population(name) for name in (projection.source, projection.target))
        assert target.start_step == source.start_step + 1 + projection.delay
        assert projection.delay >= 0
        if not source.on_host:
            assert 1 + projection.delay <= profile.number_formats.delay_max.value
    assert min(population.start_step for population in found.network.populations) == 0


@SETTINGS
@given(mapped())
def test_relays_leave_every_spike_where_it_was(case):
    network, _, found = case
    before = earliest(network)
    samples = strategies.samples(network)
    expected = simulate(before, samples, record_spike_trains=True, engine="numpy")
    seen = simulate(found.network, samples, record_spike_trains=True, engine="numpy")
    for population in network.populations:
        assert np.array_equal(seen.spike_trains[population.name], expected.spike_trains[population.name])
    assert np.array_equal(seen.potentials, expected.potentials)


def earliest(network):
    """The network with start steps by the longest path, worked out here."""
    starts = {}
    for population in network.populations:
        starts[population.name] = max((starts[one.source] + 1 for one in network.incoming(population.name)), default=0)
    populations = [replace(one, start_step=starts[one.name]) for one in network.populations]
    projections = [replace(one, delay=starts[one.target] - starts[one.source] - 1) for one in network.projections]
    return replace(network, graph=build_graph(populations, projections))


@SETTINGS
@given(mapped(), st.lists(st.integers(0, 50), min_size=7, max_size=7))
def test_traffic_counts_the_spikes_of_all_columns(case, numbers):
    network, _, found = case
    spikes = dict(zip((one.name for one in network.populations), map(float, numbers), strict=False))
    seen = crossbar_traffic(found.network, len(found.placement.cores), found.program, spikes)
    expected = Counter()
    for core, _, name, _, target, _, _ in oracle.listed_columns(found.network, found.program):
        while name not in spikes:  # a relay
            (name,) = (one.source for one in found.network.incoming(name))
        if target != TO_HOST:
            expected[core, target] += spikes[name] / network.population(name).neuron_count
    pairs = zip(seen.source.tolist(), seen.target.tolist(), strict=True)
    assert dict(zip(pairs, np.round(seen.messages, 6), strict=True)) == {
        pair: round(messages, 6) for pair, messages in expected.items()
    }


@SETTINGS
@given(mapped())
def test_bound_is_not_above_the_cores(case):
    network, profile, found = case
    assert 1 <= crossbar_core_bound(network, profile) <= len(found.placement.cores)


@SETTINGS
@given(strategies.crossbar_networks(), strategies.small_crossbars(least_axons=2, least_neurons=1))
def test_refusals_name_the_populations_that_fit_no_core(network, profile):
    needed = oracle.single_neuron_axons(network)
    too_many = {name: 0 for name, _ in needed}
    for (name, _), axons in needed.items():
        too_many[name] = max(too_many[name], axons)
    expected = {name: axons for name, axons in too_many.items() if axons > profile.crossbar.axons.value}
    try:
        map_crossbars(network, profile)
    except DoesNotFitError as error:
        found = {one.where.split()[1]: one.demand for one in error.violations if one.rule == "NMD801"}
        assert found == expected
        others = [one.rule for one in error.violations if one.rule != "NMD801"]
        assert set(others) <= {"NMD802"}
        if others:
            assert profile.crossbar.neurons.value < 3
        assert found or others
    else:
        assert not expected


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.crossbar_networks())
def test_optimised_placement_moves_cores_and_nothing_else(network):
    profile = strategies.crossbars(64, 16, side=3)
    assume(fits(network, profile))
    plain = map_crossbars(network, profile)
    moved = map_crossbars(network, profile, PlacementOptions(effort="low"))
    assert [core.tiles for core in moved.placement.cores] == [core.tiles for core in plain.placement.cores]
    check_limits(moved, profile)
    assert hops(moved, profile) <= hops(plain, profile)


def test_optimised_placement_shortens_ways_over_all_chips():
    network = strategies.networks.convolutions(3, (4, 6, 6), 2)
    profile = strategies.crossbars(64, 32, side=3)
    plain, moved = (map_crossbars(network, profile, options) for options in (None, PlacementOptions()))
    assert plain.placement.chip_count > 2
    assert hops(moved, profile) < 0.8 * hops(plain, profile)
    assert shared_chips(plain) != shared_chips(moved)


def shared_chips(found):
    """Which cores lie on one chip."""
    chips = defaultdict(set)
    for number, core in enumerate(found.placement.cores):
        chips[core.address.chip].add(number)
    return {frozenset(chip) for chip in chips.values()}


def hops(found, profile):
    """Hops of one spike of every column, over the grid of all chips."""
    places = []
    for core in found.placement.cores:
        row, column = divmod(core.address.chip, profile.mesh.chip_columns.value)
        places.append((column * 3 + core.address.x, row * 3 + core.address.y))
    columns = found.program.columns
    return sum(
        abs(places[source][0] - places[target][0]) + abs(places[source][1] - places[target][1])
        for source, target in zip(columns.core.tolist(), columns.target_core.tolist(), strict=True)
        if target != TO_HOST
    )


def test_a_network_on_its_own_start_steps_is_scheduled_again_alike():
    network = strategies.networks.convolutions(3, (4, 4, 4), 2)
    profile = strategies.crossbars(128, 32)
    once = relayed(network, profile).network
    twice = scheduled(once, profile)
    assert [one.start_step for one in once.populations] == [one.start_step for one in twice.populations]


def test_too_many_chips_are_refused():
    network = strategies.networks.convolutions(2, (4, 4, 4), 2)
    with pytest.raises(DoesNotFitError) as caught:
        map_crossbars(network, strategies.crossbars(64, 8, side=1, chips=2))
    (violation,) = caught.value.violations
    assert violation.rule == "NMD107"
    assert violation.demand > violation.capacity == 2
