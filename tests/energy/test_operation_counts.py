"""Operation counts of random networks under random tilings equal a count of every single synapse."""

import json
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from energy_synapses import inside, synapses
from hypothesis import given, settings
from hypothesis import strategies as st
from lava_backend.networks import networks, samples_for
from lava_backend.programmable_networks import programmable_networks

from hw_profiles import load_profile
from hw_profiles.energy import energy_presets
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.tiles import Demands, Tile
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.counts import FloatLayer, counts_from_json
from nmdeploy.energy.report import EnergyReport
from nmdeploy.simulator import simulate

CORES = 3
LOIHI = load_profile("loihi")
NO_DEMANDS = Demands(*[0] * 11)


@st.composite
def placements(draw, network):
    """Every population cut into boxes at random places, the boxes dealt out to a few cores of two chips at random."""
    cores = [[] for _ in range(CORES)]
    for population in network.populations:
        axes = []
        for size in population.shape:
            cuts = draw(st.sets(st.integers(1, size - 1))) if size > 1 else set()
            bounds = [0, *sorted(cuts), size]
            axes.append(list(pairwise(bounds)))
        for box in product(*axes):
            cores[draw(st.integers(0, CORES - 1))].append(Tile(population.name, *box))
    places = st.tuples(st.integers(0, 1), st.integers(0, 7), st.integers(0, 3), st.integers(0, 3))
    addresses = draw(st.lists(places, min_size=CORES, max_size=CORES, unique=True))
    return Placement(
        tuple(
            CoreRecord(CoreAddress(*address), tuple(tiles), (), NO_DEMANDS)
            for address, tiles in zip(addresses, cores, strict=True)
        )
    )


@st.composite
def runs(draw):
    network = draw(networks() | programmable_networks())
    samples = draw(samples_for(network, largest=3))
    silenced = samples * np.random.default_rng(draw(st.integers(0, 99))).integers(0, 2, samples.shape)
    return network, draw(placements(network)), silenced.astype(np.float32)


def expected_messages(network, placement, core, tile, spikes):
    """Each spike once for every projection and core on which it has a synapse, one neuron at a time."""
    counted = Counter()
    sent = spikes[tile.population].sum(axis=0)
    for projection in network.outgoing(tile.population):
        reached = defaultdict(set)
        for source, target, _ in synapses(projection.connectivity, projection.weights):
            if inside(tile, source):
                for record in placement.cores:
                    if any(one.population == projection.target and inside(one, target) for one in record.tiles):
                        reached[source].add(record.address)
        for source, addresses in reached.items():
            for address in addresses:
                counted["messages"] += sent[source]
                counted["off_chip_messages"] += sent[source] * (address.chip != core.chip)
                # chips of 8 x 4 routers stand in one row
                counted["hops_x"] += sent[source] * abs(8 * address.chip + address.x - 8 * core.chip - core.x)
                counted["hops_y"] += sent[source] * abs(address.y - core.y)
    return counted


def expected_tree_links(network, placement, profile, record):
    """Links along x and along y of the routes from one core, first along x, each counted once."""
    mesh = profile.mesh

    def router(address):
        row, column = divmod(address.chip, mesh.chip_columns.value)
        return column * mesh.routers_x.value + address.x, row * mesh.routers_y.value + address.y

    start = router(record.address)
    links = set()
    for tile, projection in ((box, one) for box in record.tiles for one in network.outgoing(box.population)):
        for source, target, _ in synapses(projection.connectivity, projection.weights):
            for other in placement.cores if inside(tile, source) else ():
                if any(one.population == projection.target and inside(one, target) for one in other.tiles):
                    x, y = router(other.address)
                    links |= {("x", start[1], min(at), max(at)) for at in pairwise(way(start[0], x))}
                    links |= {("y", x, min(at), max(at)) for at in pairwise(way(start[1], y))}
    return [sum(axis == kind for kind, *_ in links) for axis in "xy"]


def way(start, stop):
    """All places from one to the other."""
    return list(range(start, stop + 1)) if start <= stop else list(range(start, stop - 1, -1))


@given(runs())
@settings(max_examples=30, deadline=None)
def test_spikes_pass_each_link_of_a_multicast_tree_once(run):
    network, placement, samples = run
    profile = load_profile("spinnaker")
    mesh = profile.mesh
    moved = [
        replace(core, address=CoreAddress(4 * number + core.address.chip, core.address.x % mesh.routers_x.value, 0, 0))
        for number, core in enumerate(placement.cores)
    ]
    placement = Placement(tuple(moved))
    counts = count_operations(network, placement, profile, samples, simulate(network, samples).spike_counts)
    by_core = {str(core.address): expected_tree_links(network, placement, profile, core) for core in placement.cores}
    for tile in counts.tiles:
        links_x, links_y = by_core[tile.core]
        assert (tile.hops_x, tile.hops_y) == (links_x * tile.spikes, links_y * tile.spikes)


def expected(network, tile, samples, spikes, steps):
    """One operation for each event that meets a synapse into the tile, counted one synapse and one step at a time."""
    counted = Counter()
    population, busy = network.population(tile.population), steps[tile.population]
    steps = [len([step for step in range(run) if step < network.timesteps]) for run in busy]
    for projection in network.incoming(tile.population):
        sent = spikes[projection.source]
        for source, target, weight in synapses(projection.connectivity, projection.weights):
            if inside(tile, target):
                events = sent[(slice(None), *source)].sum()
                counted["ac_dense"] += events
                counted["ac_effective"] += events * (weight != 0)
                counted[projection.name, "dense"] += events
                counted[projection.name, "effective"] += events * (weight != 0)
    with_current = set()
    for current in network.input_currents(tile.population):
        for source, target, weight in synapses(current.connectivity, current.weights):
            for sample, run in zip(samples, steps, strict=True) if inside(tile, target) else ():
                effective = int(sample[source] != 0 and weight != 0)
                counted["input_mac_dense"] += 1
                counted["input_mac_dense_every_step"] += run
                counted["input_mac_effective"] += effective
                counted["input_mac_effective_every_step"] += run * effective
        with_current |= set(range(*current.connectivity.target_channels))
    bias = np.broadcast_to(population.bias, population.shape)
    for neuron in product(*(range(*box) for box in (tile.channels, tile.rows, tile.columns))):
        counted["input_additions"] += sum(steps) * (neuron[0] in with_current)
        counted["neuron_updates"] += sum(busy)
        counted["bias_additions"] += sum(steps) * (bias[neuron] != 0)
        counted["input_currents"] += len(samples) * (neuron[0] in with_current)
        counted["spikes"] += spikes[tile.population][(slice(None), *neuron)].sum()
    counted["resets"] = 0 if population.pool_counts is not None else counted["spikes"]
    return counted


@given(runs(), st.none() | st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_counts_equal_a_listing_of_all_synapses(run, seed):
    """Of whole windows, and of populations that were busy for a part, with each sample another."""
    network, placement, samples = run
    result = simulate(network, samples)
    whole = {one.name: network.timesteps + lead_of(one) for one in network.populations}
    steps = {name: [all_steps] * len(samples) for name, all_steps in whole.items()}
    given_steps = None
    if seed is not None:
        random = np.random.default_rng(seed)
        given_steps = {name: random.integers(0, whole[name] + 1, len(samples)) for name in steps}
        steps = {name: one.tolist() for name, one in given_steps.items()}
    counts = count_operations(network, placement, LOIHI, samples, result.spike_counts, steps=given_steps)
    spikes = {
        population.name: result.spike_counts[population.name].reshape(len(samples), *population.shape)
        for population in network.populations
    }
    tiles = [(core.address, tile) for core in placement.cores for tile in core.tiles]
    assert [(counted.core, counted.population) for counted in counts.tiles] == [
        (str(core), tile.population) for core, tile in tiles
    ]
    for counted, (core, tile) in zip(counts.tiles, tiles, strict=True):
        oracle = expected(network, tile, samples, spikes, steps)
        oracle += expected_messages(network, placement, core, tile, spikes)
        assert {one.name: (one.ac_dense, one.ac_effective) for one in counted.projections} == {
            one.name: (oracle[one.name, "dense"], oracle[one.name, "effective"])
            for one in network.incoming(tile.population)
        }
        for name in (
            "ac_dense",
            "ac_effective",
            "input_mac_dense",
            "input_mac_effective",
            "input_mac_dense_every_step",
            "input_mac_effective_every_step",
            "input_currents",
            "input_additions",
            "neuron_updates",
            "bias_additions",
            "spikes",
            "resets",
            "messages",
            "off_chip_messages",
            "hops_x",
            "hops_y",
        ):
            assert getattr(counted, name) == oracle[name], name


@given(
    runs(),
    st.sampled_from(["int32", "lemaire2022", "loihi-sanafe"]),
    st.sampled_from(["dense", "effective"]),
    st.sampled_from(["cached", "every-step"]),
)
@settings(max_examples=40, deadline=None)
def test_cores_layers_and_chips_add_up_to_the_total(run, preset, counting, convention):
    network, placement, samples = run
    result = simulate(network, samples)
    counts = count_operations(network, placement, LOIHI, samples, result.spike_counts)
    report = EnergyReport(counts, energy_presets()[preset], counting, convention)
    assert {row.name for row in report.layers} == {population.name for population in network.populations}
    assert {row.name for row in report.cores} == {str(core.address) for core in placement.cores if core.tiles}
    for kind, mean in report.total.events.items():
        for rows in (report.layers, report.cores, report.chips):
            assert sum(whole(row.events[kind] * len(samples)) for row in rows) == whole(mean * len(samples)), kind
    for kind in ("accumulate", "multiply_accumulate", "input_addition"):
        of_projections = sum(whole(row.events[kind] * len(samples)) for row in report.projections)
        assert of_projections == whole(report.total.events[kind] * len(samples))
    for rows in (report.layers, report.cores, report.chips):
        assert sum(row.energy_pj for row in rows) == pytest.approx(report.total.energy_pj, rel=1e-12)
    if preset == "int32":
        assert report.total.energy_pj == pytest.approx(report.total.ac * 0.1 + report.total.mac * 3.2, rel=1e-12)


def lead_of(population):
    return 0 if population.count_memory is None else population.count_memory.lead


def whole(value):
    """A mean times its number of samples is a count again."""
    assert abs(value - round(value)) < 1e-6
    return round(value)


@given(runs())
@settings(max_examples=20, deadline=None)
def test_a_tiling_changes_no_total(run):
    network, placement, samples = run
    spike_counts = simulate(network, samples).spike_counts
    whole_network = Placement(
        (
            CoreRecord(
                CoreAddress(0, 0, 0, 0),
                tuple(
                    Tile(population.name, *((0, size) for size in population.shape))
                    for population in network.populations
                ),
                (),
                NO_DEMANDS,
            ),
        )
    )
    reports = [
        EnergyReport(
            count_operations(network, chosen, LOIHI, samples, spike_counts), energy_presets()["lemaire2022"]
        )
        for chosen in (placement, whole_network)
    ]
    assert reports[0].total.energy_pj == pytest.approx(reports[1].total.energy_pj, rel=1e-12)
    ways = ("message", "hop_x", "hop_y")
    totals = [{kind: mean for kind, mean in one.total.events.items() if kind not in ways} for one in reports]
    assert totals[0] == totals[1]
    assert reports[0].spikes_per_synapse == reports[1].spikes_per_synapse


@given(runs())
@settings(max_examples=10, deadline=None)
def test_counts_survive_json(run):
    network, placement, samples = run
    spike_counts = simulate(network, samples).spike_counts
    layers = (FloatLayer("conv", False, 7, 9, 1, 2, 3, 4, 5),)
    counts = count_operations(network, placement, LOIHI, samples, spike_counts, float_layers=layers)
    assert counts_from_json(json.dumps(counts.as_dict())) == counts
