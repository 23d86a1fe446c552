"""Lowered networks on one clock, leaks from step 0 on, give the spikes that the simulator tells."""

from dataclasses import replace

import chip_steps
import drawn_networks as drawn
import numpy as np
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from mapping.network import build_graph
from mapping.placement_options import PlacementOptions
from mapping.verify_crossbars import verify_crossbars
from mapping.violation import DoesNotFitError
from nmdeploy.crossbar.bias_axons import biased_by_axon, with_bias_axons
from nmdeploy.crossbar.initial_potentials import with_loadable_potentials
from nmdeploy.errors import QuantizationError
from nmdeploy.pipeline_crossbars import lower
from nmdeploy.simulator import simulate

SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def integer_networks(draw):
    """Quantised for small crossbars; biases also as large as no conversion would leave them."""
    profile = drawn.crossbars(draw(st.integers(24, 96)), draw(st.sampled_from([24, 64])))
    options = {
        "timesteps": draw(st.integers(1, 8)),
        "initial_potential_share": draw(st.sampled_from([0.0, 0.5, 1.0])),
        "reset": draw(st.sampled_from(["subtract", "zero"])),
    }
    try:
        narrow, _ = drawn.narrow(draw(drawn.float_networks()), profile)
        _, _, network = drawn.quantized(narrow, profile, **options)
    except (DoesNotFitError, QuantizationError):  # too many inputs, or channels that are all but silent
        assume(False)
    largest = profile.number_formats.leak_max
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    leaks = draw(st.sampled_from(["quantised", "of channels", "of neurons"]))
    if leaks == "quantised":
        return profile, network
    populations = []
    for one in network.populations:
        shape = one.shape if leaks == "of neurons" else (one.shape[0], 1, 1)
        bias = generator.integers(-largest, largest + 1, shape)
        changed = replace(one, bias_mantissa=bias, bias_exponent=np.zeros_like(bias))
        populations.append(one if one.on_host else changed)
    return profile, replace(network, graph=build_graph(populations, network.projections))


def trains(network, samples):
    return simulate(network, samples, record_spike_trains=True, engine="numpy").spike_trains


def with_potentials_of(network, other):
    populations = [
        replace(one, initial_potential=other.population(one.name).initial_potential) for one in network.populations
    ]
    return replace(network, graph=build_graph(populations, network.projections))


def lowered(network, profile):
    counts = {one.name: np.ones((1, one.neuron_count), dtype=np.int64) for one in network.populations}
    try:
        return lower(network, profile, PlacementOptions(effort="none"), counts)
    except DoesNotFitError:
        assume(False)


@SETTINGS
@given(integer_networks())
def test_the_chip_fires_as_the_simulator_says(case):
    profile, network = case
    mapped = lowered(network, profile)
    assert verify_crossbars(mapped.network, mapped.placement, mapped.program, profile) == []
    network = mapped.network
    assert all(one.start_step > 0 for one in network.populations if not one.on_host)
    samples = drawn.samples(network, 1)
    told = trains(network, samples)
    hosts = {one.name: told[one.name][0] for one in network.populations if one.on_host and not one.is_output}
    fired = chip_steps.spikes_on_chip(network, hosts, network.latency_steps)
    for one in (one for one in network.populations if not one.on_host):
        window = slice(one.start_step, one.start_step + network.timesteps)
        np.testing.assert_array_equal(fired[one.name][window], told[one.name][0] != 0, err_msg=one.name)
        assert not fired[one.name][: one.start_step].any(), one.name
    leaks = [one for one in network.populations if not one.on_host and one.bias_mantissa.any()]
    event(f"{'some' if leaks else 'no'} leaks")
    event(f"{'relays' if len(network.populations) > len(case[1].populations) else 'no relays'}")


@SETTINGS
@given(integer_networks())
def test_bias_axons_do_what_leaks_did(case):
    profile, network = case
    by_axon = drawn.scheduled_anew(with_bias_axons(network, profile))
    free = biased_by_axon(network, profile)
    samples = drawn.samples(network, 2)
    expected, seen = trains(network, samples), trains(by_axon, samples)
    for one in network.populations:
        np.testing.assert_array_equal(seen[one.name], expected[one.name], err_msg=one.name)
        changed = by_axon.population(one.name)
        assert (changed.bias_mantissa.any(), one.name in free) in ((False, True), (one.bias_mantissa.any(), False))
        used = {kind for projection in network.incoming(one.name) for kind in projection.axon_types}
        assert free.get(one.name) not in used
    sources = [one for one in by_axon.populations if one.name not in expected]
    assert len(sources) == len(free)
    for source in sources:
        assert source.on_host
        assert seen[source.name].all()


@SETTINGS
@given(integer_networks())
def test_all_rewrites_of_lowering_leave_every_spike_train(case):
    """Bias axons, relays, copies and loaded potentials, from the potentials that could be loaded on."""
    profile, network = case
    mapped = lowered(network, profile)
    samples = drawn.samples(network, 2)
    expected = simulate(
        with_potentials_of(network, mapped.network), samples, record_spike_trains=True, engine="numpy"
    )
    seen = simulate(mapped.network, samples, record_spike_trains=True, engine="numpy")
    for one in network.populations:
        np.testing.assert_array_equal(seen.spike_trains[one.name], expected.spike_trains[one.name], err_msg=one.name)
    np.testing.assert_array_equal(seen.potentials, expected.potentials)
    relays = len(mapped.network.populations) - len(with_bias_axons(network, profile).populations)
    assert network.latency_steps <= mapped.network.latency_steps <= network.latency_steps + relays


def waits(value, leak, threshold, steps):
    """Whether a neuron can be loaded so that it reaches a potential in so many steps without firing before."""
    return all(value - left * leak < threshold for left in range(steps + 1))


@SETTINGS
@given(integer_networks())
def test_potentials_are_lowered_only_where_they_cannot_be_loaded(case):
    _, network = case
    changed = with_loadable_potentials(network)
    for one in network.populations:
        after = changed.population(one.name)
        if one.on_host:
            assert (after.initial_potential == one.initial_potential).all()
            continue
        for channel, wanted in enumerate(one.initial_potential.tolist()):
            leaks, threshold = set(one.bias_mantissa[channel].ravel().tolist()), int(one.threshold[channel])
            possible = [
                value
                for value in range(-4000, wanted + 1)
                if all(waits(value, leak, threshold, one.start_step) for leak in leaks)
            ]
            assert after.initial_potential[channel] == max(possible)
