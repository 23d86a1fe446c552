"""Rules NMD804, NMD806, NMD811 to NMD820: the columns of a program are its neurons, each with one target."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mapping.crossbar_program import TO_HOST
from mapping.rules.crossbar_axon_rules import ONE_DRIVER, repeated
from mapping.rules.crossbar_evidence import CrossbarEvidence
from mapping.rules.crossbar_numbering import IntArray
from mapping.rules.crossbar_reading import NOTHING, ON_HOST, UNKNOWN
from mapping.rules.rule import Rule
from mapping.violation import Violation


def of_columns(
    evidence: CrossbarEvidence, code: str, wrong: NDArray[np.bool_], what: str, remedy: str | None = None
) -> Iterator[Violation]:
    """One violation for each core with columns that are wrong."""
    assert evidence.reading is not None
    reading, rows = evidence.reading, np.flatnonzero(wrong)
    columns = reading.columns

    def name(position: int) -> str:
        row = rows[position]
        neuron = int(reading.column_neuron[row])
        of_neuron = f" of {reading.numbering.neuron_name(neuron)}" if neuron >= 0 else ""
        aim = f"core {columns.target_core[row]} axon {columns.target_axon[row]}"
        to_host = columns.target_core[row] == TO_HOST
        return f"column {columns.column[row]}{of_neuron} to {'the host' if to_host else aim}"

    yield from evidence.in_cores(code, columns.core[rows], what, name, *([] if remedy is None else [remedy]))


def of_neurons(evidence: CrossbarEvidence, code: str, wrong: NDArray[np.bool_], what: str) -> Iterator[Violation]:
    """One violation for each core with placed neurons that are wrong."""
    neurons = np.flatnonzero(wrong)
    yield from evidence.in_cores(
        code, evidence.needs.home[neurons], what, lambda at: evidence.numbering.neuron_name(int(neurons[at]))
    )


def column_unknown(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Columns lie in cores that exist and are of neurons on the chip."""
    if evidence.reading is not None:
        what = "columns of a core or neuron that does not exist on the chip"
        yield from of_columns(evidence, "NMD804", evidence.reading.column_neuron < 0, what)


def column_twice(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """A column of a core has one entry, and so one target."""
    if evidence.reading is None:
        return
    reading = evidence.reading
    rows = np.flatnonzero(reading.column_is_of_core)
    places = reading.columns.core[rows].astype(np.int64) * reading.column_capacity + reading.columns.column[rows]
    cores, columns = np.divmod(repeated(places), reading.column_capacity)
    what = "further entries of columns that have one"
    yield from evidence.in_cores("NMD806", cores, what, lambda position: f"of column {columns[position]}")


def column_in_foreign_core(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Columns of a core are of neurons of its tiles."""
    if evidence.reading is None:
        return
    neuron = evidence.reading.column_neuron
    known = np.flatnonzero(neuron >= 0)
    foreign = np.zeros(len(neuron), dtype=np.bool_)
    foreign[known] = evidence.needs.home[neuron[known]] != evidence.reading.columns.core[known]
    yield from of_columns(evidence, "NMD811", foreign, "columns of neurons that no tile of the core holds")


def neuron_without_column(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Every placed neuron has a column."""
    if evidence.reading is not None:
        missing = (columns_of_neurons(evidence) == 0) & (evidence.needs.home >= 0)
        yield from of_neurons(evidence, "NMD812", missing, "neurons without a column")


def columns_of_neurons(evidence: CrossbarEvidence, to_host: bool = False) -> IntArray:
    """Columns of each neuron, all or those to the host."""
    assert evidence.reading is not None
    neuron = evidence.reading.column_neuron
    counted = neuron >= 0
    if to_host:
        counted &= evidence.reading.column_aim == TO_HOST
    return np.bincount(neuron[counted], minlength=evidence.numbering.neuron_count).astype(np.int64)


def column_aims_at_nothing(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """A column aims at an axon that is programmed, or at the host."""
    if evidence.reading is not None:
        nothing = evidence.reading.column_aim == NOTHING
        yield from of_columns(evidence, "NMD813", nothing, "columns that aim at no axon of the program")


def aimed_columns(evidence: CrossbarEvidence) -> tuple[IntArray, NDArray[np.int32]]:
    """Entries of known columns that aim at an axon, and the entries of those axons."""
    assert evidence.reading is not None
    aim = evidence.reading.column_aim
    rows = np.flatnonzero((aim >= 0) & (evidence.reading.column_neuron >= 0))
    return rows, aim[rows]


def axon_driven_by_another(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """A column drives only axons that are its neuron's."""
    if evidence.reading is None:
        return
    rows, axons = aimed_columns(evidence)
    driver = evidence.reading.axon_driver[axons]
    wrong = np.zeros(len(evidence.reading.column_aim), dtype=np.bool_)
    wrong[rows] = (driver != UNKNOWN) & (driver != evidence.reading.column_neuron[rows])
    yield from of_columns(evidence, "NMD814", wrong, "columns that drive an axon of another neuron or of the host")


def axon_driven_twice(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """No axon is driven by two columns."""
    if evidence.reading is not None:
        drivers = evidence.reading.drivers
        yield from of_axons(evidence, "NMD815", drivers > 1, "axons that several columns drive")


def axon_not_driven(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Every axon of a neuron on the chip has a column that drives it."""
    if evidence.reading is not None:
        idle = (evidence.reading.drivers == 0) & (evidence.reading.axon_driver > ON_HOST)
        yield from of_axons(evidence, "NMD816", idle, "axons that no column drives")


def of_axons(evidence: CrossbarEvidence, code: str, wrong: NDArray[np.bool_], what: str) -> Iterator[Violation]:
    """One violation for each core with axons that are wrong."""
    assert evidence.reading is not None
    axons, rows = evidence.reading.axons, np.flatnonzero(wrong)
    driver = evidence.reading.axon_driver

    def name(position: int) -> str:
        row = rows[position]
        known = driver[row] > ON_HOST
        source = f" of {evidence.numbering.neuron_name(int(driver[row]))}" if known else ""
        return f"axon {axons.axon[row]}{source}"

    yield from evidence.in_cores(code, axons.core[rows], what, name)


def delay_wrong(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """A column delays its spikes by one step and the delay of the projection that it serves."""
    if evidence.reading is None:
        return
    reading = evidence.reading
    delay = reading.columns.delay
    wrong = np.zeros(len(delay), dtype=np.bool_)
    rows, axons = aimed_columns(evidence)
    known = reading.axon_is_known[axons]
    rows, axons = rows[known], axons[known]
    largest = evidence.profile.number_formats.delay_max.value
    # a delay beyond the field is told from all that the field holds, and fits the array
    steps = [min(max(1 + projection.delay, 0), largest + 1) for projection in reading.numbering.projections]
    wrong[rows] = delay[rows] != np.array(steps, dtype=np.int64)[reading.axons.projection[axons]]
    to_host = np.flatnonzero((reading.column_aim == TO_HOST) & (reading.column_neuron >= 0))
    wrong[to_host] = ~delays_to_host(evidence)[reading.columns.population[to_host], np.clip(delay[to_host], 0, largest)]
    wrong &= ~delay_is_outside(evidence)
    what = "columns with another delay than one step and that of their projection"
    yield from of_columns(evidence, "NMD817", wrong, what)


def delays_to_host(evidence: CrossbarEvidence) -> NDArray[np.bool_]:
    """Delays that columns to the host may have, by population; any, if the host does not read the population."""
    numbering, largest = evidence.numbering, evidence.profile.number_formats.delay_max.value
    allowed = np.zeros((len(numbering.names), largest + 1), dtype=np.bool_)
    for source, projection, inside in zip(
        numbering.sources.tolist(), numbering.projections, numbering.into_chip.tolist(), strict=True
    ):
        if not inside and 0 <= 1 + projection.delay <= largest:
            allowed[source, 1 + projection.delay] = True
    read = set(numbering.sources[~numbering.into_chip].tolist())
    allowed[[number for number in range(len(numbering.names)) if number not in read]] = True
    return allowed


def delay_outside_range(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Delays of columns fit their field."""
    if evidence.reading is not None:
        formats = evidence.profile.number_formats
        what = f"columns with a delay outside {formats.delay_min.value} to {formats.delay_max.value} steps"
        remedy = "Shorten the longer path beside it, or put relays into this one"
        yield from of_columns(evidence, "NMD818", delay_is_outside(evidence), what, remedy)


def delay_is_outside(evidence: CrossbarEvidence) -> NDArray[np.bool_]:
    """Whether the delay of each column does not fit its field."""
    assert evidence.reading is not None
    delay, formats = evidence.reading.columns.delay, evidence.profile.number_formats
    return (delay < formats.delay_min.value) | (delay > formats.delay_max.value)


def output_not_sent(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """Every neuron that the host reads has a column to the host."""
    if evidence.reading is not None:
        sent = columns_of_neurons(evidence, to_host=True) > 0
        has_columns = columns_of_neurons(evidence) > 0
        silent = evidence.needs.read_by_host & ~sent & has_columns & (evidence.needs.home >= 0)
        yield from of_neurons(evidence, "NMD819", silent, "neurons that the host reads without a column to the host")


def column_needless(evidence: CrossbarEvidence) -> Iterator[Violation]:
    """A neuron has one column to the host, and none if it is not read but drives axons."""
    if evidence.reading is not None:
        needs = evidence.needs
        allowed = needs.read_by_host | (needs.driven == 0)
        excess = columns_of_neurons(evidence, to_host=True) > allowed
        what = "neurons with a column to the host that is not needed"
        yield from of_neurons(evidence, "NMD820", excess & (needs.home >= 0), what)


EDITED = "The program is damaged or edited; compile anew."
ONE_TARGET = "Columns (mapping.crossbar_program): copies of a neuron, each with one target."

CROSSBAR_COLUMN_RULES: tuple[Rule[CrossbarEvidence], ...] = (
    Rule(
        "NMD804",
        "column of something that does not exist",
        "A column must lie in a core of the placement, within the crossbar, and be of a neuron of a population on the "
        "chip.",
        column_unknown,
        figures=("crossbar.neurons",),
        remedy=EDITED,
    ),
    Rule(
        "NMD806",
        "column programmed twice",
        "Each column of a core has one entry, and so one target: a neuron sends its spikes to one axon.",
        column_twice,
        figures=("crossbar.target_axons_per_neuron",),
        remedy=EDITED,
    ),
    Rule(
        "NMD811",
        "column in a foreign core",
        "A column sees the axons of its own core, so it can only be a neuron of a tile of that core.",
        column_in_foreign_core,
        source=ONE_TARGET,
        remedy=EDITED,
    ),
    Rule(
        "NMD812",
        "neuron without column",
        "Every neuron of a tile needs a column in the tile's core, or it is not computed.",
        neuron_without_column,
        source=ONE_TARGET,
        remedy=EDITED,
    ),
    Rule(
        "NMD813",
        "column aims at nothing",
        "A column must aim at an axon that the program has, or at the host, with target axon 0.",
        column_aims_at_nothing,
        source=ONE_TARGET,
        remedy=EDITED,
    ),
    Rule(
        "NMD814",
        "axon driven by another neuron",
        "An axon stands for one source neuron; no other neuron may send its spikes there, and none of the chip where "
        "the source is on the host.",
        axon_driven_by_another,
        source=ONE_DRIVER,
        remedy=EDITED,
    ),
    Rule(
        "NMD815",
        "axon driven twice",
        "An axon takes in one spike a step. Two columns that drive it would be one input in place of two, or the same "
        "one twice.",
        axon_driven_twice,
        source=ONE_DRIVER,
        remedy=EDITED,
    ),
    Rule(
        "NMD816",
        "axon not driven",
        "An axon of a neuron on the chip needs a column of that neuron that sends to it, or its synapses do nothing.",
        axon_not_driven,
        source=ONE_DRIVER,
        remedy=EDITED,
    ),
    Rule(
        "NMD817",
        "column with a wrong delay",
        "Spikes arrive one step and the projection's delay after they were sent. A column to the host has the delay of "
        "a projection from its population to the host.",
        delay_wrong,
        source="Time steps (mapping.network): a projection delivers at step t what its source sent at t - 1 - delay.",
        remedy=EDITED,
    ),
    Rule(
        "NMD818",
        "delay of a column outside its range",
        "A spike can be held back by a limited number of steps. Delays balance paths of different length.",
        delay_outside_range,
        figures=("number_formats.delay_min", "number_formats.delay_max"),
        remedy="Shorten the longer path beside it, or put relays into this one.",
    ),
    Rule(
        "NMD819",
        "output not sent to the host",
        "Neurons with a synapse into a population on the host, as the counters of the outputs, need a column that "
        "sends to the host.",
        output_not_sent,
        source=ONE_TARGET,
        remedy=EDITED,
    ),
    Rule(
        "NMD820",
        "needless column",
        "One column of a neuron to the host is enough, and only for neurons that the host reads, or that drive no axon "
        "and have no other column.",
        column_needless,
        source=ONE_TARGET,
        remedy=EDITED,
    ),
)
