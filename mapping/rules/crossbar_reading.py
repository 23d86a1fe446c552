"""A crossbar program read without trust: which entries mean something, and what they point to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.crossbar_program import TO_HOST, Axons, Columns, CrossbarProgram
from mapping.rules.crossbar_numbering import CrossbarNumbering, IntArray

NOTHING = -2
"""In place of an axon: the column aims neither at one nor at the host."""
UNKNOWN = -2
"""In place of a driver: the axon does not say who drives it."""
ON_HOST = -1

SignedArray = NDArray[np.signedinteger[Any]]
IntegerTypes = dict[str, type[np.signedinteger[Any]]]

COLUMN_TYPES: IntegerTypes = {
    "core": np.int32,
    "column": np.int16,
    "population": np.int16,
    "neuron": np.int32,
    "target_core": np.int32,
    "target_axon": np.int16,
    "delay": np.int16,
}
AXON_TYPES: IntegerTypes = {
    "core": np.int32,
    "axon": np.int16,
    "axon_type": np.int8,
    "projection": np.int16,
    "source_neuron": np.int32,
    "copy": np.int16,
}


def program_problems(program: CrossbarProgram) -> list[str]:
    """What makes the arrays of a program meaningless, in words; empty if they are sound."""
    return [
        *table_problems("columns", getattr(program, "columns", None), COLUMN_TYPES),
        *table_problems("axons", getattr(program, "axons", None), AXON_TYPES),
    ]


def table_problems(table_name: str, table: object, types: IntegerTypes) -> Iterator[str]:
    """Yield fields of a table that are no arrays of their type, and lengths that differ."""
    lengths = set()
    for name, kind in types.items():
        array = getattr(table, name, None)
        if not isinstance(array, np.ndarray):
            yield f"{table_name}: {name} is no array"
        elif array.ndim != 1 or array.dtype != kind:
            expected = np.dtype(kind).name
            yield f"{table_name}: {name} has shape {array.shape} and type {array.dtype}, not one axis of {expected}"
        else:
            lengths.add(len(array))
    if len(lengths) > 1:
        yield f"{table_name}: arrays of {', '.join(map(str, sorted(lengths)))} entries"


def within(values: SignedArray, size: int | IntArray) -> NDArray[np.bool_]:
    """Whether each index exists among so many."""
    return (values >= 0) & (values < size)


def looked_up(table: IntArray, index: SignedArray) -> IntArray:
    """Entries of a table, 0 where there is none of the index."""
    known = within(index, len(table))
    found = np.zeros(len(index), dtype=np.int64)
    found[known] = table[index[known]]
    return found


@dataclass(frozen=True)
class ProgramReading:
    """What the entries of a sound program point to.

    Attributes
    ----------
    columns : Columns
    axons : Axons
    numbering : CrossbarNumbering
    cores : int
        Records of the placement.
    axon_capacity, column_capacity : int
        Of a core.
    """

    columns: Columns
    axons: Axons
    numbering: CrossbarNumbering
    cores: int
    axon_capacity: int
    column_capacity: int

    @cached_property
    def column_is_of_core(self) -> NDArray[np.bool_]:
        """Whether core and column exist, by entry of the columns."""
        return within(self.columns.core, self.cores) & within(self.columns.column, self.column_capacity)

    @cached_property
    def column_neuron(self) -> NDArray[np.int32]:
        """Number of the neuron of each column, -1 if there is no such column or neuron."""
        sizes = looked_up(self.numbering.sizes, self.columns.population)
        known = self.column_is_of_core & within(self.columns.neuron, sizes)
        numbered = looked_up(self.numbering.first_neuron[:-1], self.columns.population) + self.columns.neuron
        return np.where(known, numbered, -1).astype(np.int32)

    @cached_property
    def column_aim(self) -> NDArray[np.int32]:
        """Entry of the axons that each column aims at, `TO_HOST` or `NOTHING`."""
        target, axon = self.columns.target_core, self.columns.target_axon
        aim = np.full(len(target), NOTHING, dtype=np.int32)
        aim[(target == TO_HOST) & (axon == 0)] = TO_HOST
        known = within(target, self.cores) & within(axon, self.axon_capacity)
        aim[known] = self.axon_entry[target[known].astype(np.int64) * self.axon_capacity + axon[known]]
        return aim

    @cached_property
    def axon_is_of_core(self) -> NDArray[np.bool_]:
        """Whether core and axon exist, by entry of the axons."""
        return within(self.axons.core, self.cores) & within(self.axons.axon, self.axon_capacity)

    @cached_property
    def axon_is_known(self) -> NDArray[np.bool_]:
        """Whether core, axon, projection, source neuron and copy exist, by entry of the axons."""
        axons, numbering = self.axons, self.numbering
        known = self.axon_is_of_core & within(axons.copy, looked_up(numbering.copies, axons.projection))
        known &= within(axons.source_neuron, looked_up(numbering.source_sizes, axons.projection))
        return known

    @cached_property
    def axon_entry(self) -> NDArray[np.int32]:
        """Entry of each axon of each core, `NOTHING` where the program has none; (cores * axons,)."""
        entries = np.full(self.cores * self.axon_capacity, NOTHING, dtype=np.int32)
        rows = np.flatnonzero(self.axon_is_of_core)
        places = self.axons.core[rows].astype(np.int64) * self.axon_capacity + self.axons.axon[rows]
        entries[places] = rows
        return entries

    @cached_property
    def axon_driver(self) -> NDArray[np.int32]:
        """Neuron that drives each axon by its entry: a number, `ON_HOST` or `UNKNOWN`."""
        first = looked_up(self.numbering.first_sources, self.axons.projection)
        driver = np.where(first < 0, ON_HOST, first + self.axons.source_neuron).astype(np.int32)
        driver[~self.axon_is_known] = UNKNOWN
        return driver

    @cached_property
    def drivers(self) -> NDArray[np.int32]:
        """Columns that aim at each axon, by entry of the axons."""
        aim = self.column_aim[self.column_is_of_core]
        return np.bincount(aim[aim >= 0], minlength=len(self.axons.core)).astype(np.int32)

    def served(self, cores: NDArray[np.bool_]) -> IntArray:
        """``core * slot_count + slot`` of all known axons of some cores, ascending."""
        rows = np.flatnonzero(self.axon_is_known)
        rows = rows[cores[self.axons.core[rows]]]
        projection = self.axons.projection[rows]
        keys: IntArray = self.axons.core[rows].astype(np.int64) * self.numbering.slot_count
        keys += self.numbering.first_slot[projection]
        keys += self.axons.source_neuron[rows] * self.numbering.copies[projection]
        keys += self.axons.copy[rows]
        keys.sort()
        return keys
