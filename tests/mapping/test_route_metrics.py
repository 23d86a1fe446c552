"""Messages, hops and link loads equal those of spikes that walk every step of their way."""

from collections import Counter
from dataclasses import replace

import mapping_networks as networks
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mapping_strategies import LOIHI, MODELS, number, random_networks, small_chips_of_any_kind
from route_oracle import loads_of, messages_of, routers, walk

from mapping.core_traffic import core_traffic
from mapping.partition import partition
from mapping.place import place
from mapping.placement import CoreAddress, Placement
from mapping.route_metrics import route_metrics
from mapping.verify import verify
from mapping.violation import DoesNotFitError

SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def placements(draw):
    """A network, a chip, and its tiles on cores anywhere, several of them on one core."""
    network, profile = draw(random_networks(MODELS)), draw(small_chips_of_any_kind())
    try:
        placed = place(partition(network, profile), profile)
    except DoesNotFitError:
        profile = LOIHI
        placed = place(partition(network, profile), profile)
    tiles = draw(st.permutations([(tile, core.demands) for core in placed.cores for tile in core.tiles]))
    chips, mesh = draw(st.integers(1, 3)), profile.mesh
    sizes = (chips, mesh.routers_x.value, mesh.routers_y.value, mesh.cores_per_router.value)
    count = draw(st.integers(1, min(len(tiles), int(np.prod(sizes)))))
    numbers = draw(st.lists(st.integers(0, int(np.prod(sizes)) - 1), min_size=count, max_size=count, unique=True))
    addresses = [CoreAddress(*map(int, np.unravel_index(number, sizes))) for number in numbers]
    shares = [tiles[index::count] for index in range(count)]
    records = [
        replace(placed.cores[0], address=address, tiles=tuple(tile for tile, _ in share), targets=())
        for address, share in zip(addresses, shares, strict=True)
    ]
    return network, profile, Placement(tuple(records))


@settings(SETTINGS, max_examples=80)
@given(placements(), st.integers(0, 2**32))
def test_messages_hops_and_loads_equal_walks(case, seed):
    network, profile, placement = case
    tiles = [(index, tile) for index, record in enumerate(placement.cores) for tile in record.tiles]
    spikes = np.random.default_rng(seed).integers(0, 50, len(tiles))
    rates = {key: count / key[1].neuron_count for key, count in zip(tiles, spikes, strict=True)}
    messages = messages_of(network, placement, lambda core, tile: rates[core, tile])
    traffic = core_traffic(network, [record.tiles for record in placement.cores], spikes)
    pairs = zip(traffic.source.tolist(), traffic.target.tolist(), strict=True)
    assert dict(zip(pairs, traffic.messages, strict=True)) == pytest.approx(messages)
    loads = loads_of(messages, routers(placement, profile))
    metrics = route_metrics(network, placement, profile, spikes)
    assert metrics.messages == pytest.approx(sum(messages.values()))
    assert metrics.total_hops == pytest.approx(sum(loads.values()))
    assert metrics.max_link_load == pytest.approx(max(loads.values(), default=0))
    chips = [record.address.chip for record in placement.cores]
    crossing = sum(amount for (source, target), amount in messages.items() if chips[source] != chips[target])
    assert metrics.off_chip_messages == pytest.approx(crossing)
    links = metrics.link_loads
    for name, (right, down) in {"east": (1, 0), "west": (-1, 0), "south": (0, 1), "north": (0, -1)}.items():
        counted = {
            ((x + (right < 0), y + (down < 0)), (x + (right > 0), y + (down > 0))): load
            for (y, x), load in np.ndenumerate(getattr(links, name))
            if load
        }
        expected = {
            (start, stop): load
            for (start, stop), load in loads.items()
            if (stop[0] - start[0], stop[1] - start[1]) == (right, down) and load
        }
        assert counted == pytest.approx(expected)


@settings(SETTINGS, max_examples=30)
@given(placements())
def test_spikes_of_populations_are_spread_over_their_neurons(case):
    network, profile, placement = case
    spikes = {population.name: 3.0 * population.neuron_count for population in network.populations}
    once = route_metrics(network, placement, profile)
    thrice = route_metrics(network, placement, profile, spikes)
    assert thrice.total_hops == pytest.approx(3 * once.total_hops)
    assert thrice.messages == pytest.approx(3 * once.messages)
    assert thrice.mean_hops == pytest.approx(once.mean_hops)


def test_wrong_numbers_of_spikes_and_cores_off_the_mesh_are_refused():
    network, profile, placement = _two_cores()
    with pytest.raises(ValueError, match="3 spike counts for 2 tiles"):
        route_metrics(network, placement, profile, [1, 2, 3])
    far = replace(placement.cores[1], address=CoreAddress(0, 8, 0, 0))
    with pytest.raises(ValueError, match="mesh"):
        route_metrics(network, Placement((placement.cores[0], far)), profile)


def test_two_cores_by_hand():
    """A 3 x 3 convolution of 4 x 4 neurons on one core, from (1, 0) of chip 0 to (2, 3) of chip 1: 9 + 3 hops."""
    network, profile, placement = _two_cores()
    metrics = route_metrics(network, placement, profile, {"first": 48.0, "second": 0.0})
    assert (metrics.messages, metrics.off_chip_messages) == (48, 48)
    assert (metrics.total_hops, metrics.mean_hops, metrics.max_link_load) == (12 * 48, 12, 48)
    # 16 x 4 routers have 15 * 4 * 2 + 16 * 3 * 2 directed links
    assert metrics.mean_link_load == pytest.approx(12 * 48 / 216)


def _two_cores():
    network = networks.conv_pair((1, 4, 4), (1, 4, 4))
    placed = place(partition(network, LOIHI), LOIHI)
    addresses = CoreAddress(0, 1, 0, 3), CoreAddress(1, 2, 3, 0)
    tiles = [tile for core in placed.cores for tile in core.tiles]
    records = [
        replace(placed.cores[0], address=address, tiles=(tile,)) for address, tile in zip(addresses, tiles, strict=True)
    ]
    return network, LOIHI, Placement(tuple(records))


def with_tables(profile, entries):
    data = profile.model_dump()
    data["multicast"] = {"router_entries": number(entries)}
    return type(profile).model_validate(data)


@settings(SETTINGS, max_examples=50)
@given(placements(), st.integers(0, 2**32))
def test_trees_carry_a_spike_over_each_link_once(case, seed):
    """Every link of the union of a core's routes carries all spikes of the core; tables by the ways packets leave."""
    network, profile, placement = case
    profile = with_tables(profile, 1)
    tiles = [(index, tile) for index, record in enumerate(placement.cores) for tile in record.tiles]
    spikes = np.random.default_rng(seed).integers(0, 50, len(tiles))
    sent, loads, entries = Counter(), Counter(), Counter()
    for (index, _), count in zip(tiles, spikes, strict=True):
        sent[index] += int(count)
    places = routers(placement, profile)
    messages = messages_of(network, placement, lambda *_: 1)
    for core in {source for source, _ in messages}:
        targets = [places[target] for source, target in messages if source == core]
        links = {link for place in targets for link in walk(places[core], place)}
        loads.update(dict.fromkeys(links, sent[core]))
        for router in {places[core], *(stop for _, stop in links)}:
            came = [start for start, stop in links if stop == router]
            leave = [stop for start, stop in links if start == router]
            assert len(came) == (router != places[core])
            straight = [(2 * router[0] - start[0], 2 * router[1] - start[1]) for start in came]
            entries[router] += router in targets or leave != straight
    metrics = route_metrics(network, placement, profile, spikes)
    assert metrics.link_loads.all_links.sum() == pytest.approx(sum(loads.values()))
    assert metrics.max_link_load == pytest.approx(max(loads.values(), default=0))
    assert metrics.most_routing_entries == max(entries.values(), default=0)
    warned = {item.where: item.demand for item in verify(network, placement, profile) if item.rule == "NMD114"}
    assert warned == {f"router {router} of the system": count for router, count in entries.items() if count > 1}
