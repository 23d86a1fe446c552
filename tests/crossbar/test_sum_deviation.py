"""Partial sums against the sums that they stand for: the stated bound, the measure, and how near one comes."""

from dataclasses import replace

import chip_steps
import drawn_networks as drawn
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from mapping.connectivity import Connectivity
from mapping.network import build_graph
from mapping.violation import DoesNotFitError
from nmdeploy.crossbar.axon_plan import Precision
from nmdeploy.crossbar.deviation import sums_of_inputs
from nmdeploy.errors import QuantizationError
from nmdeploy.simulator import simulate
from nmdeploy.spiking.network import INPUT, build_spiking_network

SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def networks_in_parts(draw):
    """Integer networks of which something is summed in parts, start potentials drawn too."""
    profile = drawn.crossbars(draw(st.integers(6, 20)))
    try:
        narrow, splits = drawn.narrow(draw(drawn.float_networks()), profile, Precision(draw(st.integers(1, 3))))
        assume(splits)
        _, _, network = drawn.quantized(
            narrow, profile, precision=Precision(2), reset=draw(st.sampled_from(["subtract", "zero"]))
        )
    except (DoesNotFitError, QuantizationError):
        assume(False)
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    parts = {name for split in splits for name in split.parts}
    populations = [
        replace(one, initial_potential=generator.integers(0, one.threshold)) if one.name in parts else one
        for one in network.populations
    ]
    return replace(network, graph=build_graph(populations, network.projections)), splits


def drained(network, name, sent, steps):
    """Spikes of a partial sum that takes in trains and then goes on until it has sent all that it owes."""
    one = network.population(name)
    threshold = chip_steps.every_neuron(one, one.threshold)
    value = chip_steps.every_neuron(one, one.initial_potential)
    assert not one.bias_mantissa.any()
    assert one.reset == "subtract"
    incoming = [(into.source, chip_steps.matrix(into)) for into in network.incoming(name)]
    counts, step = np.zeros(one.neuron_count, dtype=np.int64), 0
    while step < steps or (value >= threshold).any():
        for source, matrix in incoming if step < steps else ():
            value = value + sent[source][step] @ matrix
        spike = value >= threshold
        value = value - spike * threshold
        counts += spike
        step += 1
    return counts


def exact_sums(network, split, counts, part_counts):
    """By neuron of the reader: what should have come in through the parts, and what did, in its spikes."""
    reader = network.population(split.population)
    wanted, got = np.zeros(reader.neuron_count), np.zeros(reader.neuron_count)
    for joining in network.incoming(split.population):
        if joining.source not in split.parts:
            continue
        part = network.population(joining.source)
        true_sum = sum(counts[into.source] @ chip_steps.matrix(into) for into in network.incoming(part.name))
        worth = chip_steps.matrix(joining)
        wanted += (true_sum / chip_steps.every_neuron(part, part.threshold)) @ worth
        got += part_counts[joining.source] @ worth
    threshold = chip_steps.every_neuron(reader, reader.threshold)
    return wanted / threshold, got / threshold


@SETTINGS
@given(networks_in_parts(), st.integers(0, 10_000), st.floats(0, 1))
def test_the_stated_bound_holds_on_random_traces(case, seed, rate):
    network, splits = case
    generator = np.random.default_rng(seed)
    steps = int(generator.integers(1, 20))
    parts = {name for split in splits for name in split.parts}
    sent = {
        one.name: (generator.random((steps, one.neuron_count)) < rate).astype(np.int64)
        for one in network.populations
        if one.name not in parts
    }
    counts = {name: train.sum(axis=0) for name, train in sent.items()}
    part_counts = {name: drained(network, name, sent, steps) for name in parts}
    told = {
        entry.population: entry
        for entry in sums_of_inputs(
            network, splits, {name: count[None] for name, count in {**counts, **part_counts}.items()}
        )
    }
    on_chip = {one.name for one in network.populations if not one.on_host}
    readers = {name for name in on_chip if any(one.source in parts for one in network.incoming(name))}
    assert {name for name, entry in told.items() if not entry.exact} == readers
    assert set(told) == on_chip - parts
    for split in splits:
        for name in readers:
            sources = {one.source for one in network.incoming(name)}
            if not sources & set(split.parts):
                continue
            entry = told[name]
            wanted, got = exact_sums(network, replace(split, population=name), counts, part_counts)
            deviation = np.abs(got - wanted)
            event("deviates" if deviation.any() else "does not deviate")
            assert deviation.max() <= entry.bound_spikes + 1e-9
            assert entry.largest_deviation_spikes == pytest.approx(deviation.max(), abs=1e-9)
            assert entry.mean_deviation_spikes == pytest.approx(deviation.mean(), abs=1e-9)
            assert entry.parts == len(split.parts)
            assert entry.unsent_share == 0


def test_the_bound_is_nearly_reached():
    """Every positive part holds all but one unit of a spike, and every negative one has sent its start potential."""
    shape = (24, 1, 1)
    weights = np.ones((1, 24, 1, 1))
    weights[:, ::2] = -1
    network = build_spiking_network(
        shape,
        [
            drawn.population("first", shape),
            drawn.population("wide", (1, 1, 1)),
            drawn.population("out", (1, 1, 1), "none", is_output=True),
        ],
        [
            drawn.projection(INPUT, "first", Connectivity.identity(shape), np.ones((24, 1, 1, 1))),
            drawn.projection("first", "wide", drawn.dense(shape, (1, 1, 1)), weights),
            drawn.projection("wide", "out", drawn.dense((1, 1, 1), (1, 1, 1)), np.ones((1, 1, 1, 1))),
        ],
    )
    profile = drawn.crossbars(12)
    narrow, (split,) = drawn.narrow(network, profile, Precision(2))
    _, _, made = drawn.quantized(narrow, profile, precision=Precision(2))
    assert len(split.parts) == 2
    populations, part_counts, into = [], {}, {}
    for one in made.populations:
        if one.name in split.parts:
            one = replace(one, threshold=np.array([10, 10]), initial_potential=np.array([0, 9]))
        populations.append(one)
    # positive synapses of 3 units and 3 spikes: 9 of 10 are held; negative ones of 1 unit and 1 spike: 10 of 10 sent
    projections = []
    for one in made.projections:
        if one.target in split.parts:
            units = np.where(one.weights > 0, 1, 0).astype(np.int32)
            units[0] *= 3
            one = replace(one, weights=units)
            into[one.target] = one
        projections.append(one)
    made = replace(made, graph=build_graph(populations, projections))
    counts = {one.name: np.zeros(one.neuron_count, dtype=np.int64) for one in made.populations}
    for name, one in into.items():
        reads = chip_steps.matrix(one)
        counts["first"][np.flatnonzero(reads[:, 0])[0]] = 3
        counts["first"][np.flatnonzero(reads[:, 1])[0]] = 1
        part_counts[name] = np.array([0, 1])
    entries = sums_of_inputs(made, [split], {name: one[None] for name, one in {**counts, **part_counts}.items()})
    (entry,) = [one for one in entries if one.population == "wide"]
    assert entry.unsent_share == 0
    assert entry.largest_deviation_spikes == pytest.approx(entry.bound_spikes, rel=1e-9)
    assert entry.bound_spikes > 0
    wanted, got = exact_sums(made, split, counts, part_counts)
    assert np.abs(got - wanted).max() == pytest.approx(entry.bound_spikes)


@SETTINGS
@given(networks_in_parts(), st.integers(0, 99))
def test_what_is_measured_of_a_run_is_what_came_in(case, seed):
    """With what had not been sent when the window ended."""
    network, splits = case
    result = simulate(network, drawn.samples(network, 3, seed), engine="numpy")
    told = {entry.population: entry for entry in sums_of_inputs(network, splits, result.spike_counts)}
    for split in splits:
        for name in {one.target for part in split.parts for one in network.outgoing(part)}:
            deviations = []
            for sample in range(3):
                counts = {key: value[sample].astype(np.int64) for key, value in result.spike_counts.items()}
                wanted, got = exact_sums(network, replace(split, population=name), counts, counts)
                deviations.append(np.abs(got - wanted))
            assert told[name].largest_deviation_spikes == pytest.approx(np.max(deviations), abs=1e-9)
            assert told[name].mean_deviation_spikes == pytest.approx(np.mean(deviations), abs=1e-9)
            if told[name].unsent_share == 0:
                assert np.max(deviations) <= told[name].bound_spikes + 1e-9
