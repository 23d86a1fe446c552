"""Rows of Markdown tables."""

from __future__ import annotations


def table_row(*cells: str) -> str:
    """A row of cells, whose text is escaped already."""
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """Text that ends no cell and marks nothing up, on one line."""
    safe = text.replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    for mark in "|`*_[]#":
        safe = safe.replace(mark, f"\\{mark}")
    return " ".join(safe.split())
