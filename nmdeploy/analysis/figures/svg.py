"""A matplotlib figure as SVG to put into an HTML page: equal figures give equal bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches; figures are scaled to the width of the page.
WIDTH = 9.6
PANEL_COLUMNS = 4
PANEL_HEIGHT = 1.7
POSITIVE, NEGATIVE, THIRD, GUIDE = "#2563a8", "#c2410c", "#15803d", "#8b949e"


def svg(name: str, height: float, draw: Callable[[Figure], None]) -> str:
    """Draw a figure.

    Parameters
    ----------
    name : str
        Unique on the page; begins all ids of the figure.
    height : float
        Inches.
    draw : callable
        Draws on an empty figure.

    Returns
    -------
    str
        One ``svg`` element.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    # a user's own settings must not change the page; names of populations are no formulas
    settings = {
        "svg.hashsalt": name,
        "svg.fonttype": "none",
        "text.parse_math": False,
        "font.size": 8.0,
        "axes.titlesize": 8.0,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
    }
    content = io.StringIO()
    with matplotlib.style.context(["default", settings]):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(content, format="svg", metadata=nothing)
    text = content.getvalue()
    return _with_ids_of_its_own(text[text.index("<svg") :].rstrip(), name)


def panels(figure: Figure, names: list[str]) -> list[Axes]:
    """A panel for each name, in rows of `PANEL_COLUMNS`; the name is the title."""
    rows = panel_rows(len(names))
    found = []
    for number, name in enumerate(names):
        axes = figure.add_subplot(rows, PANEL_COLUMNS, number + 1)
        axes.set_title(name)
        found.append(axes)
    return found


def panel_rows(count: int) -> int:
    """Rows of so many panels."""
    return max(1, -(-count // PANEL_COLUMNS))


def _with_ids_of_its_own(text: str, name: str) -> str:
    """Matplotlib calls the axes of every figure axes_1; ids of a page must differ."""
    text = re.sub(r'\bid="', f'id="{name}-', text)
    return re.sub(r'(href="|url\()#', rf"\1#{name}-", text)
