"""A table with remarks that can be printed in more than one way."""

from __future__ import annotations

from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from nmdeploy.check.formats.markdown_table import escaped, table_row


@dataclass(frozen=True)
class PrintedTable:
    """A table with a title and remarks.

    Attributes
    ----------
    title : str
    columns : tuple of str
        The first one names the row, the others hold numbers.
    rows : tuple of tuple of str
    last_is_total : bool
    remarks : tuple of str
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    last_is_total: bool = False
    remarks: tuple[str, ...] = ()

    def for_terminal(self) -> Table:
        """With the title above."""
        table = Table(title=escape(self.title), title_justify="left")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows[:-1] if self.last_is_total else self.rows:
            table.add_row(*map(escape, row))
        if self.last_is_total:
            table.add_section()
            table.add_row(*map(escape, self.rows[-1]), style="bold")
        return table

    def as_markdown(self) -> str:
        """With the title above and the remarks below."""
        lines = [escaped(self.title.replace("\n", "; ")), "", table_row(*self.columns)]
        lines.append("|---" + "|---:" * (len(self.columns) - 1) + "|")
        lines += [table_row(*map(escaped, row)) for row in self.rows]
        return "\n".join([*lines, *(f"\n{escaped(remark)}" for remark in self.remarks), ""])
