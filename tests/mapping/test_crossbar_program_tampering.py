"""Every single tampering with a crossbar program is caught by the rule made for it, by no senseless other."""

from dataclasses import replace

import numpy as np
import pytest
from crossbar_examples import example

from mapping.crossbar_program import TO_HOST
from mapping.verify_crossbars import verify_crossbars

LEGAL = example(1)


def found(built):
    return {item.rule for item in verify_crossbars(built.network, built.placement, built.program, built.profile)}


def with_value(built, table_name, entry, **values):
    """The example with some fields of one entry of columns or axons changed."""
    table = getattr(built.program, table_name)
    arrays = {name: getattr(table, name).copy() for name in values}
    for name, value in values.items():
        arrays[name][entry] = value
    return replace(built, program=replace(built.program, **{table_name: replace(table, **arrays)}))


def with_entries(built, table_name, entries):
    """The example with only these entries of columns or axons, in this order."""
    table = getattr(built.program, table_name)
    arrays = {name: getattr(table, name)[entries] for name in table.__dataclass_fields__}
    return replace(built, program=replace(built.program, **{table_name: type(table)(**arrays)}))


def first_axon(built, projection_name):
    """First axon entry of a projection."""
    names = [one.name for one in built.network.projections]
    return int(np.flatnonzero(built.program.axons.projection == names.index(projection_name))[0])


def first_column(built, to_host):
    """First column entry that aims at the host, or at an axon."""
    return int(np.flatnonzero((built.program.columns.target_core == TO_HOST) == to_host)[0])


COLUMNS, AXONS = LEGAL.program.columns, LEGAL.program.axons
TO_CHIP, HOSTED = first_column(LEGAL, to_host=False), first_column(LEGAL, to_host=True)
CHIP_AXON, HOST_AXON = first_axon(LEGAL, "second-third"), first_axon(LEGAL, "sensor-first")
EVERY_COLUMN, EVERY_AXON = np.arange(len(COLUMNS.core)), np.arange(len(AXONS.core))


def free_axon(built, core):
    return min(set(range(256)) - set(built.program.axons.axon[built.program.axons.core == core].tolist()))


def two_aimed():
    """Two columns to axons of two neurons, with the same delay."""
    rows = np.flatnonzero((COLUMNS.target_core != TO_HOST) & (COLUMNS.delay == COLUMNS.delay[TO_CHIP]))
    other = next(row for row in rows if COLUMNS.neuron[row] != COLUMNS.neuron[TO_CHIP])
    return TO_CHIP, int(other)


def exchanged_targets():
    first, second = two_aimed()
    built = LEGAL
    for row, other in ((first, second), (second, first)):
        built = with_value(
            built, "columns", row, target_core=COLUMNS.target_core[other], target_axon=COLUMNS.target_axon[other]
        )
    return built


def sent_twice():
    """A column to the host doubled, at a free place of its core."""
    core = COLUMNS.core[HOSTED]
    built = with_entries(LEGAL, "columns", np.insert(EVERY_COLUMN, HOSTED, HOSTED))
    return renumbered(built, core)


def renumbered(built, core):
    """Columns of a core numbered from 0."""
    of_core = np.flatnonzero(built.program.columns.core == core)
    return with_value(built, "columns", of_core, column=np.arange(len(of_core)))


def unread_column():
    """A column of a neuron that drives axons and is not read, doubled to the host at a free place of its core."""
    names = [one.name for one in LEGAL.network.populations]
    entry = int(np.flatnonzero(COLUMNS.population == names.index("first"))[0])
    built = with_entries(LEGAL, "columns", np.insert(EVERY_COLUMN, entry, entry))
    return renumbered(with_value(built, "columns", entry, target_core=TO_HOST, target_axon=0), COLUMNS.core[entry])


PROGRAMS = {
    "columns unordered": ("NMD803", set(), lambda: with_entries(LEGAL, "columns", EVERY_COLUMN[::-1])),
    "axons unordered": ("NMD803", set(), lambda: with_entries(LEGAL, "axons", np.roll(EVERY_AXON, 1))),
    "column beyond": ("NMD804", {"NMD803", "NMD812", "NMD816", "NMD819"}, lambda: changed_column(column=256)),
    "column negative": ("NMD804", {"NMD803", "NMD812", "NMD816", "NMD819"}, lambda: changed_column(column=-1)),
    "column of a core beyond": ("NMD804", {"NMD803", "NMD812", "NMD816"}, lambda: changed_column(core=99)),
    "column of no population": ("NMD804", {"NMD812"}, lambda: changed_column(population=7)),
    "column of the host": ("NMD804", {"NMD812"}, lambda: changed_column(population=0)),
    "column of no neuron": ("NMD804", {"NMD812"}, lambda: changed_column(neuron=18)),
    "axon beyond": ("NMD805", {"NMD803", "NMD809", "NMD813"}, lambda: changed_axon(axon=256)),
    "axon of a core beyond": ("NMD805", {"NMD803", "NMD809", "NMD813"}, lambda: changed_axon(core=99)),
    "axon of no projection": ("NMD805", {"NMD809"}, lambda: changed_axon(projection=7)),
    "axon of a projection to the host": ("NMD805", {"NMD809"}, lambda: changed_axon(projection=6)),
    "axon of no neuron": ("NMD805", {"NMD809"}, lambda: changed_axon(source_neuron=-1)),
    "axon of no copy": ("NMD805", {"NMD809"}, lambda: changed_axon(copy=3)),
    "column twice": (
        "NMD806",
        {"NMD815", "NMD820"},
        lambda: with_entries(LEGAL, "columns", np.insert(EVERY_COLUMN, 5, 5)),
    ),
    "axon twice": ("NMD807", {"NMD810", "NMD816"}, lambda: with_entries(LEGAL, "axons", np.insert(EVERY_AXON, 5, 5))),
    "axon type": ("NMD808", set(), lambda: changed_axon(axon_type=3)),
    "axon type beyond": ("NMD808", set(), lambda: changed_axon(axon_type=4)),
    "axon dropped": ("NMD809", {"NMD813"}, lambda: with_entries(LEGAL, "axons", np.delete(EVERY_AXON, CHIP_AXON))),
    "axon of the host dropped": (
        "NMD809",
        set(),
        lambda: with_entries(LEGAL, "axons", np.delete(EVERY_AXON, HOST_AXON)),
    ),
    "axon for another source": (
        "NMD810",
        {"NMD809", "NMD814", "NMD816"},
        lambda: changed_axon(source_neuron=(AXONS.source_neuron[CHIP_AXON] + 1) % 18),
    ),
    "column in a foreign core": ("NMD811", {"NMD812", "NMD814"}, lambda: changed_column(neuron=foreign_neuron())),
    "column dropped": (
        "NMD812",
        {"NMD816"},
        lambda: with_entries(LEGAL, "columns", np.delete(EVERY_COLUMN, columns_of_one_neuron())),
    ),
    "target beyond": ("NMD813", {"NMD816"}, lambda: changed_column(target_core=99)),
    "target of no kind": ("NMD813", {"NMD816"}, lambda: changed_column(target_core=-2)),
    "free target axon": (
        "NMD813",
        {"NMD816"},
        lambda: changed_column(target_axon=free_axon(LEGAL, COLUMNS.target_core[TO_CHIP])),
    ),
    "axon of the host's target": ("NMD813", {"NMD819"}, lambda: with_value(LEGAL, "columns", HOSTED, target_axon=1)),
    "targets exchanged": ("NMD814", set(), exchanged_targets),
    "axon of the host driven": (
        "NMD814",
        {"NMD816", "NMD817"},
        lambda: changed_column(target_core=AXONS.core[HOST_AXON], target_axon=AXONS.axon[HOST_AXON]),
    ),
    "axon driven twice": (
        "NMD815",
        {"NMD814", "NMD816"},
        lambda: changed_column(
            target_core=COLUMNS.target_core[two_aimed()[1]], target_axon=COLUMNS.target_axon[two_aimed()[1]]
        ),
    ),
    "column that drove dropped": (
        "NMD816",
        set(),
        lambda: with_entries(LEGAL, "columns", np.delete(EVERY_COLUMN, one_of_several_columns())),
    ),
    "delay": ("NMD817", set(), lambda: changed_column(delay=COLUMNS.delay[TO_CHIP] + 1)),
    "delay to the host": ("NMD817", set(), lambda: with_value(LEGAL, "columns", HOSTED, delay=15)),
    "no delay": ("NMD818", set(), lambda: changed_column(delay=0)),
    "delay beyond": ("NMD818", set(), lambda: changed_column(delay=16)),
    "delay to the host beyond": ("NMD818", set(), lambda: with_value(LEGAL, "columns", HOSTED, delay=-3)),
    "output not sent": (
        "NMD819",
        set(),
        lambda: with_entries(LEGAL, "columns", np.delete(EVERY_COLUMN, read_and_driving())),
    ),
    "sent twice": ("NMD820", set(), sent_twice),
    "not read, but sent": ("NMD820", set(), unread_column),
}


def changed_column(**values):
    return with_value(LEGAL, "columns", TO_CHIP, **values)


def changed_axon(**values):
    return with_value(LEGAL, "axons", CHIP_AXON, **values)


def foreign_neuron():
    """A neuron of the same population in another core."""
    same = COLUMNS.population == COLUMNS.population[TO_CHIP]
    return COLUMNS.neuron[same & (COLUMNS.core != COLUMNS.core[TO_CHIP])][0]


def columns_of_one_neuron():
    """All columns of a neuron that drives axons and is not read."""
    names = [one.name for one in LEGAL.network.populations]
    of_first = np.flatnonzero(COLUMNS.population == names.index("first"))
    return of_first[COLUMNS.neuron[of_first] == COLUMNS.neuron[of_first[0]]]


def one_of_several_columns():
    return columns_of_one_neuron()[0]


def read_and_driving():
    """A column to the host of a neuron that has others."""
    for entry in np.flatnonzero(COLUMNS.target_core == TO_HOST):
        same = (COLUMNS.population == COLUMNS.population[entry]) & (COLUMNS.neuron == COLUMNS.neuron[entry])
        if same.sum() > 1:
            return entry
    raise AssertionError("no such neuron")


@pytest.mark.parametrize("name", PROGRAMS)
def test_tampered_program(name):
    rule, others, tamper = PROGRAMS[name]
    rules = found(tamper())
    assert rule in rules
    assert rules - {rule} <= others
