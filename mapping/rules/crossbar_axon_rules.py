"""Rules NMD803, NMD805 and NMD807 to NMD810: the axons of a program are those that the synapses need."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mapping.rules.crossbar_evidence import DAMAGED, CrossbarEvidence
from mapping.rules.crossbar_numbering import IntArray
from mapping.rules.crossbar_reading import program_problems
from mapping.rules.rule import Rule, broken
from mapping.violation import Violation


def program_malformed(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Arrays have one axis, their types and one length, and are ordered."""
    problems = program_problems(evidence.program)
    for problem in problems:
        yield broken("NMD803", "network", problem, DAMAGED)
    if problems:
        return
    columns, axons = evidence.program.columns, evidence.program.axons
    for name, core, place in (("columns", columns.core, columns.column), ("axons", axons.core, axons.axon)):
        backwards = (core[1:] < core[:-1]) | ((core[1:] == core[:-1]) & (place[1:] < place[:-1]))
        if backwards.any():
            entry = int(backwards.argmax()) + 1
            yield broken("NMD803", "network", f"{name} not ordered by core, the first at entry {entry:,}", DAMAGED)


def axon_unknown(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Axons lie in cores that exist and serve a copy of a neuron that exists, for a projection into the chip."""
    if evidence.reading is None:
        return
    axons, rows = evidence.reading.axons, np.flatnonzero(~evidence.reading.axon_is_known)

    def name(position: int) -> str:
        row = rows[position]
        return (
            f"axon {axons.axon[row]} of core {axons.core[row]} for copy {axons.copy[row]} of neuron "
            f"{axons.source_neuron[row]} of projection {axons.projection[row]}"
        )

    what = "axons of a core, projection, neuron or copy that does not exist"
    yield from evidence.in_cores("NMD805", axons.core[rows], what, name)


def axon_twice(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """An axon of a core has one entry."""
    if evidence.reading is None:
        return
    reading = evidence.reading
    rows = np.flatnonzero(reading.axon_is_of_core)
    places = reading.axons.core[rows].astype(np.int64) * reading.axon_capacity + reading.axons.axon[rows]
    places = repeated(places)
    cores, axons = np.divmod(places, reading.axon_capacity)
    what = "further entries of axons that have one"
    yield from evidence.in_cores("NMD807", cores, what, lambda position: f"of axon {axons[position]}")


def repeated(numbers: IntArray) -> IntArray:
    """Numbers that are there once before, ascending."""
    ordered = np.sort(numbers)
    found: IntArray = ordered[1:][ordered[1:] == ordered[:-1]]
    return found


def axon_type_wrong(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """The type of an axon is that which its projection has for the copy."""
    if evidence.reading is None:
        return
    reading, axons = evidence.reading, evidence.reading.axons
    numbering = reading.numbering
    types = np.full((len(numbering.projections), int(numbering.copies.max(initial=1))), -1, dtype=np.int64)
    for number, projection in enumerate(numbering.projections):
        if numbering.into_chip[number]:
            types[number, : numbering.copies[number]] = projection.axon_types
    known = np.flatnonzero(reading.axon_is_known)
    expected = types[axons.projection[known], axons.copy[known]]
    wrong = axons.axon_type[known] != expected
    rows, expected = known[wrong], expected[wrong]

    def name(position: int) -> str:
        row = rows[position]
        return f"axon {axons.axon[row]} of type {axons.axon_type[row]} in place of {expected[position]}"

    yield from evidence.in_cores("NMD808", axons.core[rows], "axons of a wrong type", name)


def synapse_not_served(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Every source neuron of a core has all its axons there."""
    missing, _ = evidence.missing_and_needless_axons
    yield from slots_in_cores(evidence, "NMD809", missing, "axons missing, without which synapses do nothing")


def axon_needless(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Every axon has a synapse, and is there once."""
    _, needless = evidence.missing_and_needless_axons
    yield from slots_in_cores(evidence, "NMD810", needless, "axons that have no synapse, or are there twice")


def slots_in_cores(evidence: CrossbarEvidence, code: str, keys: IntArray, what: str) -> Iterator[Violation]:
    """One violation for each core of some slots."""
    if len(keys):
        cores, slots = np.divmod(keys, evidence.numbering.slot_count)
        yield from evidence.in_cores(code, cores, what, lambda at: evidence.numbering.slot_name(int(slots[at])))


MALFORMED_PROGRAM = "What the program of a chip of crossbars holds: mapping.crossbar_program."
ONE_DRIVER = "A crossbar (mapping.axon_types): all synapses of an axon act on the spikes of one source."

CROSSBAR_AXON_RULES: tuple[Rule[CrossbarEvidence], ...] = (
    Rule(
        "NMD803",
        "crossbar program malformed",
        "Columns and axons are arrays of one axis, of their types and of one length, ordered by core and place. "
        "No other rule of the program is judged while they are not, or while the network itself is malformed.",
        program_malformed,
        source=MALFORMED_PROGRAM,
        remedy="The program is damaged or edited; compile anew.",
    ),
    Rule(
        "NMD805",
        "axon of something that does not exist",
        "An axon must lie in a core of the placement, within the crossbar, and serve a copy of a neuron of the source "
        "of a projection into the chip.",
        axon_unknown,
        figures=("crossbar.axons",),
        remedy="The program is damaged or edited; compile anew.",
    ),
    Rule(
        "NMD807",
        "axon programmed twice",
        "Each axon of a core has one entry, and so one type and one driver.",
        axon_twice,
        source=MALFORMED_PROGRAM,
        remedy="The program is damaged or edited; compile anew.",
    ),
    Rule(
        "NMD808",
        "axon of a wrong type",
        "An axon has one type for all neurons of its core; it must be that by which the weights of its projection are "
        "made of axons.",
        axon_type_wrong,
        figures=("crossbar.axon_types",),
        source=ONE_DRIVER,
        remedy="The program is damaged or edited; compile anew.",
    ),
    Rule(
        "NMD809",
        "synapse not served",
        "Every source neuron with a synapse into a tile, weights of zero counted, needs its axons in the tile's core: "
        "one for each axon type of the projection. Not judged in cores that need too many axons (NMD801).",
        synapse_not_served,
        source=ONE_DRIVER,
        remedy="Give the core the missing axons; compile anew.",
    ),
    Rule(
        "NMD810",
        "needless axon",
        "An axon of a source neuron without a synapse into the core's tiles, or a second one for the same copy, takes "
        "a row of the crossbar and a column of the source for nothing. Not judged in cores that need too many axons "
        "(NMD801).",
        axon_needless,
        source=ONE_DRIVER,
        remedy="Remove the axon; compile anew.",
    ),
)
