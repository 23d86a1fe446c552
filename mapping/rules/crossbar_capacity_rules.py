"""Rules NMD801, NMD802 and NMD829: what a crossbar needs, counted anew, is no more than it has, and as recorded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mapping.rules.crossbar_evidence import DAMAGED, CrossbarEvidence
from mapping.rules.crossbar_numbering import IntArray
from mapping.rules.rule import Rule, broken
from mapping.tiles import CrossbarDemands
from mapping.violation import Violation


def over_capacity(
    code: str, evidence: CrossbarEvidence, demands: IntArray, capacity: int, label: str, remedy: str
) -> Iterator[Violation]:
    """Yield the cores that need more of one capacity than there is."""
    for core in np.flatnonzero(demands > capacity).tolist():
        record = evidence.placement.cores[core]
        message = f"{label} for {', '.join(map(str, record.tiles))}"
        yield broken(code, f"core {record.address}", message, remedy, int(demands[core]), capacity)


def too_many_axons(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Source neurons of a core, each as often as its projection has axon types."""
    if evidence.is_countable:
        remedy = "Put fewer rows and columns on the core, split the fan-in, or give its weights fewer axons"
        capacity = evidence.profile.crossbar.axons.value
        yield from over_capacity("NMD801", evidence, evidence.needs.axons, capacity, "axons", remedy)


def too_many_columns(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Neurons of a core, each as often as it drives an axon, or is read by the host."""
    for name, population in evidence.on_cores.items():
        if name in evidence.populations and name not in evidence.countable_on_cores:
            message, remedy = "neurons, of all cores of the system", "Use a smaller network"
            demand, capacity = population.neuron_count, evidence.neurons_of_system
            yield broken("NMD802", f"population {name}", message, remedy, demand, capacity)
    if evidence.is_countable:
        remedy = "Put fewer neurons on the core, their targets on fewer cores, or let relays make the copies"
        capacity = evidence.profile.crossbar.neurons.value
        yield from over_capacity("NMD802", evidence, evidence.needs.columns, capacity, "columns", remedy)


def demand_misrecorded(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """The demands in the record are those counted anew."""
    counted = (evidence.needs.axons.tolist(), evidence.needs.columns.tolist()) if evidence.is_countable else ([], [])
    # without `strict`: nothing was counted of a malformed network
    for record, axons, columns in zip(evidence.placement.cores, *counted, strict=False):
        where, recorded = f"core {record.address}", record.demands
        if not isinstance(recorded, CrossbarDemands):
            yield broken("NMD829", where, "demands recorded that are not those of a crossbar", DAMAGED)
        elif recorded != CrossbarDemands(axons, columns):
            message = f"{recorded.axons} axons and {recorded.neurons} columns recorded, {axons} and {columns} counted"
            yield broken("NMD829", where, message, DAMAGED)


CROSSBAR_CAPACITY_RULES: tuple[Rule[CrossbarEvidence], ...] = (
    Rule(
        "NMD801",
        "too many axons",
        "Each source neuron with a synapse into a core takes axons of the core: for each projection one for every "
        "axon type that its weights are made of. Weights of zero count; two tiles of one population share axons.",
        too_many_axons,
        figures=("crossbar.axons",),
        remedy="Put fewer rows and columns on the core, split the fan-in, or give the weights fewer axons.",
    ),
    Rule(
        "NMD802",
        "too many columns",
        "A column of a crossbar sends its spikes to one axon of one core, or to the host. A neuron takes a column for "
        "each axon that it drives and one if the host reads it, and at least one.",
        too_many_columns,
        figures=("crossbar.neurons", "crossbar.target_axons_per_neuron"),
        remedy="Put fewer neurons on the core, their targets on fewer cores, or let relays make the copies.",
    ),
    Rule(
        "NMD829",
        "recorded demand of a crossbar is wrong",
        "Each record holds the axons and columns that the mapper counted; the verifier counts them anew from the index "
        "tables, and both must agree. Not judged while the network itself is malformed.",
        demand_misrecorded,
        source="Two countings by different code: the mapper's and mapping.rules.crossbar_recount.",
        remedy="Check the placement with the network it was made from; if it is the right one, report a bug.",
    ),
)
