"""Operation counts of random networks under random tilings equal a count of every single synapse."""

import json
from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest
from energy_synapses import inside, synapses
from hypothesis import given, settings
from hypothesis import strategies as st
from lava_backend.networks import networks, samples_for
from lava_backend.programmable_networks import programmable_networks

from hw_profiles.energy import energy_presets
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.tiles import Demands, Tile
from nmdeploy.energy.counts import count_operations, counts_from_dict
from nmdeploy.energy.report import energy_report
from nmdeploy.simulator import simulate

SLOTS = 3
NO_DEMANDS = Demands(*[0] * 11)


@st.composite
def placements(draw, network):
    """Every population cut into boxes at random places, the boxes dealt out to a few cores at random."""
    cores = [[] for _ in range(SLOTS)]
    for population in network.populations:
        axes = []
        for size in population.shape:
            cuts = draw(st.sets(st.integers(1, size - 1))) if size > 1 else set()
            bounds = [0, *sorted(cuts), size]
            axes.append(list(pairwise(bounds)))
        for box in product(*axes):
            cores[draw(st.integers(0, SLOTS - 1))].append(Tile(population.name, *box))
    return Placement(
        tuple(CoreRecord(CoreAddress(0, 0, 0, slot), tuple(tiles), (), NO_DEMANDS) for slot, tiles in enumerate(cores))
    )


@st.composite
def runs(draw):
    network = draw(networks() | programmable_networks())
    samples = draw(samples_for(network, largest=3))
    silenced = samples * np.random.default_rng(draw(st.integers(0, 99))).integers(0, 2, samples.shape)
    return network, draw(placements(network)), silenced.astype(np.float32)


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
        counted["spikes"] += spikes[tile.population][(slice(None), *neuron)].sum()
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
    counts = count_operations(network, placement, samples, result.spike_counts, network.timesteps, {}, given_steps)
    spikes = {
        population.name: result.spike_counts[population.name].reshape(len(samples), *population.shape)
        for population in network.populations
    }
    tiles = [(str(core.address), tile) for core in placement.cores for tile in core.tiles]
    assert [(counted.core, counted.population) for counted in counts.tiles] == [
        (core, tile.population) for core, tile in tiles
    ]
    for counted, (_, tile) in zip(counts.tiles, tiles, strict=True):
        oracle = expected(network, tile, samples, spikes, steps)
        for name in (
            "ac_dense",
            "ac_effective",
            "input_mac_dense",
            "input_mac_effective",
            "input_mac_dense_every_step",
            "input_mac_effective_every_step",
            "input_additions",
            "neuron_updates",
            "bias_additions",
            "spikes",
        ):
            assert getattr(counted, name) == oracle[name], name


@given(runs(), st.sampled_from(["dense", "effective"]), st.sampled_from(["cached", "every-step"]))
@settings(max_examples=40, deadline=None)
def test_cores_and_layers_both_add_up_to_the_total(run, counting, convention):
    network, placement, samples = run
    result = simulate(network, samples)
    counts = count_operations(network, placement, samples, result.spike_counts, network.timesteps, {})
    report = energy_report(counts, energy_presets()["int32"], counting, convention)
    assert {row.name for row in report.layers} == {population.name for population in network.populations}
    assert {row.name for row in report.cores} == {str(core.address) for core in placement.cores if core.tiles}
    for operation in ("ac", "mac"):
        total = whole(getattr(report.total, operation) * len(samples))
        for rows in (report.layers, report.cores):
            assert sum(whole(getattr(row, operation) * len(samples)) for row in rows) == total
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
        energy_report(
            count_operations(network, chosen, samples, spike_counts, network.timesteps, {}), energy_presets()["int8"]
        )
        for chosen in (placement, whole_network)
    ]
    assert reports[0].total == reports[1].total
    assert reports[0].spikes == reports[1].spikes
    assert reports[0].neuron_updates == reports[1].neuron_updates
    assert reports[0].bias_additions == reports[1].bias_additions


@given(runs())
@settings(max_examples=10, deadline=None)
def test_counts_survive_json(run):
    network, placement, samples = run
    spike_counts = simulate(network, samples).spike_counts
    counts = count_operations(network, placement, samples, spike_counts, network.timesteps, {"conv": 7})
    assert counts_from_dict(json.loads(json.dumps(counts.as_dict()))) == counts
