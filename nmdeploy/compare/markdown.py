"""Markdown, for the description of a change."""

from __future__ import annotations

from nmdeploy.check.formats.markdown_table import escaped, table_row
from nmdeploy.compare.differences import Comparison
from nmdeploy.compare.facts import SECTIONS
from nmdeploy.compare.wording import HEADINGS, cells, remarks, verdict


def render(comparison: Comparison) -> str:
    """A heading, and a table for each section in which something differs."""
    lines = [
        f"### nmdeploy compare: {escaped(comparison.old)} (A), {escaped(comparison.new)} (B)",
        "",
        f"{verdict(comparison)}.",
    ]
    for section, found in comparison.by_section.items():
        lines += ["", f"**{SECTIONS[section]}**", "", table_row(*HEADINGS), "|---|--:|--:|--:|"]
        lines += [table_row(*map(escaped, cells(difference))) for difference in found]
    lines += [f"\n{remark[0].upper()}{remark[1:]}." for remark in remarks(comparison)]
    return "\n".join(lines) + "\n"
