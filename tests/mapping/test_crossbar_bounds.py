"""Bounds on crossbars against all sets of neurons there are, on populations of a few."""

from __future__ import annotations

from itertools import combinations, pairwise

import crossbar_networks as networks
import crossbar_strategies as strategies
import mapping_strategies
import numpy as np
import synapse_oracle
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mapping.crossbar_bounds import axons_per_neuron, crossbar_core_bound
from mapping.crossbar_cuts import Limits
from mapping.crossbar_reads import ProjectionReads
from mapping.fewest_sources import fewest_sources, lower_lines

SETTINGS = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def projections(draw, most_neurons=10):
    source = networks.population("source", draw(strategies.shapes()))
    target = networks.population("target", draw(strategies.shapes().filter(lambda one: np.prod(one) <= most_neurons)))
    table = draw(mapping_strategies.connectivities(source.shape, target.shape))
    return networks.projection(source, target, table, draw(st.sampled_from([(0,), (0, 1)])))


def reads_of_neurons(projection):
    """Source neurons that each target neuron reads."""
    found = {place: set() for place in np.ndindex(projection.connectivity.target_shape)}
    for source, target, _, _ in synapse_oracle.list_synapses(projection):
        found[target].add(source)
    return found


def along(projection, axis):
    """Sources along an axis that each target along it reads."""
    table = projection.connectivity
    if axis:
        rows = table.rows if axis == 1 else table.columns
        return [{int(one) for one in row if one >= 0} for row in rows]
    found = []
    for channel in range(table.target_shape[0]):
        inside = channel - table.target_channels[0]
        group = inside // (table.out_channels // table.groups)
        inputs = table.in_channels // table.groups
        first = table.source_channels[0] + group * inputs
        found.append(set(range(first, first + inputs)) if 0 <= inside < table.out_channels else set())
    return found


@SETTINGS
@given(projections(), st.integers(0, 2), st.data())
def test_no_targets_read_fewer_sources(projection, axis, data):
    read = along(projection, axis)
    targets = sorted(data.draw(st.sets(st.integers(0, len(read) - 1), min_size=1)))
    least = [
        min(len(set().union(*some)) for some in combinations([read[one] for one in targets], count))
        for count in range(1, len(targets) + 1)
    ]
    found = fewest_sources(ProjectionReads(projection), axis, np.array(targets))
    assert (found <= least).all()
    ranges = all(one and max(one) - min(one) + 1 == len(one) for one in read)
    ends = [(min(one), max(one)) for one in read] if ranges else []
    if axis == 0 or (ranges and all(a <= b and c <= d for (a, c), (b, d) in pairwise(ends))):
        assert found.tolist() == least


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12))
def test_lines_are_below_the_counts_and_touch_them(counts):
    fewest = np.sort(np.array(counts))
    lines = lower_lines(fewest)
    sizes = np.arange(1, len(fewest) + 1)
    values = np.max([slope * sizes + offset for slope, offset in lines], axis=0)
    assert all(slope >= 0 and offset >= 0 for slope, offset in lines)
    assert (values <= fewest + 1e-9).all()
    assert abs(values[0] - fewest[0]) < 1e-9


@SETTINGS
@given(st.lists(projections(), min_size=1, max_size=2), st.integers(4, 40), st.integers(1, 12))
def test_no_set_of_neurons_in_a_core_needs_fewer_axons(of_population, axons, neurons):
    first = of_population[0]
    of_population = [one for one in of_population if one.connectivity.target_shape == first.connectivity.target_shape]
    read = [reads_of_neurons(one) for one in of_population]
    shape = first.connectivity.target_shape
    each, most = axons_per_neuron(
        [ProjectionReads(one) for one in of_population],
        tuple(np.arange(size) for size in shape),
        Limits(axons, neurons),
    )
    for count in range(1, min(int(np.prod(shape)), neurons) + 1):
        for some in combinations(np.ndindex(shape), count):
            needed = sum(
                len(one.axon_types) * len(set().union(*(table[place] for place in some)))
                for one, table in zip(of_population, read, strict=True)
            )
            if needed <= axons:
                assert count <= most
                assert needed >= each * count - 1e-6


def test_bound_of_a_convolution_counts_its_axons():
    network = networks.convolutions(1)
    assert 0.75 * 1024 <= crossbar_core_bound(network, strategies.TRUENORTH) <= 1024


@SETTINGS
@given(st.integers(1, 40), st.integers(1, 20), st.integers(20, 40), st.integers(1, 40))
def test_dense_layer_takes_no_less_than_its_neurons_and_copies(outputs, inputs, axons, neurons):
    assume(inputs <= axons)
    source, first, second = (
        networks.host_source("input", (inputs, 1, 1)),
        networks.population("first", (inputs, 1, 1)),
        networks.population("second", (outputs, 1, 1)),
    )
    dense = strategies.strategies.networks.flatten_dense
    network = networks.network(
        [source, first, second],
        [
            networks.projection(source, first, dense((inputs, 1, 1), inputs), (0,)),
            networks.projection(first, second, dense((inputs, 1, 1), outputs), (0,)),
        ],
    )
    cores = -(-outputs // neurons)
    expected = -(-(inputs * cores + outputs) // neurons)
    assert crossbar_core_bound(network, strategies.crossbars(axons, neurons)) >= expected
