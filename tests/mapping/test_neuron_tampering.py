"""Every single tampering with neurons of a count memory or maxima over counts is caught by the rule made for it."""

from dataclasses import replace

import mapping_networks as networks
import numpy as np
import pytest
from mapping_strategies import EVERYTHING, changed_profile
from network_changes import population, projection

from hw_profiles import HardwareProfile
from mapping.network import InputProjection
from mapping.neuron_models import CountMemory, PoolCounts
from mapping.partition import partition
from mapping.place import place
from mapping.pool_taps import pool_weights
from mapping.verify import verify

CHIP = changed_profile(EVERYTHING, core_limits__compartments=128, number_formats__product_bits=21)


def build():
    """Leaky paced neurons, their maxima, signed and paced rectifiers with a shortcut, maxima of these, an output."""
    shape, half = (4, 8, 8), (4, 4, 4)
    leaky = CountMemory(release="half", slope_mantissa=np.full(4, 26))
    a = replace(networks.population("a", shape), count_memory=leaky)
    b = networks.maximum("b", half, base=4, start_step=2)
    signed = CountMemory(lead=0, paced=False, release="half")
    c = replace(networks.population("c", half, start_step=3), count_memory=signed)
    d = replace(networks.population("d", half, start_step=4), count_memory=CountMemory(lead=2))
    e = networks.maximum("e", half, base=2, start_step=7)
    f = networks.population("f", (5, 1, 1), "none", 8, is_output=True)
    conv = networks.conv_connectivity(half, half)
    projections = [
        networks.pool_projection("ab1", a, "b", half, (0, 2), base=4),
        networks.pool_projection("ab2", a, "b", half, (2, 4), base=4),
        networks.projection("bc", "b", "c", conv, exponent=-3),
        networks.projection("cd", "c", "d", conv, exponent=-3),
        networks.projection("bd", "b", "d", networks.shortcut(half, half), exponent=-2, delay=1),
        networks.pool_projection("de", d, "e", half, (0, 4), stride=1, base=2),
        networks.projection("ef", "e", "f", networks.flatten_dense(half, 5), exponent=-4),
    ]
    return networks.network([a, b, c, d, e, f], projections)


@pytest.fixture(scope="module")
def placed():
    network = build()
    return network, place(partition(network, CHIP), CHIP)


def found(network, placement, profile=CHIP):
    return {violation.rule for violation in verify(network, placement, profile)}


def test_untampered_is_legal(placed):
    network, placement = placed
    assert {item.model for item in network.populations} == {"paced", "signed", "max_pool", "if"}
    assert len(placement.cores) > 6
    assert verify(network, placement, CHIP) == []


def memory(network, name, **changes):
    return population(network, name, count_memory=replace(network.population(name).count_memory, **changes))


def taps(network, name, change):
    chosen = next(item for item in network.projections if item.name == name)
    return projection(network, name, weights=change(chosen.weights))


def one_changed(weights):
    changed = weights.copy()
    changed[-1, 0, 1, 1] += 1
    return changed


def second_half_first(network):
    chosen = next(item for item in network.projections if item.name == "ab2")
    return projection(network, "ab2", connectivity=replace(chosen.connectivity, target_channels=(1, 3)))


def larger_base(network):
    """A base for spikes of -1, with the weights that belong to it, where there are none."""
    changed = population(network, "e", pool_counts=PoolCounts(4))
    return taps(changed, "de", lambda weights: np.broadcast_to(pool_weights((2, 2), 4, 4), weights.shape))


def two_inputs(network):
    """Each channel of the maximum reads two."""
    chosen = next(item for item in network.projections if item.name == "de")
    weights = np.repeat(chosen.weights, 2, axis=1)
    return projection(network, "de", connectivity=replace(chosen.connectivity, groups=2), weights=weights)


def with_current(network):
    conv = networks.conv_connectivity(network.input_shape, (4, 4, 4), stride=2)
    weights = np.zeros((4, 4, 3, 3), np.int64)
    return replace(network, input_projections=(InputProjection("in", "b", conv, weights, 8, 8),))


WIDE = np.array([26, 26, 2**20, 26])
COUNTS = {"NMD110"}
"""What a change of what neurons keep or how they are reset also changes."""


NEURON_TAMPERINGS = {
    "longer lead": ("NMD403", set(), lambda n: memory(n, "a", lead=2)),
    "shorter lead": ("NMD403", set(), lambda n: memory(n, "d", lead=0)),
    "delay past the lead": ("NMD403", COUNTS, lambda n: projection(n, "de", delay=1)),
    "late maximum": ("NMD403", set(), lambda n: population(n, "b", start_step=3)),
    "slopes missing": ("NMD406", {"NMD403"}, lambda n: memory(n, "a", slope_mantissa=np.full(3, 26))),
    "slope for each neuron": ("NMD406", set(), lambda n: memory(n, "a", slope_mantissa=np.full((4, 8, 8), 26))),
    "slope no integer": ("NMD406", set(), lambda n: memory(n, "a", slope_mantissa=np.full(4, 0.1))),
    "threshold zero": ("NMD304", COUNTS, lambda n: population(n, "d", threshold=np.zeros(4, np.int64))),
    "threshold between steps": ("NMD304", COUNTS, lambda n: population(n, "a", threshold=np.full(4, 6401))),
    "maximum with weights of 4 bits": ("NMD301", COUNTS, lambda n: projection(n, "ab1", weight_bits=4)),
    "slope too wide": ("NMD311", {"NMD312"}, lambda n: memory(n, "a", slope_mantissa=WIDE)),
    "slope too wide below zero": ("NMD311", {"NMD312"}, lambda n: memory(n, "a", slope_mantissa=-WIDE)),
    "slope bits negative": ("NMD311", set(), lambda n: memory(n, "a", slope_bits=-1)),
    "slope bits too many": ("NMD311", {"NMD312"}, lambda n: memory(n, "a", slope_bits=21)),
    "slope beyond products": ("NMD312", set(), lambda n: memory(n, "a", slope_bits=16)),
    "threshold beyond products": (
        "NMD312",
        COUNTS,
        lambda n: population(n, "d", threshold=np.full(4, 700 * 64)),
    ),
    "window beyond products": ("NMD312", set(), lambda n: replace(n, timesteps=55)),
    "refinement of neurons that take nothing back": ("NMD407", {"NMD312"}, lambda n: replace(n, refinement_steps=1)),
    "read-out beyond the window": ("NMD407", set(), lambda n: replace(n, read_out_step=n.timesteps)),
    "read-out before the window": ("NMD407", set(), lambda n: replace(n, read_out_step=-1)),
    "negative refinement": ("NMD407", set(), lambda n: replace(n, refinement_steps=-1)),
    "negative lead": ("NMD407", {"NMD403"}, lambda n: memory(n, "a", lead=-1)),
    "lead without pace": ("NMD407", {"NMD403"}, lambda n: memory(n, "c", lead=1)),
    "shifts with a slope": ("NMD407", set(), lambda n: memory(n, "a", shift_only=True)),
    "slope without release": ("NMD407", {"NMD409"}, lambda n: memory(n, "a", release="never")),
    "unknown release": ("NMD407", set(), lambda n: memory(n, "c", release="soft")),
    "memory and negative threshold": (
        "NMD407",
        COUNTS,
        lambda n: population(n, "d", negative_threshold=n.population("d").threshold),
    ),
    "memory and maximum": (
        "NMD407",
        {"NMD403", "NMD312"},
        lambda n: population(n, "b", count_memory=CountMemory()),
    ),
    "memory that resets to zero": ("NMD407", COUNTS, lambda n: population(n, "c", reset="zero")),
    "memory that never resets": ("NMD407", COUNTS, lambda n: population(n, "c", reset="none")),
    "maximum that resets to zero": ("NMD407", COUNTS, lambda n: population(n, "b", reset="zero")),
    "maximum with threshold": (
        "NMD407",
        COUNTS,
        lambda n: population(n, "e", threshold=np.array([0, 0, 64, 0])),
    ),
    "maximum with bias": ("NMD407", set(), lambda n: population(n, "e", bias_mantissa=np.ones((4, 1, 1), np.int64))),
    "maximum with potential": ("NMD407", set(), lambda n: population(n, "e", initial_potential=np.ones(4, np.int64))),
    "maximum as output": ("NMD407", set(), lambda n: population(n, "e", is_output=True)),
    "maximum with current": ("NMD407", set(), with_current),
    "base 3": ("NMD407", set(), lambda n: population(n, "b", pool_counts=PoolCounts(3))),
    "base too small": ("NMD409", set(), lambda n: population(n, "b", pool_counts=PoolCounts(2))),
    "base too large": ("NMD409", set(), larger_base),
    "sources of the other kind": ("NMD409", set(), lambda n: memory(n, "d", release="half")),
    "weight of a maximum": ("NMD409", set(), lambda n: taps(n, "ab2", one_changed)),
    "taps the other way": ("NMD409", set(), lambda n: taps(n, "de", lambda weights: weights[..., ::-1, ::-1])),
    "maximum shifted": ("NMD409", COUNTS, lambda n: projection(n, "de", weight_exponent=-5)),
    "channel with two projections": ("NMD409", COUNTS, second_half_first),
    "two inputs for a maximum": ("NMD409", {"NMD108", *COUNTS}, two_inputs),
}


@pytest.mark.parametrize("name", NEURON_TAMPERINGS)
def test_tampered_neurons(placed, name):
    network, placement = placed
    rule, others, tamper = NEURON_TAMPERINGS[name]
    rules = found(tamper(network), placement)
    assert rule in rules
    assert rules <= others | {rule}


def profile_with(**sections):
    data = CHIP.model_dump()
    for name, changes in sections.items():
        data[name].update(changes)
    return HardwareProfile.model_validate(data)


@pytest.mark.parametrize(
    ("profile", "rules"),
    [
        (profile_with(number_formats={"product_bits": None}), {"NMD311", "NMD312"}),
        (profile_with(signed_spikes={"value": False}), {"NMD408"}),
        (profile_with(neuron_models={"names": ("if", "paced", "max_pool")}), {"NMD404"}),
        (profile_with(neuron_models={"names": ("if", "signed", "max_pool")}), {"NMD404"}),
        (profile_with(neuron_models={"names": ("if", "signed", "paced")}), {"NMD404"}),
    ],
)
def test_chips_that_lack_something(placed, profile, rules):
    assert found(*placed, profile) == rules


def test_shifts_and_no_slope_need_no_products(placed):
    network, placement = placed
    plain = memory(network, "a", slope_mantissa=None)
    shifting = memory(memory(plain, "a", shift_only=True), "d", shift_only=True)
    profile = profile_with(number_formats={"product_bits": None})
    assert found(plain, placement, profile) - COUNTS == {"NMD312"}
    assert found(shifting, placement, profile) <= COUNTS


@pytest.mark.parametrize(
    ("lead", "threshold", "bits", "demand"),
    [
        (2, 6400, 19, None),
        (2, 6400, 18, (1 + 2) * 6400 * 8),
        (3, 4096, 19, None),
        (3, 4096, 18, (1 + 3) * 4096 * 8),  # 2**17: one more than fits
    ],
)
def test_products_are_bounded_by_neurons_that_fire_in_every_step(placed, lead, threshold, bits, demand):
    network, placement = placed
    plain = memory(memory(network, "a", slope_mantissa=None), "d", lead=lead)
    plain = population(plain, "d", threshold=np.full(4, threshold))
    violations = verify(plain, placement, changed_profile(CHIP, number_formats__product_bits=bits))
    over = [(item.where, item.demand, item.capacity) for item in violations if item.rule == "NMD312"]
    assert over == ([] if demand is None else [("population d", demand, 2 ** (bits - 1) - 1)])


def test_two_inputs_are_named(placed):
    network, placement = placed
    messages = [item.message for item in verify(two_inputs(network), placement, CHIP) if item.rule == "NMD409"]
    assert messages == ["2 input channels for each channel of a maximum, which takes one"]
