"""Rules NMD101 to NMD113: every neuron lies on exactly one core, and the records are true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from mapping.placement import CoreAddress
from mapping.rules.evidence import Evidence, PlacedNetwork
from mapping.rules.rule import Rule, broken
from mapping.tiles import LARGEST_ROUTE_COUNT, LIMIT_NAMES
from mapping.violation import Violation


def coverage(evidence: PlacedNetwork) -> Iterator[tuple[str, NDArray[np.int32]]]:
    """Yield how often each neuron of each sound population is placed."""
    for name, population in evidence.countable_on_cores.items():
        times = np.zeros(population.shape, dtype=np.int32)
        for placed in evidence.placed:
            if placed.tile.population == name:
                tile = placed.tile
                times[slice(*tile.channels), slice(*tile.rows), slice(*tile.columns)] += 1
        yield name, times


def neuron_not_placed(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Every neuron lies on a core."""
    for name, times in coverage(evidence):
        missing = np.argwhere(times == 0)
        if len(missing):
            message = f"{len(missing):,} of {times.size:,} neurons on no core, the first {position(missing[0])}"
            yield broken("NMD101", f"population {name}", message, "Place them; compile anew")


def neuron_placed_twice(evidence: PlacedNetwork) -> Iterator[Violation]:
    """No neuron lies on two cores, or twice on one."""
    for name, times in coverage(evidence):
        repeated = np.argwhere(times > 1)
        if len(repeated):
            first = position(repeated[0])
            message = f"{len(repeated):,} neurons placed more than once, the first {first}"
            yield broken("NMD102", f"population {name}", message, "Keep one of the tiles; compile anew")


def position(index: NDArray[np.int64]) -> str:
    """Channel, row and column of a neuron in words."""
    channel, row, column = index.tolist()
    return f"(channel {channel}, row {row}, column {column})"


def tile_outside_population(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Tiles are not empty and lie inside their population."""
    for record in evidence.placement.cores:
        for tile in record.tiles:
            if tile.population in evidence.named_populations and not evidence.tile_lies_inside(tile):
                shape = evidence.named_populations[tile.population].shape
                message = f"tile {tile} is empty or outside its population of shape {shape}"
                yield broken("NMD103", f"core {record.address}", message, "Correct the tile; compile anew")


def unknown_population(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Tiles are of populations that the network has."""
    for record in evidence.placement.cores:
        for tile in record.tiles:
            if tile.population not in evidence.named_populations:
                message = f"tile of population {tile.population!r}, which the network does not have"
                remedy = "Check the placement against the network it was made from; compile anew"
                yield broken("NMD104", f"core {record.address}", message, remedy)


def address_outside_mesh(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Cores lie on the chip's mesh."""
    mesh = evidence.profile.mesh
    sizes = (mesh.routers_x.value, mesh.routers_y.value, mesh.cores_per_router.value)
    for record in evidence.placement.cores:
        address = record.address
        inside = zip((address.x, address.y, address.slot), sizes, strict=True)
        if address.chip < 0 or not all(0 <= value < size for value, size in inside):
            message = f"outside the mesh of {sizes[0]} x {sizes[1]} routers with {sizes[2]} cores each"
            yield broken("NMD105", f"core {address}", message, "Use an address on the mesh; compile anew")


def two_records_of_one_core(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Each core has one record."""
    counts = Counter(record.address for record in evidence.placement.cores)
    for address, count in counts.items():
        if count > 1:
            message = f"{count} records for the same core"
            yield broken("NMD106", f"core {address}", message, "Merge or move them; compile anew")


def chip_beyond_system(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Chips have numbers below the number of chips of the system."""
    chips = evidence.profile.mesh.chips.value
    for chip in sorted({record.address.chip for record in evidence.placement.cores}):
        if chip >= chips:
            remedy = "Use a smaller network, or a target with more chips"
            yield broken("NMD107", f"chip {chip}", "chips in the system", remedy, chip + 1, chips)


def target_missing(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Every core that a core's neurons reach stands in its targets."""
    for index, record in enumerate(evidence.placement.cores if evidence.is_countable else ()):
        missing = sorted(evidence.reached(index) - set(record.targets))
        if missing:
            message = f"spikes are not routed to {addresses(missing)}"
            yield broken("NMD108", f"core {record.address}", message, "Add the targets; compile anew")


def target_needless(evidence: PlacedNetwork) -> Iterator[Violation]:
    """Every target is a core that the core's neurons reach, and stands there once."""
    for index, record in enumerate(evidence.placement.cores if evidence.is_countable else ()):
        listed = Counter(record.targets)
        wrong = sorted((listed - Counter(evidence.reached(index))).keys())
        if wrong:
            message = f"spikes are routed to {addresses(wrong)}, where none of its neurons has a synapse"
            if set(wrong) <= evidence.reached(index):
                message = f"spikes are routed more than once to {addresses(wrong)}"
            yield broken("NMD109", f"core {record.address}", message, "Remove the targets; compile anew")


def addresses(cores: list[CoreAddress]) -> str:
    """The first of some cores, and how many more there are."""
    more = f" and {len(cores) - 1} more" if len(cores) > 1 else ""
    return f"core {cores[0]}{more}"


def demand_misrecorded(evidence: Evidence) -> Iterator[Violation]:
    """The demands in the record are those counted anew."""
    for record, demands in evidence.cores_with_demands() if evidence.network_is_sound else ():
        if record.demands == demands:
            continue
        recorded = asdict(record.demands)
        for name, counted in asdict(demands).items():
            if recorded[name] != counted:
                message = f"{LIMIT_NAMES[name].label} recorded as {recorded[name]:,}, counted {counted:,}"
                remedy = "Network and placement do not belong together, or one was edited; compile anew"
                yield broken("NMD110", f"core {record.address}", message, remedy)


def too_many_routes(evidence: Evidence) -> Iterator[Violation]:
    """The targets of all cores together are no more than this tool handles."""
    routes = sum(len(record.targets) for record in evidence.placement.cores)
    if routes > LARGEST_ROUTE_COUNT:
        remedy = "Use fewer channels or more groups, so that neurons reach fewer cores"
        message = "pairs of sending and receiving core"
        yield broken("NMD111", "network", message, remedy, routes, LARGEST_ROUTE_COUNT)


def core_not_to_be_used(evidence: PlacedNetwork) -> Iterator[Violation]:
    """No core is used that the profile lists as dead or reserved."""
    mesh = evidence.profile.mesh
    for record in evidence.placement.cores:
        address = record.address
        for what, listed in (("dead", mesh.dead_cores), ("reserved", mesh.reserved_cores)):
            for core in listed:
                same_chip = core.chip is None or core.chip == address.chip
                if same_chip and (core.x, core.y, core.slot) == (address.x, address.y, address.slot):
                    message = f"the core is {what} ({core.source})"
                    yield broken("NMD112", f"core {address}", message, "Move its tiles to another core; compile anew")


def too_many_cores_of_a_chip(evidence: PlacedNetwork) -> Iterator[Violation]:
    """No chip has more cores in use than software may use."""
    limit = evidence.profile.mesh.usable_cores_per_chip
    used = Counter(address.chip for address in {record.address for record in evidence.placement.cores})
    for chip, count in sorted(used.items()):
        if limit is not None and count > limit.value:
            remedy = "Move tiles to another chip; compile anew"
            yield broken("NMD113", f"chip {chip}", "cores in use", remedy, count, limit.value)


def too_many_routing_entries(evidence: Evidence) -> Iterator[Violation]:
    """No router needs more entries than its table has, as counted before compression."""
    limit = evidence.profile.multicast
    if limit is None or any(address_outside_mesh(evidence)):
        return
    for router, entries in sorted(entries_of_routers(evidence).items()):
        if entries > limit.router_entries.value:
            where, message = f"router {router} of the system", "entries of the routing table before compression"
            remedy = "Compress the tables, use --effort high, or a target with larger tables"
            yield Violation("NMD114", "warning", where, message, entries, limit.router_entries.value, remedy)


def entries_of_routers(evidence: Evidence) -> Counter[tuple[int, int]]:
    """Routers at which the packets of each core do not go straight on, by walking along the route to each target."""
    mesh, counts = evidence.profile.mesh, Counter[tuple[int, int]]()
    places = []
    for record in evidence.placement.cores:
        column, row = mesh.chip_position(record.address.chip)
        places.append((column * mesh.routers_x.value + record.address.x, row * mesh.routers_y.value + record.address.y))
    for place, targets in zip(places, evidence.routes.targets, strict=True):
        stops = {places[target] for target in targets}
        turns = {(x, place[1]) for x, y in stops if y != place[1]}
        counts.update(stops | turns | ({place} if stops else set()))
    return counts


RECORD_RULES: tuple[Rule[PlacedNetwork], ...] = (
    Rule(
        "NMD101",
        "neuron not placed",
        "Every neuron of every population must lie on a core, or it would never spike.",
        neuron_not_placed,
        source="What a placement is: every neuron on exactly one core, every core recorded once.",
        remedy="Give the neurons a tile on some core; compile writes placements that cover all of them.",
    ),
    Rule(
        "NMD102",
        "neuron placed twice",
        "A neuron on two cores, or twice on one, would send its spikes twice.",
        neuron_placed_twice,
        source="What a placement is: every neuron on exactly one core, every core recorded once.",
        remedy="Keep one of the tiles that hold the neuron.",
    ),
    Rule(
        "NMD103",
        "tile outside its population",
        "A tile is a box of neurons; it must hold at least one and lie inside its population.",
        tile_outside_population,
        source="What a placement is: every neuron on exactly one core, every core recorded once.",
        remedy="Correct the bounds of the tile.",
    ),
    Rule(
        "NMD104",
        "tile of an unknown population",
        "The placement names a population that the network does not have.",
        unknown_population,
        source="What a placement is: every neuron on exactly one core, every core recorded once.",
        remedy="Check the placement with the network it was made from.",
    ),
    Rule(
        "NMD105",
        "core address outside the mesh",
        "A core is found by chip, router column, router row and slot at the router; each must exist on the chip.",
        address_outside_mesh,
        figures=("mesh.routers_x", "mesh.routers_y", "mesh.cores_per_router"),
        remedy="Move the core to an address on the mesh.",
    ),
    Rule(
        "NMD106",
        "two records for one core",
        "Each core has one record, so that its demands are counted together.",
        two_records_of_one_core,
        source="What a placement is: every neuron on exactly one core, every core recorded once.",
        remedy="Merge the records, or move one of them to a free core.",
    ),
    Rule(
        "NMD107",
        "more chips than the system has",
        "The largest system of a target holds a fixed number of chips.",
        chip_beyond_system,
        figures=("mesh.chips",),
        remedy="Use a smaller network, or a target with more chips.",
    ),
    Rule(
        "NMD108",
        "target core missing",
        "A core that a neuron has a synapse on is not among its core's targets: the spikes would not "
        "arrive. Not judged while the network itself is malformed (NMD401, NMD402, NMD406).",
        target_missing,
        source="Axon routing (mapping.placement): a spike acts on every synapse of its neuron, on whichever core.",
        remedy="Add the missing targets to the core's record.",
    ),
    Rule(
        "NMD109",
        "needless target core",
        "A target core stands there twice, does not exist, or no neuron of the core has a synapse on it. "
        "Not judged while the network itself is malformed (NMD401, NMD402, NMD406).",
        target_needless,
        source="Axon routing (mapping.placement): a spike acts on every synapse of its neuron, on whichever core.",
        remedy="Remove the needless targets from the core's record.",
    ),
    Rule(
        "NMD112",
        "dead or reserved core in use",
        "The profile lists cores that are broken, and cores that software keeps for itself, on one chip or on "
        "every chip; none of them may hold neurons.",
        core_not_to_be_used,
        source="The lists mesh.dead_cores and mesh.reserved_cores of the profile, each entry with its own source.",
        remedy="Move the core's tiles to another core.",
    ),
    Rule(
        "NMD113",
        "too many cores of one chip",
        "Boards may expose fewer cores of a chip than it has (usable_cores_per_chip).",
        too_many_cores_of_a_chip,
        figures=("mesh.usable_cores_per_chip",),
        remedy="Move tiles to another chip.",
    ),
)
"""Those of any chip of which cores take tiles."""

COUNTED_RULES: tuple[Rule[Evidence], ...] = (
    Rule(
        "NMD110",
        "recorded demand is wrong",
        "Each record holds the demands that the partitioner counted; the verifier counts them anew by other "
        "code, and both must agree. Not judged while the network itself is malformed (NMD401, NMD402, "
        "NMD406).",
        demand_misrecorded,
        source="Two countings by different code: mapping.partition and mapping.rules.core_recount.",
        remedy="Check the placement with the network it was made from; if it is the right one, report a bug.",
    ),
    Rule(
        "NMD111",
        "too many routes",
        "The pairs of sending and receiving core are more than this tool holds in memory. It is no limit of the chip; "
        "networks get there when the fan-in of their layers lets tiles shrink to single neurons.",
        too_many_routes,
        source="mapping.tiles.LARGEST_ROUTE_COUNT: the memory of this tool, not a limit of a chip.",
        remedy="Use fewer channels or more groups, so that neurons reach fewer cores.",
    ),
    Rule(
        "NMD114",
        "routing table too small",
        "Where packets of a core part, turn or arrive, its router's table needs an entry. They are counted before "
        "compression, which may make them fit, so this is a warning.",
        too_many_routing_entries,
        figures=("multicast.router_entries",),
        remedy="Compress the tables, place with --effort high, or take a target with larger tables.",
    ),
)
"""Those of chips with cores of neurons and synapses alone."""

PLACEMENT_RULES: tuple[Rule[Evidence], ...] = tuple(sorted((*RECORD_RULES, *COUNTED_RULES), key=lambda rule: rule.code))
