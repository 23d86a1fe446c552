"""Every single tampering with a placement or plain neurons is caught by the rule made for it, by no senseless other.

`test_neuron_tampering` has those with other neurons.
"""

from dataclasses import replace

import mapping_networks as networks
import numpy as np
import pytest
from mapping_strategies import EVERYTHING, LOIHI, changed_profile, limited, listed_core, with_mesh
from network_changes import population, projection
from test_neuron_tampering import NEURON_TAMPERINGS

from mapping.network import InputProjection
from mapping.partition import partition
from mapping.place import CoreAddress, Placement, place
from mapping.route_metrics import route_metrics
from mapping.rules import placement_rules
from mapping.tiles import LIMIT_NAMES, Demands
from mapping.verify import RULES, verify
from mapping.violation import DoesNotFitError


def build():
    """Three populations with a shortcut, small enough to be quick and large enough for several cores."""
    shape = (4, 8, 8)
    populations = [
        networks.population("a", shape),
        networks.population("b", shape, start_step=1, thresholds=[100, 100, 60, 60]),
        networks.population("c", shape, reset="zero", start_step=2),
        networks.population("d", (5, 1, 1), reset="none", start_step=3, is_output=True),
    ]
    conv = networks.conv_connectivity(shape, shape)
    projections = [
        networks.projection("ab", "a", "b", conv, exponent=-3),
        networks.projection("bc", "b", "c", conv, exponent=-3),
        networks.projection("ac", "a", "c", networks.shortcut(shape, shape), exponent=-2, delay=1),
        networks.projection("cd", "c", "d", networks.flatten_dense(shape, 5), exponent=-4),
    ]
    return networks.network(populations, projections)


CHIP = limited(compartments=128)


@pytest.fixture(scope="module")
def placed():
    network = build()
    return network, place(partition(network, CHIP), CHIP)


def found(network, placement, profile):
    return {violation.rule for violation in verify(network, placement, profile)}


def test_untampered_is_legal(placed):
    network, placement = placed
    assert len(placement.cores) > 6
    assert verify(network, placement, CHIP) == []


def with_core(placement, index, **changes):
    cores = list(placement.cores)
    cores[index] = replace(cores[index], **changes)
    return Placement(tuple(cores))


def with_tile(placement, index, **changes):
    return with_core(placement, index, tiles=(replace(placement.cores[index].tiles[0], **changes),))


def busy(placement):
    """Position of a core that sends to others."""
    return next(index for index, core in enumerate(placement.cores) if core.targets)


DEPENDENT = {"NMD101", "NMD108", "NMD109", "NMD110"}
"""What a change of which neurons lie where may also break."""


PLACEMENT_TAMPERINGS = {
    "core dropped": ("NMD101", DEPENDENT, lambda p: Placement(p.cores[:-1])),
    "tile dropped": ("NMD101", DEPENDENT, lambda p: with_core(p, 0, tiles=())),
    "tile shrunk": ("NMD101", DEPENDENT, lambda p: with_tile(p, 0, channels=(0, 1))),
    "tile twice": (
        "NMD102",
        DEPENDENT | {"NMD201"},
        lambda p: with_core(p, 0, tiles=p.cores[0].tiles * 2),
    ),
    "tile outside": ("NMD103", DEPENDENT, lambda p: with_tile(p, 0, rows=(0, 9))),
    "tile negative": ("NMD103", DEPENDENT, lambda p: with_tile(p, 0, columns=(-1, 8))),
    "tile empty": ("NMD103", DEPENDENT, lambda p: with_tile(p, 0, rows=(3, 3))),
    "tile huge": ("NMD103", DEPENDENT, lambda p: with_tile(p, 0, rows=(0, 10**30))),
    "unknown population": ("NMD104", DEPENDENT, lambda p: with_tile(p, 0, population="nobody")),
    "off the mesh": ("NMD105", set(), lambda p: with_core(p, 0, address=CoreAddress(0, 8, 0, 0))),
    "negative slot": ("NMD105", set(), lambda p: with_core(p, 0, address=CoreAddress(0, 7, 3, -1))),
    "two records": ("NMD106", {"NMD108", "NMD109"}, lambda p: with_core(p, 0, address=p.cores[1].address)),
    "chip beyond": (
        "NMD107",
        {"NMD110"},
        lambda p: with_core(p, 0, address=CoreAddress(768, 0, 0, 0)),
    ),
    "target dropped": (
        "NMD108",
        set(),
        lambda p: with_core(p, busy(p), targets=p.cores[busy(p)].targets[1:]),
    ),
    "target not a core": (
        "NMD109",
        set(),
        lambda p: with_core(p, 0, targets=(*p.cores[0].targets, CoreAddress(5, 0, 0, 0))),
    ),
    "target reached by nothing": (
        "NMD109",
        set(),
        lambda p: with_core(p, 0, targets=(p.cores[0].address, *p.cores[0].targets)),
    ),
    "target twice": ("NMD109", set(), lambda p: with_core(p, 0, targets=p.cores[0].targets * 2)),
    **{
        f"recorded {name}": (
            "NMD110",
            set(),
            lambda p, name=name: with_core(
                p,
                0,
                demands=replace(p.cores[0].demands, **{name: getattr(p.cores[0].demands, name) - 1}),
            ),
        )
        for name in Demands.__dataclass_fields__
    },
}


@pytest.mark.parametrize("name", PLACEMENT_TAMPERINGS)
def test_tampered_placement(placed, name):
    network, placement = placed
    rule, others, tamper = PLACEMENT_TAMPERINGS[name]
    rules = found(network, tamper(placement), CHIP)
    assert rule in rules
    assert rules <= others | {rule}


@pytest.mark.parametrize("chip", [CHIP, changed_profile(EVERYTHING, core_limits__compartments=128)])
@pytest.mark.parametrize("name", LIMIT_NAMES)
def test_profile_below_a_demand(chip, name):
    network = build()
    placement = place(partition(network, chip), chip)
    demand = max(getattr(core.demands, name) for core in placement.cores)
    if demand == 0:
        assert chip is CHIP
        assert getattr(chip.core_limits, name) is None
        return
    exact = changed_profile(chip, **{f"core_limits__{name}": demand})
    assert found(network, placement, exact) == set()
    lowered = changed_profile(chip, **{f"core_limits__{name}": demand - 1}) if demand > 1 else exact
    violations = verify(network, placement, lowered)
    assert {violation.rule for violation in violations} == ({LIMIT_NAMES[name].code} if demand > 1 else set())
    for violation in violations:
        assert (violation.demand, violation.capacity) == (demand, demand - 1)
    unlimited = changed_profile(lowered, **{f"core_limits__{name}": None}) if name != "compartments" else exact
    assert found(network, placement, unlimited) == set()


def weights(network, name, value):
    chosen = next(item for item in network.projections if item.name == name)
    changed = chosen.weights.copy()
    changed[0, 0, 0, 0] = value
    return projection(network, name, weights=changed)


def threshold(network, name, value):
    return population(network, name, threshold=np.full(4, value, dtype=np.int64))


def bias(network, **values):
    shape = network.population("b").bias_mantissa.shape
    return population(network, "b", **{name: np.full(shape, value) for name, value in values.items()})


def connectivity(network, name, **changes):
    chosen = next(item for item in network.projections if item.name == name)
    return projection(network, name, connectivity=replace(chosen.connectivity, **changes))


def without_data(network):
    graph = network.graph.copy()
    graph.add_edge("d", "ghost", key="dg", projection=replace(network.projections[0], name="dg", target="ghost"))
    return replace(network, graph=graph)


def misnamed(network):
    graph = network.graph.copy()
    graph.nodes["b"]["population"] = replace(network.population("b"), name="x")
    return replace(network, graph=graph)


def empty_edge(network):
    graph = network.graph.copy()
    graph.add_edge("a", "d", key="ad")
    return replace(network, graph=graph)


def input_to(network, target, weights):
    conv = networks.conv_connectivity(network.input_shape, (4, 8, 8))
    return replace(network, input_projections=(InputProjection("in", target, conv, weights, 8, 8),))


COUNTS = {"NMD110"}
"""What a change of formats or thresholds also changes."""


NETWORK_TAMPERINGS = {
    "odd weight": ("NMD301", set(), lambda n: weights(n, "ab", 3)),
    "weight too large": ("NMD301", set(), lambda n: weights(n, "ab", 256)),
    "weight too small": ("NMD301", set(), lambda n: weights(n, "ab", -258)),
    "negative excitatory": ("NMD301", COUNTS, lambda n: projection(n, "ab", sign_mode="excitatory")),
    "positive inhibitory": ("NMD301", COUNTS, lambda n: projection(n, "ab", sign_mode="inhibitory")),
    "unknown sign mode": ("NMD301", COUNTS, lambda n: projection(n, "ab", sign_mode="both")),
    "fewer bits than the weights have": ("NMD301", COUNTS, lambda n: projection(n, "ab", weight_bits=4)),
    "7 bits": ("NMD302", COUNTS, lambda n: projection(n, "ab", weight_bits=7)),
    "exponent too small": ("NMD303", COUNTS, lambda n: projection(n, "ab", weight_exponent=-8)),
    "negative shift": ("NMD303", COUNTS, lambda n: projection(n, "ab", weight_exponent=-7)),
    "exponent too large": ("NMD303", {"NMD309"}, lambda n: projection(n, "ab", weight_exponent=8)),
    "threshold between steps": ("NMD304", {"NMD305"} | COUNTS, lambda n: threshold(n, "b", 6401)),
    "threshold zero": ("NMD304", COUNTS, lambda n: threshold(n, "b", 0)),
    "threshold too large": ("NMD304", {"NMD305"} | COUNTS, lambda n: threshold(n, "b", 1 << 24)),
    "zero reset at a multiple": ("NMD304", COUNTS, lambda n: threshold(n, "c", 6400)),
    "reset weight too wide": ("NMD305", COUNTS, lambda n: threshold(n, "b", 257 * 64)),
    "reset exponent too large": ("NMD305", COUNTS, lambda n: threshold(n, "b", 255 * 256 * 64)),
    "bias mantissa": ("NMD306", set(), lambda n: bias(n, bias_mantissa=4096)),
    "bias exponent": ("NMD306", set(), lambda n: bias(n, bias_exponent=8)),
    "initial potential": (
        "NMD307",
        set(),
        lambda n: population(n, "a", initial_potential=np.full(4, -(1 << 23))),
    ),
    "delay too long": ("NMD308", {"NMD403"} | COUNTS, lambda n: projection(n, "ac", delay=63)),
    "delay negative": ("NMD308", {"NMD403"} | COUNTS, lambda n: projection(n, "ac", delay=-1)),
    "input may overflow": ("NMD309", COUNTS, lambda n: projection(n, "cd", weight_exponent=6)),
    "other state": ("NMD310", set(), lambda n: replace(n, state_max=2**15 - 1)),
    "other synapse exponent": ("NMD310", {"NMD303"}, lambda n: replace(n, synapse_exponent=4)),
    "other bias field": ("NMD310", set(), lambda n: replace(n, bias_exponent_max=3)),
    "no such population": ("NMD401", {"NMD402"}, without_data),
    "misnamed population": ("NMD401", set(), misnamed),
    "edge without projection": ("NMD401", set(), empty_edge),
    "name twice": ("NMD401", set(), lambda n: projection(n, "bc", name="ab")),
    "input to nobody": ("NMD401", set(), lambda n: input_to(n, "x", np.zeros((4, 4, 3, 3), np.int64))),
    "input weights": ("NMD402", set(), lambda n: input_to(n, "a", np.zeros((4, 4, 3, 1), np.int64))),
    "weight shape": (
        "NMD402",
        set(),
        lambda n: projection(n, "ab", weights=np.zeros((4, 4, 3, 2), np.int32)),
    ),
    "weight type": ("NMD402", set(), lambda n: projection(n, "ab", weights=np.zeros((4, 4, 3, 3)))),
    "table outside": ("NMD402", set(), lambda n: connectivity(n, "ab", rows=np.full((8, 3), 8, np.int32))),
    "groups": ("NMD402", set(), lambda n: connectivity(n, "ab", groups=3)),
    "channels": ("NMD402", set(), lambda n: connectivity(n, "ab", source_channels=(0, 5))),
    "source shape": ("NMD402", set(), lambda n: connectivity(n, "ab", source_shape=(4, 9, 8))),
    "unbalanced": ("NMD403", COUNTS, lambda n: projection(n, "bc", delay=1)),
    "late start": ("NMD403", set(), lambda n: population(n, "b", start_step=2)),
    "signed neurons": (
        "NMD404",
        {"NMD408"},
        lambda n: population(n, "c", negative_threshold=n.population("c").threshold),
    ),
    "spikes of -1": (
        "NMD408",
        {"NMD404"},
        lambda n: population(n, "c", negative_threshold=n.population("c").threshold),
    ),
    "start before the first step": ("NMD406", {"NMD403"}, lambda n: population(n, "a", start_step=-1)),
    "unknown reset": ("NMD405", COUNTS, lambda n: population(n, "c", reset="soft")),
    "threshold shape": ("NMD406", set(), lambda n: population(n, "b", threshold=np.full(3, 6400))),
    "bias shape": ("NMD406", set(), lambda n: population(n, "b", bias_mantissa=np.zeros((4, 1), np.int64))),
    "float potential": ("NMD406", set(), lambda n: population(n, "b", initial_potential=np.zeros(4))),
}


@pytest.mark.parametrize("name", NETWORK_TAMPERINGS)
def test_tampered_network(placed, name):
    network, placement = placed
    rule, others, tamper = NETWORK_TAMPERINGS[name]
    rules = found(tamper(network), placement, CHIP)
    assert rule in rules
    assert rules <= others | {rule}


def test_more_routes_than_the_tool_handles(placed, monkeypatch):
    network, placement = placed
    monkeypatch.setattr(placement_rules, "LARGEST_ROUTE_COUNT", 3)
    assert found(network, placement, CHIP) == {"NMD111"}
    monkeypatch.setattr("mapping.partition.LARGEST_ROUTE_COUNT", 3)
    with pytest.raises(DoesNotFitError, match="NMD111 network"):
        partition(network, CHIP)


@pytest.mark.parametrize("what", ["dead", "reserved"])
@pytest.mark.parametrize("every_chip", [True, False])
def test_core_that_must_not_be_used(placed, what, every_chip):
    network, placement = placed
    used = placement.cores[2].address
    site = (used.x, used.y, used.slot)
    profile = with_mesh(CHIP, **{f"{what}_cores": [listed_core(None if every_chip else used.chip, site)]})
    violations = verify(network, placement, profile)
    assert [(item.rule, item.where) for item in violations] == [("NMD112", f"core {used}")]
    assert what in violations[0].message
    elsewhere = with_mesh(CHIP, **{f"{what}_cores": [listed_core(used.chip + 1, site)]})
    assert verify(network, placement, elsewhere) == []
    assert verify(network, place(partition(network, profile), profile), profile) == []


def test_more_cores_of_a_chip_than_may_be_used(placed):
    network, placement = placed
    count = len(placement.cores)
    assert verify(network, placement, changed_profile(CHIP, mesh__usable_cores_per_chip=count)) == []
    violations = verify(network, placement, changed_profile(CHIP, mesh__usable_cores_per_chip=count - 1))
    assert [(item.rule, item.where, item.demand, item.capacity) for item in violations] == [
        ("NMD113", "chip 0", count, count - 1)
    ]


def test_larger_routing_tables_than_a_router_has(placed):
    network, placement = placed
    most = route_metrics(network, placement, changed_profile(CHIP, multicast__router_entries=1)).most_routing_entries
    assert most > 1
    assert verify(network, placement, changed_profile(CHIP, multicast__router_entries=most)) == []
    violations = verify(network, placement, changed_profile(CHIP, multicast__router_entries=most - 1))
    assert {(item.rule, item.severity, item.demand) for item in violations} == {("NMD114", "warning", most)}


def test_every_rule_is_tampered_with_and_explained():
    tables = (PLACEMENT_TAMPERINGS, NETWORK_TAMPERINGS, NEURON_TAMPERINGS)
    tampered = {rule for table in tables for rule, _, _ in table.values()}
    tampered |= {name.code for name in LIMIT_NAMES.values()} | {"NMD111", "NMD112", "NMD113", "NMD114"}
    assert tampered == set(RULES)
    assert list(RULES) == sorted(RULES)
    for code, rule in RULES.items():
        assert rule.code == code
        assert rule.title
        assert len(rule.explanation) > 40


def test_messages_say_where_what_demand_capacity_and_remedy(placed):
    network, placement = placed
    profile = changed_profile(CHIP, core_limits__synapse_memory_words=50)
    first = verify(network, placement, profile)[0]
    assert str(first).startswith("NMD204 core chip 0 (0,0) slot ") or first.rule == "NMD204"
    assert " > 50). " in str(first)
    assert "synapse memory words for " in str(first)


def test_profile_without_a_neuron_or_reset(placed):
    network, placement = placed
    data = LOIHI.model_dump()
    data["neuron_models"]["names"] = ["signed"]
    data["reset_modes"]["names"] = ["zero"]
    profile = type(LOIHI).model_validate(data)
    assert found(network, placement, profile) == {"NMD404", "NMD405"}


def test_fewer_routers_or_chips(placed):
    network, placement = placed
    assert found(network, placement, changed_profile(CHIP, mesh__cores_per_router=1)) == {"NMD105"}
    moved = with_core(placement, len(placement.cores) - 1, address=CoreAddress(1, 0, 0, 0))
    assert "NMD107" in found(network, moved, changed_profile(CHIP, mesh__chips=1))
