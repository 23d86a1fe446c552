"""The values of the maps of a chip as a table."""

from __future__ import annotations

from dataclasses import dataclass

from mapping.placement import CoreRecord
from nmdeploy.report.core_quantities import CoreQuantity

# Cores of a chip with a row of their own; a page of many chips stays readable.
CORES_LISTED = 32


@dataclass(frozen=True)
class CoreTable:
    """Cores of one chip.

    Attributes
    ----------
    headings : tuple of str
        A column each, with its unit.
    summary : tuple of (str, tuple of str)
        Least, mean and most of all cores in use of the chip.
    rows : tuple of (str, tuple of str)
        Cores with the largest amounts of `sorted_by`, most first.
    sorted_by : str
    cores : int
        In use.
    """

    headings: tuple[str, ...]
    summary: tuple[tuple[str, tuple[str, ...]], ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    sorted_by: str
    cores: int


def core_table(cores: list[CoreRecord], quantities: list[CoreQuantity], sorted_by: str = "energy") -> CoreTable:
    """List the cores with most of a quantity, and sum all of them up.

    Parameters
    ----------
    cores : list of CoreRecord
        Of one chip; at least one.
    quantities : list of CoreQuantity
    sorted_by : str
        Name of one of them.
    """
    columns = [[quantity.amount_of(core) for core in cores] for quantity in quantities]
    key = columns[[quantity.name for quantity in quantities].index(sorted_by)]
    order = sorted(range(len(cores)), key=lambda place: (-key[place], cores[place].address))
    return CoreTable(
        headings=tuple(
            f"{quantity.name}, {quantity.unit}" + (f" of {quantity.scale_end:,.0f}" if quantity.is_capacity else "")
            for quantity in quantities
        ),
        summary=(
            ("least", tuple(_shown(min(column)) for column in columns)),
            ("mean", tuple(_shown(sum(column) / len(column)) for column in columns)),
            ("most", tuple(_shown(max(column)) for column in columns)),
        ),
        rows=tuple(
            (str(cores[place].address), tuple(_shown(column[place]) for column in columns))
            for place in order[:CORES_LISTED]
        ),
        sorted_by=sorted_by,
        cores=len(cores),
    )


def _shown(amount: float) -> str:
    return f"{amount:,.0f}"
