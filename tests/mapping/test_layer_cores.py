"""Layers are matched to Speck's cores exactly: against brute force, and judged by rules that count in another way."""

from dataclasses import replace
from itertools import permutations
from math import ceil, log2

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from hw_profiles import load_target
from hw_profiles.layer_core_profile import LayerCoreProfile
from mapping.layer_cores import ConvolutionLayer, layer_demands, match_layers
from mapping.layer_rules import LAYER_LIMIT_RULES
from mapping.verify_layers import LAYER_RULES, verify_layer_limits, verify_layers
from mapping.violation import DoesNotFitError

SPECK = load_target("speck")
SOURCED = {"status": "assumed", "source": "test"}


def number(value):
    return {"value": value, **SOURCED}


def chip(cores, dead=()):
    """Speck with cores of these kernel, neuron and bias entries."""
    data = SPECK.model_dump()
    names = ("kernel_entries", "neuron_entries", "bias_entries")
    data["cores"] = [{name: number(value) for name, value in zip(names, core, strict=True)} for core in cores]
    data["dead_cores"] = [{"core": core, **SOURCED} for core in dead]
    return LayerCoreProfile.model_validate(data)


def published_demands(layer):
    """The formula of sinabs' `memory_summary`, in floating point as it is there."""
    channels, rows, columns = layer.neuron_shape
    return (
        layer.input_shape[0] * 2 ** (ceil(log2(layer.kernel[0] * layer.kernel[1])) + ceil(log2(channels))),
        channels * 2 ** (ceil(log2(rows)) + ceil(log2(columns))),
        channels if layer.has_bias else 0,
    )


def demands(layer):
    counted = layer_demands(layer)
    return counted.kernel_entries, counted.neuron_entries, counted.bias_entries


@st.composite
def layers(draw, name="layer"):
    size, kernel = draw(st.integers(1, 20)), draw(st.integers(1, 5))
    return ConvolutionLayer(
        name,
        None,
        (draw(st.integers(1, 20)), max(size, kernel), max(size, kernel)),
        draw(st.integers(1, 40)),
        (kernel, kernel),
        (draw(st.sampled_from([1, 2])),) * 2,
        (draw(st.integers(0, 2)),) * 2,
        draw(st.booleans()),
    )


def test_example_of_the_documentation():
    """16 to 32 channels, 3 x 3, on 64 x 64: 8 Ki kernel entries, 128 Ki neuron entries, more than any core has."""
    layer = ConvolutionLayer("conv", None, (16, 64, 64), 32, (3, 3), padding=(1, 1))
    assert demands(layer) == (8 * 1024, 128 * 1024, 32)
    assert verify_layer_limits([layer], SPECK) == []
    with pytest.raises(DoesNotFitError) as caught:
        match_layers([layer], SPECK)
    assert [(item.rule, item.where, item.demand, item.capacity) for item in caught.value.violations] == [
        ("NMD605", "layer conv", 128 * 1024, 64 * 1024)
    ]


@given(layers())
def test_demands_are_those_published(layer):
    assert demands(layer) == published_demands(layer)


def brute_force(all_layers, profile):
    """Whether some order of the cores holds the layers, by trying all."""
    dead = {core.core for core in profile.dead_cores}
    cores = [
        (core.kernel_entries.value, core.neuron_entries.value, core.bias_entries.value)
        for index, core in enumerate(profile.cores)
        if index not in dead
    ]
    needs = [published_demands(layer) for layer in all_layers]
    return any(
        all(need <= have for pair in zip(needs, order, strict=True) for need, have in zip(*pair, strict=True))
        for order in permutations(cores, len(needs))
    )


@st.composite
def small_cases(draw):
    """A few layers, and cores each about as large as one of them, so that there often is one way or none."""
    some = [draw(layers(f"layer{number}")) for number in range(draw(st.integers(1, 4)))]
    cores = []
    for _ in range(draw(st.integers(len(some), 5))):
        need = published_demands(draw(st.sampled_from(some)))
        cores.append([max(1, value - draw(st.sampled_from([0, 0, 0, 0, 0, 1]))) for value in need])
    dead = draw(st.sets(st.integers(0, len(cores) - 1), max_size=1))
    return some, chip(cores, sorted(dead))


@settings(max_examples=200, deadline=None)
@given(small_cases())
def test_matching_agrees_with_brute_force(case):
    some, profile = case
    possible = brute_force(some, profile)
    event(f"possible: {possible}")
    try:
        cores = match_layers(some, profile)
    except DoesNotFitError as error:
        assert not possible
        check_refusal(error.violations, some, profile)
    else:
        assert possible
        assert verify_layers(some, cores, profile) == []
        assert match_layers(some, profile) == cores


def check_refusal(violations, some, profile):
    """What is refused is true: the demands are too large, or the layers named fit too few cores."""
    by_name = {layer.name: layer for layer in some}
    dead = {core.core for core in profile.dead_cores}
    assert violations
    for item in violations:
        assert item.demand > item.capacity
        if item.rule == "NMD603":
            event("too few cores together")
            named = [by_name[name] for name in item.message.split(" fit ")[0].removeprefix("layers ").split(", ")]
            fitting = {
                index
                for index in range(len(profile.cores))
                for layer in named
                if index not in dead and verify_layers([layer], {layer.name: index}, profile) == []
            }
            assert (len(named), len(fitting)) == (item.demand, item.capacity)
        else:
            assert not brute_force([by_name[item.where.removeprefix("layer ")]], profile)


def test_layers_that_compete_for_the_same_cores_are_named():
    small = ConvolutionLayer("small", None, (1, 4, 4), 4, (1, 1))
    large = [replace(small, name=f"large{number}", channels=8) for number in range(3)]
    profile = chip([(64, 64, 64), (8, 256, 8), (8, 256, 8), (4, 64, 4)])
    with pytest.raises(DoesNotFitError) as caught:
        match_layers([small, *large], profile)
    (violation,) = caught.value.violations
    assert "large0, large1, large2 fit no cores but 1, 2" in violation.message


def test_memories_that_no_core_has_together():
    """Either memory is large enough somewhere; the core that lacks least is named."""
    layer = ConvolutionLayer("layer", None, (4, 8, 8), 4, (1, 1))
    assert demands(layer) == (16, 256, 4)
    with pytest.raises(DoesNotFitError) as caught:
        match_layers([layer], chip([(16, 16, 4), (15, 256, 4)]))
    assert [(item.rule, item.demand, item.capacity) for item in caught.value.violations] == [("NMD604", 16, 15)]
    assert "core 1 lacks least" in str(caught.value)


CHAIN = [
    ConvolutionLayer("first", None, (2, 34, 34), 8, (3, 3), padding=(1, 1)),
    ConvolutionLayer("second", "first", (8, 17, 17), 16, (3, 3), stride=(2, 2), padding=(1, 1), source_pooling=2),
    ConvolutionLayer("dense", "second", (16, 9, 9), 10, (9, 9)),
]


def with_layer(index, **changes):
    return [replace(layer, **changes) if number == index else layer for number, layer in enumerate(CHAIN)]


def test_chain_is_mapped_and_legal():
    cores = match_layers(CHAIN, SPECK)
    assert verify_layer_limits(CHAIN, SPECK) == []
    assert verify_layers(CHAIN, cores, SPECK) == []
    assert len(set(cores.values())) == 3


fan_out = [*CHAIN, *(replace(CHAIN[1], name=f"more{number}") for number in range(2))]
DEAD = chip([(65536, 65536, 1024)] * 9, dead=[5])
TAMPERINGS = {
    "on no core": ("NMD601", CHAIN, {"first": 0, "second": 1}, SPECK),
    "on a core beyond the chip": ("NMD601", CHAIN, {"first": 0, "second": 1, "dense": 9}, SPECK),
    "unknown layer on a core": ("NMD601", CHAIN, {"first": 0, "second": 1, "dense": 5, "fourth": 6}, SPECK),
    "two layers of one name": ("NMD601", [CHAIN[0], CHAIN[0]], {"first": 0}, SPECK),
    "dead core": ("NMD602", CHAIN, {"first": 0, "second": 1, "dense": 5}, DEAD),
    "shared core": ("NMD603", CHAIN, {"first": 0, "second": 0, "dense": 5}, SPECK),
    "kernel memory": ("NMD604", CHAIN, {"first": 0, "second": 1, "dense": 2}, SPECK),
    "neuron memory": ("NMD605", CHAIN, {"first": 7, "second": 1, "dense": 5}, SPECK),
    "bias memory": ("NMD606", CHAIN, {"first": 0, "second": 1, "dense": 2}, chip([(65536, 65536, 15)] * 9)),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_every_tampering_with_the_cores_is_caught_by_its_rule(name):
    rule, some, cores, profile = TAMPERINGS[name]
    others = {"NMD603"} if name == "two layers of one name" else set()
    assert {item.rule for item in verify_layers(some, cores, profile)} - others == {rule}


LIMITS = {
    "input": ("NMD607", with_layer(0, input_shape=(2, 130, 34), stride=(8, 1))),
    "neurons": ("NMD607", with_layer(0, input_shape=(2, 66, 34))),
    "channels": ("NMD608", with_layer(2, channels=1025)),
    "input channels": ("NMD608", with_layer(0, input_shape=(1025, 34, 34))),
    "kernel not square": ("NMD609", with_layer(0, kernel=(3, 5))),
    "large kernel": ("NMD609", with_layer(0, kernel=(17, 17))),
    "stride": ("NMD610", with_layer(0, stride=(3, 3))),
    "padding": ("NMD611", with_layer(0, padding=(8, 8))),
    "negative padding": ("NMD611", with_layer(0, padding=(-1, 0))),
    "pooling": ("NMD612", with_layer(1, source_pooling=3)),
    "fan-out": ("NMD613", fan_out),
    "other map": ("NMD614", with_layer(1, input_shape=(8, 16, 17))),
    "other channels": ("NMD614", with_layer(1, input_shape=(9, 17, 17))),
    "reads a later layer": ("NMD614", with_layer(0, source="dense")),
    "no neurons": ("NMD614", with_layer(2, kernel=(10, 10))),
}


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_of_layers_is_kept_by_its_rule(name):
    rule, some = LIMITS[name]
    assert {item.rule for item in verify_layer_limits(some, SPECK)} - {"NMD614"} <= {rule}
    assert rule in {item.rule for item in verify_layer_limits(some, SPECK)}


def test_every_rule_is_broken_once_and_explained():
    assert {rule for rule, *_ in (*TAMPERINGS.values(), *LIMITS.values())} == set(LAYER_RULES)
    assert {rule.code for rule in LAYER_LIMIT_RULES} == {rule for rule, _ in LIMITS.values()}
    for code, rule in LAYER_RULES.items():
        assert rule.code == code
        assert rule.title
        assert rule.explanation.endswith(".")
