"""Random legal programs break no rule; whatever is changed in one, the rules broken are those of a naive count."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from crossbar_examples import example
from crossbar_rule_oracle import naive_counts
from hypothesis import event, given, settings
from hypothesis import strategies as st

from mapping.crossbar_program import CrossbarProgram
from mapping.rules.crossbar_axon_rules import CROSSBAR_AXON_RULES
from mapping.rules.crossbar_column_rules import CROSSBAR_COLUMN_RULES
from mapping.verify_crossbars import CROSSBAR_RULES, verify_crossbars

PROGRAM_CODES = {rule.code for rule in (*CROSSBAR_AXON_RULES, *CROSSBAR_COLUMN_RULES)} - {"NMD803"}
SEEDS = st.integers(0, 10_000)


def found(example_, program=None):
    return verify_crossbars(
        example_.network, example_.placement, program or example_.program, example_.profile
    )


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_random_legal_programs_break_no_rule(seed):
    built = example(seed)
    assert found(built) == []
    assert naive_counts(built) == {}


def counts_by_core(example_, violations):
    """The number in the message of each violation of the program, by rule and core."""
    numbers = {f"core {record.address}": core for core, record in enumerate(example_.placement.cores)}
    counted = Counter()
    for violation in violations:
        if violation.rule in PROGRAM_CODES:
            amount = int(violation.message.split()[0].replace(",", ""))
            counted[violation.rule, numbers.get(violation.where)] += amount
    return counted


def naive_by_core(example_):
    """As `counts_by_core`; cores that do not exist together."""
    counted = Counter()
    for (code, core), count in naive_counts(example_).items():
        counted[code, core if 0 <= core < len(example_.placement.cores) else None] += count
    return counted


@st.composite
def changes(draw, table):
    """One change of a table: an entry with another value, an entry less, an entry twice, two values exchanged."""
    fields = {name: getattr(table, name).copy() for name in table.__dataclass_fields__}
    size = len(fields["core"])
    entry = draw(st.integers(0, size - 1))
    kind = draw(st.sampled_from(["value", "near value", "dropped", "doubled", "of another entry"]))
    if kind == "dropped":
        return type(table)(**{name: np.delete(array, entry) for name, array in fields.items()})
    if kind == "doubled":
        return type(table)(**{name: np.insert(array, entry, array[entry]) for name, array in fields.items()})
    name = draw(st.sampled_from(sorted(fields)))
    array = fields[name]
    if kind == "of another entry":
        array[entry] = array[draw(st.integers(0, size - 1))]
    elif kind == "near value":
        array[entry] += draw(st.sampled_from([-1, 1]))
    else:
        limits = np.iinfo(array.dtype)
        array[entry] = draw(st.integers(int(limits.min), int(limits.max)))
    return type(table)(**fields)


@given(st.data(), SEEDS)
@settings(max_examples=300, deadline=None)
def test_counts_of_changed_programs_are_the_naive_ones(data, seed):
    built = example(seed % 40)
    program = built.program
    for _ in range(data.draw(st.integers(1, 4))):
        if data.draw(st.booleans()):
            program = replace(program, columns=data.draw(changes(program.columns)))
        else:
            program = replace(program, axons=data.draw(changes(program.axons)))
    built = replace(built, program=program)
    violations = found(built)
    for violation in violations:
        event(violation.rule)
    assert {violation.rule for violation in violations} <= PROGRAM_CODES | {"NMD803"}
    assert counts_by_core(built, violations) == naive_by_core(built)


@given(st.data(), SEEDS)
@settings(max_examples=300, deadline=None)
def test_every_single_change_is_caught(data, seed):
    """But of places without a meaning: another free column, or another free axon where the host is the source."""
    built = example(seed % 40)
    table_name = data.draw(st.sampled_from(["columns", "axons"]))
    table = getattr(built.program, table_name)
    changed = data.draw(changes(table))
    same = all(np.array_equal(getattr(table, name), getattr(changed, name)) for name in table.__dataclass_fields__)
    violations = found(built, replace(built.program, **{table_name: changed}))
    if same:
        assert violations == []
    elif not violations:
        place = {"columns": "column", "axons": "axon"}[table_name]
        others = [name for name in table.__dataclass_fields__ if name != place]
        event(f"moved to a free {place}")
        assert all(np.array_equal(getattr(table, name), getattr(changed, name)) for name in others)
        (moved,) = np.flatnonzero(getattr(table, place) != getattr(changed, place))
        if place == "axon":
            source = built.network.projections[table.projection[moved]].source
            assert built.network.population(source).on_host


MALFORMED = {
    "no program": None,
    "floats": lambda array: array.astype(np.float64),
    "wide": lambda array: array.astype(np.int64 if array.dtype != np.int64 else np.int32),
    "unsigned": lambda array: array.astype(np.uint16),
    "two axes": lambda array: array[None],
    "shorter": lambda array: array[:-1],
    "empty": lambda array: array[:0],
    "list": lambda array: array.tolist(),
    "nothing": lambda array: None,
    "words": lambda array: array.astype(str),
}


@pytest.mark.parametrize("table_name", ["columns", "axons"])
@pytest.mark.parametrize("damage", MALFORMED)
def test_malformed_arrays_are_told_and_end_the_judgement(table_name, damage):
    built = example(0)
    table = getattr(built.program, table_name)
    for name in table.__dataclass_fields__:
        damaged = None if damage == "no program" else replace(table, **{name: MALFORMED[damage](getattr(table, name))})
        program = replace(built.program, **{table_name: damaged})
        assert {violation.rule for violation in found(built, program)} == {"NMD803"}


def test_empty_program_lacks_everything():
    built = example(0)
    program = CrossbarProgram(
        *(
            type(table)(**{name: getattr(table, name)[:0] for name in table.__dataclass_fields__})
            for table in (built.program.columns, built.program.axons)
        )
    )
    assert {violation.rule for violation in found(built, program)} == {"NMD809", "NMD812"}


def test_rules_are_in_order_and_worded():
    assert list(CROSSBAR_RULES) == sorted(CROSSBAR_RULES)
    for code, rule in CROSSBAR_RULES.items():
        assert rule.code == code
        assert rule.title
        assert rule.explanation.endswith(".")
        assert rule.remedy.endswith(".")
        assert rule.source or rule.figures
