"""Rewrites for crossbars leave the float network what it was; every part fits, every synapse is in one part."""

from collections import defaultdict

import drawn_networks as drawn
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapping.connectivity import Connectivity
from mapping.placement_options import PlacementOptions
from mapping.verify_crossbars import verify_crossbars
from mapping.violation import DoesNotFitError
from nmdeploy.convert.count_decoding import with_counted_outputs
from nmdeploy.crossbar.axon_plan import Precision, plan_axons
from nmdeploy.crossbar.host_populations import transducers, with_host_populations
from nmdeploy.crossbar.partial_sums import with_partial_sums
from nmdeploy.crossbar.repeated_inputs import apart, without_repeated_inputs
from nmdeploy.errors import NmdeployError
from nmdeploy.pipeline_crossbars import lower
from nmdeploy.spiking.evaluate import evaluate
from nmdeploy.spiking.network import INPUT, build_spiking_network

SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def assert_same_function(network, rewritten):
    samples = drawn.samples(network)
    expected = evaluate(network, samples)
    assert rewritten.problems() == []
    np.testing.assert_allclose(evaluate(rewritten, samples), expected, atol=1e-4 * max(1, np.abs(expected).max()))


@SETTINGS
@given(drawn.float_networks())
def test_host_populations_change_no_output(network):
    rewritten, notes = with_host_populations(network)
    assert_same_function(network, rewritten)
    for one in rewritten.populations:
        from_sample = [projection.source == INPUT for projection in rewritten.incoming(one.name)]
        assert all(from_sample) or not any(from_sample)
    (note,) = notes
    assert note.endswith(", ".join(one.name for one in rewritten.populations if one.name in transducers(rewritten)))


@pytest.mark.parametrize("activation", ["none", "rectifier"])
def test_a_network_of_one_layer_leaves_nothing_for_the_chip(activation):
    """Nor does a counter of what the host has computed."""
    shape = (2, 1, 1)
    populations = [drawn.population("only", shape, activation, is_output=activation == "none")]
    projections = [drawn.projection(INPUT, "only", drawn.dense(shape, shape), np.ones((2, 2, 1, 1)))]
    if activation == "rectifier":
        populations.append(drawn.population("out", shape, "none", is_output=True))
        projections.append(drawn.projection("only", "out", Connectivity.identity(shape), np.ones((2, 1, 1, 1))))
    with pytest.raises(NmdeployError, match="nothing is left for the chip"):
        with_host_populations(build_spiking_network(shape, populations, projections))


def terms(network, name):
    """Every synapse into a population on paths through partial sums: (source, place) by neuron, with weights."""
    found = defaultdict(list)
    for projection in network.incoming(name):
        table, source = projection.connectivity, projection.source
        per_group = table.in_channels // table.groups
        for place in np.ndindex(projection.weights.shape):
            out, within, row_tap, column_tap = place
            group = out // (table.out_channels // table.groups)
            channel = table.source_channels[0] + group * per_group + within
            for row, column in np.ndindex(table.target_shape[1:]):
                y, x = int(table.rows[row, row_tap]), int(table.columns[column, column_tap])
                if y >= 0 and x >= 0:
                    neuron = (table.target_channels[0] + out, row, column)
                    found[neuron].append((source, (channel, y, x), projection.weights[place], projection.name))
    return found


@SETTINGS
@given(drawn.float_networks(), st.integers(6, 40), st.sampled_from([None, 2, 4]))
def test_partial_sums_change_no_output_and_fit(network, axons, bits):
    profile, precision = drawn.crossbars(axons), Precision(bits)
    try:
        rewritten, splits = drawn.narrow(network, profile, precision)
    except DoesNotFitError as refusal:
        for violation in refusal.violations:
            assert violation.demand > axons == violation.capacity
            assert "partial sums" in violation.message
        return
    assert_same_function(network, rewritten)
    hosts = transducers(rewritten) | {one.name for one in rewritten.outputs}
    for one in rewritten.populations:
        if one.name in hosts:
            continue
        plan = plan_axons(rewritten, one, profile.crossbar, precision)
        for synapses in terms(rewritten, one.name).values():
            driven = {(name, place) for _, place, _, name in synapses}
            assert sum(len(plan[name].types) for name, _ in driven) <= axons
    assert {name for split in splits for name in split.parts} == {
        one.name for one in rewritten.populations if one.is_partial_sum
    }


@SETTINGS
@given(drawn.float_networks(), st.integers(6, 24))
def test_every_synapse_is_in_one_part_and_on_the_side_of_its_sign(network, axons):
    profile = drawn.crossbars(axons)
    on_chip, _ = with_host_populations(network)
    try:
        rewritten, splits = with_partial_sums(on_chip, profile.crossbar, Precision(2))
    except DoesNotFitError:
        return
    for split in splits:
        owners = {}
        whole = terms(on_chip, split.population)
        parts = {name: terms(rewritten, name) for name in split.parts}
        for neuron, synapses in whole.items():
            seen = []
            for source, place, joining, _ in terms(rewritten, split.population)[neuron]:
                if source not in parts:
                    seen += [(source, place, joining)] if joining else []
                    continue
                assert rewritten.population(source).is_partial_sum
                # what adds to a neuron and what takes from it are neurons of its own
                assert owners.setdefault((source, place), (neuron, joining)) == (neuron, joining)
                assert abs(joining) == 1
                for far, where, weight, _ in parts[source].get(place, []):
                    assert weight >= 0
                    if weight:
                        seen.append((far, where, joining * weight))
            assert sorted(seen) == sorted((source, place, weight) for source, place, weight, _ in synapses if weight)


def test_too_many_parts_are_refused_with_what_they_ask_for():
    """120 inputs of 8 levels each take 3 axons; of 8 axons, 2 inputs make a part: 60 parts of two signs."""
    shapes = (120, 1, 1), (3, 1, 1)
    generator = np.random.default_rng(0)
    network = build_spiking_network(
        shapes[0],
        [
            drawn.population("first", shapes[0]),
            drawn.population("wide", shapes[1]),
            drawn.population("out", shapes[1], "none", is_output=True),
        ],
        [
            drawn.projection(INPUT, "first", Connectivity.identity(shapes[0]), np.ones((120, 1, 1, 1))),
            drawn.projection("first", "wide", drawn.dense(*shapes), generator.normal(size=(3, 120, 1, 1))),
            drawn.projection("wide", "out", drawn.dense(shapes[1], shapes[1]), np.eye(3)[:, :, None, None]),
        ],
    )
    with pytest.raises(DoesNotFitError) as caught:
        with_partial_sums(network, drawn.crossbars(8).crossbar, Precision(4))
    (violation,) = caught.value.violations
    assert violation.where == "population wide"
    assert (violation.demand, violation.capacity) == (120, 8)
    rewritten, (split,) = with_partial_sums(network, drawn.crossbars(256).crossbar, Precision(4))
    assert_same_function(network, rewritten)
    assert split.inputs == 360
    assert len(split.parts) == 2
    assert "360" in str(split)


REPEATED = {
    "upsampled": [[-1, 0, 0], [0, 0, 1], [0, 1, 1], [1, 1, -1]],
    "clipped windows": [[-1, 0, 1], [1, 2, 3], [3, 3, 3]],
    "none": [[-1, 0, 1], [0, 1, 2], [1, 2, -1]],
}


def read_through(rows):
    """A layer on the chip that reads rows of the one before through taps at these places."""
    shape, target = (2, 4, 1), (3, len(rows), 1)
    table = Connectivity(shape, target, rows, np.zeros((1, 1), dtype=np.int32), (0, 2), (0, 3))
    weights = np.random.default_rng(1).normal(size=table.weight_shape)
    return build_spiking_network(
        shape,
        [
            drawn.population("first", shape),
            drawn.population("twice", target),
            drawn.population("out", (1, 1, 1), "none", is_output=True),
        ],
        [
            drawn.projection(INPUT, "first", Connectivity.identity(shape), np.ones((2, 1, 1, 1))),
            drawn.projection("first", "twice", table, weights),
            drawn.projection("twice", "out", drawn.dense(target, (1, 1, 1)), np.ones((1, 3, len(rows), 1))),
        ],
    )


@pytest.mark.parametrize("name", REPEATED)
def test_the_verifier_knows_that_one_entry_is_not_two(name):
    network = with_counted_outputs(read_through(np.array(REPEATED[name], dtype=np.int32)), frozenset())
    for made, legal in ((network, name == "none"), (without_repeated_inputs(network), True)):
        _, _, quantized = drawn.quantized(made, drawn.TRUENORTH)
        counts = {one.name: np.ones((1, one.neuron_count), dtype=np.int64) for one in quantized.populations}
        mapped = lower(quantized, drawn.TRUENORTH, PlacementOptions(effort="none"), counts)
        broken = verify_crossbars(mapped.network, mapped.placement, mapped.program, drawn.TRUENORTH)
        assert [one.rule for one in broken] == ([] if legal else ["NMD823"])
        assert all("through several taps" in one.message for one in broken)


@pytest.mark.parametrize("name", REPEATED)
def test_inputs_read_twice_get_projections_of_their_own(name):
    network = read_through(np.array(REPEATED[name], dtype=np.int32))
    rewritten = without_repeated_inputs(network)
    assert_same_function(network, rewritten)
    for neuron, synapses in terms(rewritten, "twice").items():
        read = [(one, place) for _, place, _, one in synapses]
        assert len(set(read)) == len(read)
        wanted = sorted((source, place, weight) for source, place, weight, _ in terms(network, "twice")[neuron])
        assert sorted((source, place, weight) for source, place, weight, _ in synapses) == wanted
    assert len(list(rewritten.incoming("twice"))) == {"upsampled": 2, "clipped windows": 3, "none": 1}[name]


@given(st.lists(st.lists(st.integers(-1, 3), min_size=4, max_size=4), min_size=1, max_size=5))
def test_taps_are_dealt_out_once_each(rows):
    table = np.array(rows, dtype=np.int32)
    sets = apart(table)
    assert sorted(tap for one in sets for tap in one) == [0, 1, 2, 3]
    for one in sets:
        for row in rows:
            read = [row[tap] for tap in one if row[tap] >= 0]
            assert len(read) == len(set(read))
