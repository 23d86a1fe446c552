"""Every tampering with a placement or network on crossbars is caught by the rule made for it, by no senseless other.

`test_crossbar_program_tampering` has those with programs.
"""

from dataclasses import replace

import numpy as np
import pytest
from crossbar_examples import TRUENORTH, build_example, random_tiles, small_network
from network_changes import population, projection, rebuilt
from test_crossbar_program_tampering import LEGAL, PROGRAMS, found

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.neuron_models import CountMemory
from mapping.placement import CoreAddress, Placement
from mapping.tiles import CrossbarDemands, Demands, Tile
from mapping.verify_crossbars import CROSSBAR_RULES, verify_crossbars


def with_record(index, **changes):
    cores = list(LEGAL.placement.cores)
    cores[index] = replace(cores[index], **changes)
    return Placement(tuple(cores))


def with_tile(**changes):
    tiles = LEGAL.placement.cores[0].tiles
    return with_record(0, tiles=(replace(tiles[0], **changes), *tiles[1:]))


FIRST = LEGAL.placement.cores[0]
SENDER = next(number for number, record in enumerate(LEGAL.placement.cores) if record.targets)
MOVED = {"NMD101", "NMD102", "NMD108", "NMD109", "NMD809", "NMD810", "NMD811", "NMD829"}
"""What a change of which neurons lie where may also break."""
PLACEMENTS = {
    "core dropped": (
        "NMD101",
        MOVED | {"NMD804", "NMD805", "NMD812", "NMD813", "NMD816"},
        lambda: Placement(LEGAL.placement.cores[:-1]),
    ),
    "tile dropped": ("NMD101", MOVED, lambda: with_record(0, tiles=FIRST.tiles[1:])),
    "tile twice": ("NMD102", MOVED, lambda: with_record(0, tiles=FIRST.tiles * 2)),
    "tile outside": ("NMD103", MOVED, lambda: with_tile(rows=(0, 4))),
    "tile huge": ("NMD103", MOVED, lambda: with_tile(rows=(0, 10**30))),
    "unknown population": ("NMD104", MOVED, lambda: with_tile(population="nobody")),
    "off the mesh": ("NMD105", {"NMD108", "NMD109"}, lambda: with_record(0, address=CoreAddress(0, 64, 0, 0))),
    "second slot": ("NMD105", {"NMD108", "NMD109"}, lambda: with_record(0, address=CoreAddress(0, 0, 0, 1))),
    "two records": (
        "NMD106",
        {"NMD108", "NMD109"},
        lambda: with_record(0, address=LEGAL.placement.cores[1].address),
    ),
    "chip beyond": ("NMD107", {"NMD108", "NMD109"}, lambda: with_record(0, address=CoreAddress(16, 0, 0, 0))),
    "target dropped": (
        "NMD108",
        set(),
        lambda: with_record(SENDER, targets=LEGAL.placement.cores[SENDER].targets[1:]),
    ),
    "target added": (
        "NMD109",
        set(),
        lambda: with_record(0, targets=(*FIRST.targets, CoreAddress(3, 0, 0, 0))),
    ),
    "target twice": ("NMD109", set(), lambda: with_record(SENDER, targets=LEGAL.placement.cores[SENDER].targets * 2)),
    "recorded axons": (
        "NMD829",
        set(),
        lambda: with_record(0, demands=replace(FIRST.demands, axons=FIRST.demands.axons - 1)),
    ),
    "recorded columns": (
        "NMD829",
        set(),
        lambda: with_record(0, demands=replace(FIRST.demands, neurons=FIRST.demands.neurons + 1)),
    ),
    "demands of another chip": ("NMD829", set(), lambda: with_record(0, demands=Demands(*[0] * 11))),
    "tile of the host": (
        "NMD828",
        set(),
        lambda: with_record(0, tiles=(*FIRST.tiles, Tile("sensor", (0, 2), (0, 3), (0, 3)))),
    ),
}


@pytest.mark.parametrize("name", PLACEMENTS)
def test_tampered_placement_of_crossbars(name):
    rule, others, tamper = PLACEMENTS[name]
    rules = found(replace(LEGAL, placement=tamper()))
    assert rule in rules
    assert rules - {rule} <= others


def leak_of_one_neuron(leak):
    """Biases of the second population: none but that of one neuron."""
    mantissa = np.zeros((3, 2, 3), dtype=np.int64)
    mantissa[1, 1, 2] = leak
    return {"bias_mantissa": mantissa, "bias_exponent": np.zeros_like(mantissa)}


def changed(name, **changes):
    """The network with fields of one population changed."""
    return population(LEGAL.network, name, **changes)


def joined(name, **changes):
    """The network with fields of one projection changed."""
    return projection(LEGAL.network, name, **changes)


def type_weights(value):
    weights = LEGAL.network.population("second").type_weights.copy()
    weights[1, 0] = value
    return changed("second", type_weights=weights)


def bias(value):
    return np.array([0, value, 0], dtype=np.int64).reshape(3, 1, 1)


def weight(name, value):
    weights = next(one.weights for one in LEGAL.network.projections if one.name == name).copy()
    weights[0, 0, 0, 0] = value
    return joined(name, weights=weights)


SECOND = LEGAL.network.population("second")
NETWORKS = {
    "no data": ("NMD401", {"NMD104"}, lambda: without_data()),
    "connectivity": ("NMD402", set(), lambda: joined("first-third", weights=np.zeros((2, 1, 1, 2), np.int32))),
    "unbalanced": ("NMD403", set(), lambda: changed("output", start_step=5)),
    "reset": ("NMD405", set(), lambda: changed("second", reset="absent")),
    "negative start": ("NMD406", {"NMD403"}, lambda: changed("steady", start_step=-1)),
    "float weights of neurons": ("NMD406", set(), lambda: changed("second", threshold=SECOND.threshold * 1.0)),
    "two models": (
        "NMD407",
        {"NMD403", "NMD827"},
        lambda: changed("second", negative_threshold=SECOND.threshold, count_memory=CountMemory()),
    ),
    "no axon types": ("NMD821", set(), lambda: joined("first-third", axon_types=())),
    "axon type beyond": ("NMD821", set(), lambda: joined("first-third", axon_types=(4,))),
    "axon type negative": ("NMD821", set(), lambda: joined("first-third", axon_types=(-1,))),
    "axon types in words": ("NMD821", set(), lambda: joined("first-third", axon_types="0123")),
    "axon types to the host": ("NMD821", set(), lambda: joined("third-output", axon_types=(0,))),
    "no type weights": ("NMD822", set(), lambda: changed("second", type_weights=None)),
    "type weights of another shape": ("NMD822", set(), lambda: changed("second", type_weights=np.ones((2, 4), int))),
    "type weights flat": ("NMD822", set(), lambda: changed("second", type_weights=np.ones(3, int))),
    "type weights of five": ("NMD822", set(), lambda: changed("second", type_weights=np.ones((3, 5), int))),
    "type weights of too few": ("NMD822", set(), lambda: changed("second", type_weights=np.ones((3, 3), int))),
    "type weights broken": ("NMD822", set(), lambda: changed("second", type_weights=np.ones((3, 4)))),
    "type weights in a list": ("NMD822", set(), lambda: changed("second", type_weights=[[1, 2, 4, -8]] * 3)),
    "type weight above": ("NMD822", set(), lambda: type_weights(256)),
    "type weight below": ("NMD822", set(), lambda: type_weights(-256)),
    "weight": ("NMD823", set(), lambda: weight("first-third", 1)),
    "weight beyond": ("NMD823", set(), lambda: weight("sensor-first", 8)),
    "no threshold": ("NMD824", {"NMD826"}, lambda: changed("second", threshold=np.array([20, 0, 20]))),
    "threshold beyond": ("NMD824", set(), lambda: changed("second", threshold=np.array([20, 20, 2**18]))),
    "leak beyond": ("NMD825", set(), lambda: changed("second", bias_mantissa=bias(256))),
    "negative leak beyond": ("NMD825", {"NMD826"}, lambda: changed("second", bias_mantissa=bias(-256))),
    "leak with an exponent": (
        "NMD825",
        set(),
        lambda: changed("second", bias_exponent=np.ones((3, 1, 1), dtype=np.int64)),
    ),
    "leak of one neuron": ("NMD825", {"NMD826"}, lambda: changed("second", **leak_of_one_neuron(300))),
    "leak of one neuron before its window": ("NMD826", set(), lambda: changed("second", **leak_of_one_neuron(-255))),
    "potential below": ("NMD826", set(), lambda: changed("second", initial_potential=np.array([-(2**19), 0, 0]))),
    "potential above": (
        "NMD826",
        set(),
        lambda: changed("second", initial_potential=np.array([0, 20, 0]), bias_mantissa=bias(1)),
    ),
    "potential falls to its start": ("NMD826", set(), lambda: changed("second", bias_mantissa=bias(-5))),
    "negative threshold": ("NMD827", set(), lambda: changed("second", negative_threshold=SECOND.threshold)),
    "negative spikes of the host": (
        "NMD827",
        set(),
        lambda: changed("sensor", negative_threshold=np.array([9, 9])),
    ),
    "accumulator on the chip": ("NMD828", set(), lambda: changed("third", reset="none")),
    "output on the chip": ("NMD828", set(), lambda: changed("third", is_output=True)),
    "sample on the chip": ("NMD828", set(), lambda: sample_to("first")),
    "host between": (
        "NMD828",
        {"NMD108", "NMD109", "NMD804", "NMD805", "NMD809", "NMD810", "NMD814", "NMD816", "NMD819", "NMD821", "NMD829"},
        lambda: changed("second", on_host=True),
    ),
    "state": ("NMD830", set(), lambda: replace(LEGAL.network, state_max=2**23 - 1)),
    "synapse exponent": ("NMD830", set(), lambda: replace(LEGAL.network, synapse_exponent=6)),
    "weight exponent": ("NMD830", set(), lambda: joined("first-third", weight_exponent=1)),
}


def without_data():
    network = rebuilt(LEGAL.network)
    del network.graph.nodes["third"]["population"]
    return network


def sample_to(name):
    given = LEGAL.network.input_projections[0]
    return replace(LEGAL.network, input_projections=(given, replace(given, name="more", target=name)))


@pytest.mark.parametrize("name", NETWORKS)
def test_tampered_network_on_crossbars(name):
    rule, others, tamper = NETWORKS[name]
    rules = found(replace(LEGAL, network=tamper()))
    assert rule in rules
    assert rules - {rule} <= others


def profile_with(**values):
    """TrueNorth with other figures, given as section__field=value, or other lists of cores."""
    data = TRUENORTH.model_dump()
    for path, value in values.items():
        section, field = path.split("__")
        figure = {"value": value, "status": "assumed", "source": "test"} if isinstance(value, int) else value
        data[section][field] = figure
    return CrossbarProfile.model_validate(data)


def listed(record):
    place = {"x": record.address.x, "y": record.address.y, "slot": record.address.slot, "chip": 0}
    return [{**place, "status": "assumed", "source": "test"}]


MOST_AXONS = max(record.demands.axons for record in LEGAL.placement.cores)
MOST_COLUMNS = max(record.demands.neurons for record in LEGAL.placement.cores)
OUT_OF_ROOM = {"NMD804", "NMD805", "NMD809", "NMD812", "NMD813", "NMD816", "NMD819"}
"""What places beyond a smaller crossbar also break."""
PROFILES = {
    "axons": ("NMD801", OUT_OF_ROOM, {"crossbar__axons": MOST_AXONS - 1}),
    "columns": ("NMD802", OUT_OF_ROOM, {"crossbar__neurons": MOST_COLUMNS - 1}),
    "dead core": ("NMD112", set(), {"mesh__dead_cores": listed(FIRST)}),
    "reserved core": ("NMD112", set(), {"mesh__reserved_cores": listed(FIRST)}),
    "usable cores": ("NMD113", set(), {"mesh__usable_cores_per_chip": len(LEGAL.placement.cores) - 1}),
    "system": (
        "NMD802",
        {"NMD105"},
        {"mesh__routers_x": 1, "mesh__routers_y": 1, "mesh__chips": 1, "crossbar__neurons": 17},
    ),
    "longest delay": ("NMD818", set(), {"number_formats__delay_max": 1}),
    "shortest delay": ("NMD818", set(), {"number_formats__delay_min": 2}),
    "bits of weights": ("NMD822", set(), {"number_formats__weight_bits": 5}),
    "bits of leaks": ("NMD825", set(), {"number_formats__leak_bits": 1}),
    "bits of thresholds": ("NMD824", set(), {"number_formats__threshold_bits": 4}),
    "bits of potentials": ("NMD826", {"NMD830"}, {"number_formats__potential_bits": 4}),
}


@pytest.mark.parametrize("name", PROFILES)
def test_smaller_chip(name):
    rule, others, values = PROFILES[name]
    rules = found(replace(LEGAL, profile=profile_with(**values)))
    assert rule in rules
    assert rules - {rule} <= others


def test_neurons_have_leaks_of_their_own():
    assert not found(replace(LEGAL, network=changed("second", **leak_of_one_neuron(-1))))


def test_demand_and_capacity_are_told():
    """A core that is full is legal; one axon or column less is not, and the figures are the demand and the limit."""
    for field, code in (("axons", "NMD801"), ("neurons", "NMD802")):
        most = max(getattr(record.demands, field) for record in LEGAL.placement.cores)
        for capacity in (most, most - 1):
            built = replace(LEGAL, profile=profile_with(**{f"crossbar__{field}": capacity}))
            violations = verify_crossbars(built.network, built.placement, built.program, built.profile)
            told = [(item.demand, item.capacity) for item in violations if item.rule == code]
            assert told == ([(most, capacity)] if capacity < most else [])


def arrays_changed(array):
    """An array of other shapes, types and values."""
    yield from (array[None], array.ravel()[:0], array.ravel()[:-1], array.astype(np.float64), array.astype(str))
    yield from (np.full_like(array, value) for value in (np.iinfo(array.dtype).min, np.iinfo(array.dtype).max, -1))
    yield from (array.astype(np.uint8), array.astype(object))


def parts_changed():
    """Each field of populations, projections, index tables and tiles with values that make no sense."""
    numbers = (-(10**30), -1, 0, 10**9, 10**30)
    for one in LEGAL.network.populations:
        for name in ("threshold", "bias_mantissa", "bias_exponent", "initial_potential", "type_weights"):
            array = getattr(one, name)
            values = () if array is None else arrays_changed(array)
            yield from (changed(one.name, **{name: value}) for value in values)
        yield from (changed(one.name, start_step=value) for value in numbers)
        yield from (changed(one.name, shape=value) for value in ((2, 3), (0, 3, 3), (2, 3, 10**9), (-1, 3, 3)))
        yield changed(one.name, on_host=not one.on_host)
    for one in LEGAL.network.projections:
        yield from (joined(one.name, weights=value) for value in arrays_changed(one.weights))
        yield from (joined(one.name, delay=value) for value in numbers)
        yield from (joined(one.name, weight_exponent=value) for value in numbers)
        for value in ((), (0,) * 300, (0.5,), (10**30,), None, [0, 1], ("0",)):
            yield joined(one.name, axon_types=value)
        yield from (joined(one.name, **{end: "nobody"}) for end in ("source", "target"))
        for name in ("rows", "columns"):
            for value in arrays_changed(getattr(one.connectivity, name)):
                yield joined(one.name, connectivity=replace(one.connectivity, **{name: value}))
        for name in ("source_channels", "target_channels"):
            yield joined(one.name, connectivity=replace(one.connectivity, **{name: (1, 9)}))
        yield from (joined(one.name, connectivity=replace(one.connectivity, groups=value)) for value in (0, -1, 5))


def test_malformed_networks_are_told_without_an_exception():
    told = [found(replace(LEGAL, network=network)) for network in parts_changed()]
    assert len(told) > 500
    assert sum(rules == set() for rules in told) < len(told) / 5


AT_THE_LIMITS = {
    "type weights": {"type_weights": np.array([[1, -255, 255, -8], [2, 4, 8, -16], [3, 6, 12, -24]])},
    "least threshold": {
        "threshold": np.array([20, 1, 20]),
        "initial_potential": np.zeros(3, int),
        "bias_mantissa": bias(0),
    },
    "threshold": {"threshold": np.array([20, 2**18 - 1, 20])},
    "leak": {"bias_mantissa": bias(255)},
    "negative leak": {"bias_mantissa": bias(-255), "initial_potential": np.array([10, 19 - 2 * 255, 10])},
    "potential": {"initial_potential": np.array([10, 1 - 2**19, 10]), "bias_mantissa": bias(0)},
    "loaded potential": {"initial_potential": np.array([10, 2 * 255 + 1 - 2**19, 10]), "bias_mantissa": bias(255)},
}


@pytest.mark.parametrize("name", AT_THE_LIMITS)
def test_the_limits_themselves_are_legal(name):
    assert found(replace(LEGAL, network=changed("second", **AT_THE_LIMITS[name]))) == set()


BEYOND = {
    "threshold": {"threshold": np.array([20, 2**18, 20])},
    "negative leak": {"bias_mantissa": bias(-255), "initial_potential": np.array([10, 20 - 2 * 255, 10])},
    "potential": {"initial_potential": np.array([10, -(2**19), 10]), "bias_mantissa": bias(0)},
    "loaded potential": {"initial_potential": np.array([10, 2 * 255 - 2**19, 10]), "bias_mantissa": bias(255)},
}


@pytest.mark.parametrize("name", BEYOND)
def test_one_beyond_the_limits_is_not(name):
    assert len(found(replace(LEGAL, network=changed("second", **BEYOND[name])))) == 1


def test_every_rule_is_broken_once():
    assert {rule for table in (PROGRAMS, PLACEMENTS, NETWORKS, PROFILES) for rule, *_ in table.values()} == set(
        CROSSBAR_RULES
    )
    assert found(LEGAL) == set()


def test_populations_without_inputs_need_no_type_weights():
    generator = np.random.default_rng(0)
    network = small_network(generator)
    network.graph.remove_edge("sensor", "first")
    network.graph.remove_edge("steady", "first")
    network = population(network, "first", type_weights=None)
    built = build_example(network, random_tiles(network, generator), generator)
    assert found(built) == set()


def test_recorded_demands_are_of_the_crossbar():
    assert all(isinstance(record.demands, CrossbarDemands) for record in LEGAL.placement.cores)
