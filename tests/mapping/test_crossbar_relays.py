"""Relays put into networks at random places: every spike stays, and each part reads what it read before."""

from __future__ import annotations

from dataclasses import replace

import crossbar_networks as networks
import crossbar_strategies as strategies
import mapping_networks
import mapping_strategies
import numpy as np
import synapse_oracle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapping.crossbar_relays import Part, Relay, cut_projection, with_relays
from mapping.crossbar_schedule import scheduled
from nmdeploy.simulator import simulate

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def intervals(draw, size):
    cuts = sorted(draw(st.sets(st.integers(1, size - 1), max_size=2))) if size > 1 else []
    return list(zip([0, *cuts], [*cuts, size], strict=True))


@st.composite
def boxes(draw, shape):
    channels, rows, columns = (draw(intervals(size)) for size in shape)
    return [(one, two, three) for one in channels for two in rows for three in columns]


@SETTINGS
@given(st.data(), strategies.crossbar_networks())
def test_parts_of_any_projection_may_read_relays(data, network):
    relays = []
    for projection in network.projections:
        if network.population(projection.source).on_host or data.draw(st.booleans()):
            continue
        for number, box in enumerate(data.draw(boxes(projection.connectivity.target_shape))):
            relays.append(Relay(f"{projection.name}.relay{number}", projection.source, (Part(projection.name, box),)))
    changed = scheduled(with_relays(network, relays), strategies.crossbars(256, 256, delay_max=64))
    plain = scheduled(network, strategies.crossbars(256, 256, delay_max=64))
    samples = strategies.samples(network)
    expected = simulate(plain, samples, record_spike_trains=True, engine="numpy")
    found = simulate(changed, samples, record_spike_trains=True, engine="numpy")
    for population in network.populations:
        assert np.array_equal(found.spike_trains[population.name], expected.spike_trains[population.name])
    added = set(changed.graph) - set(network.graph)
    assert added <= {relay.name for relay in relays}
    for name in added:
        relay = changed.population(name)
        assert relay.type_weights.tolist() == [[1, 0, 0, 0]] * relay.shape[0]
        assert any(changed.outgoing(name))


@SETTINGS
@given(st.data(), strategies.shapes(), strategies.shapes())
def test_pieces_of_a_projection_have_its_synapses_and_weights(data, before, after):
    source, target = networks.population("source", before), networks.population("target", after)
    table = data.draw(mapping_strategies.connectivities(before, after))
    projection = networks.projection(source, target, table)
    projection = replace(projection, weights=np.arange(projection.weights.size).reshape(projection.weights.shape))
    pieces = [piece for box in data.draw(boxes(after)) for _, piece in cut_projection(projection, box)]
    for piece in pieces:
        assert not piece.connectivity.problems()
        assert piece.weights.shape == piece.connectivity.weight_shape
    assert sorted(one for piece in pieces for one in weighted(piece)) == sorted(weighted(projection))


def weighted(projection):
    """Synapses with their weights."""
    table = projection.connectivity
    outputs, inputs = table.out_channels // table.groups, table.in_channels // table.groups
    for source, target, row_tap, column_tap in synapse_oracle.list_synapses(projection):
        output = target[0] - table.target_channels[0]
        channel = source[0] - table.source_channels[0] - output // outputs * inputs
        yield source, target, int(projection.weights[output, channel, row_tap, column_tap])


def test_relays_hold_no_more_than_their_parts_read():
    source, target = networks.population("source", (4, 4, 4)), networks.population("target", (4, 4, 4))
    table = mapping_networks.conv_connectivity((4, 4, 4), (4, 4, 4), groups=2)
    first = networks.host_source("input", (4, 4, 4))
    entry = networks.projection(first, source, mapping_networks.shortcut((4, 4, 4), (4, 4, 4)))
    network = networks.network([first, source, target], [entry, networks.projection(source, target, table)])
    parts = [Part("source-target", ((0, 2), (0, 4), (0, 4))), Part("source-target", ((2, 4), (0, 1), (0, 4)))]
    rest = Part("source-target", ((2, 4), (1, 4), (0, 4)))
    relays = [Relay(f"r{number}", "source", (part,)) for number, part in enumerate([*parts, rest])]
    changed = with_relays(network, relays)
    assert [changed.population(f"r{number}").shape for number in range(3)] == [(2, 4, 4), (2, 2, 4), (2, 4, 4)]
