"""A matplotlib figure as SVG to put into an HTML page: equal figures give equal bytes."""

from __future__ import annotations

import html
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
POSITIVE, NEGATIVE, THIRD, GUIDE, GROUND = "#2563a8", "#c2410c", "#15803d", "#8b949e", "#eef1f4"
# A page gives these colours of its own, for light and for dark.
PROPERTIES = {POSITIVE: "positive", NEGATIVE: "negative", THIRD: "third", GUIDE: "guide", GROUND: "ground"}
ATTRIBUTES_OF_NUMBERS = re.compile(r' (?:d|x|y|width|height|transform)="[^"]*"')


def svg(name: str, label: str, height: float, draw: Callable[[Figure], None]) -> str:
    """Draw a figure.

    Parameters
    ----------
    name : str
        Unique on the page; begins all ids of the figure.
    label : str
        What is seen, for those who do not see it.
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
        "figure.facecolor": "none",
        "axes.facecolor": "none",
    }
    content = io.StringIO()
    with matplotlib.style.context(["default", settings]):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(content, format="svg", metadata=nothing)
    text = content.getvalue()
    text = _with_ids_of_its_own(text[text.index("<svg") :].rstrip(), name)
    text = _shortened(_with_colors_of_the_page(text))
    return text.replace("<svg", f'<svg role="img" aria-label="{html.escape(label)}"', 1)


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


def _with_colors_of_the_page(text: str) -> str:
    """Black becomes the colour of the text around, the others properties, which keep their values elsewhere."""
    for color, name in PROPERTIES.items():
        text = text.replace(color, f"var(--{name}, {color})")
    return text.replace("#000000", "currentColor")


def _shortened(text: str) -> str:
    """Without what nobody sees and a page pays for: millionths of a point, turns by nothing, names of many fonts."""
    text = ATTRIBUTES_OF_NUMBERS.sub(_to_tenths, text.replace("\n", " "))
    text = re.sub(r' transform="rotate\(-?0 [^"]*"', "", text)
    text = re.sub(r'font-family: [^;"]*', "font-family: sans-serif", text)
    return re.sub(r"> +<", "><", text)


def _to_tenths(attribute: re.Match[str]) -> str:
    """A pixel of a wide screen is larger; letters of path commands part numbers by themselves."""
    rounded = re.sub(r"\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), attribute[0])
    return re.sub(r" *([A-Zz]) *", r"\1", rounded)
