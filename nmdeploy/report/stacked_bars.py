"""Energy of each layer as a bar that is stacked from the kinds of events it goes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# SVG units: a layer's row and its bar; then the room for names and their gap to the bars, for bars, for totals.
ROW_HEIGHT, BAR_HEIGHT = 22, 14
NAME_WIDTH, NAME_GAP, BAR_WIDTH, TOTAL_WIDTH = 150, 6, 420, 130
LONGEST_NAME = 22

LayerEnergies = Sequence[tuple[str, Sequence[tuple[str, float]]]]
"""Layers in order: the name, and for each kind of event the energy in pJ."""


@dataclass(frozen=True)
class Segment:
    """The energy that one layer spends on one kind of event; in SVG units, `kind` counts from 0."""

    x: float
    y: float
    width: float
    kind: int
    text: str


@dataclass(frozen=True)
class LayerBar:
    """A layer: its name as shown, its energies by kind and their sum in pJ, and where its row begins."""

    y: int
    shown_name: str
    name: str
    energies_pj: tuple[float, ...]
    total_pj: float


@dataclass(frozen=True)
class StackedBars:
    """The whole figure.

    Attributes
    ----------
    title : str
        What is seen, in words.
    width, height, bar_height, name_end : int
        In SVG units; names end at the last one.
    kinds : tuple of str
        In the order of the stacks.
    bars : tuple of LayerBar
    segments : tuple of Segment
    totals_pj : tuple of float
        Of each kind, over all layers.
    """

    title: str
    width: int
    height: int
    bar_height: int
    name_end: int
    kinds: tuple[str, ...]
    bars: tuple[LayerBar, ...]
    segments: tuple[Segment, ...]
    totals_pj: tuple[float, ...]


def stacked_bars(rows: LayerEnergies) -> StackedBars:
    """Draw one bar a layer, all on one linear scale from 0.

    Parameters
    ----------
    rows : sequence of (str, sequence of (str, float))
        Layers in order: the name, and (kind of event, energy in pJ) for each kind that the layer has. Kinds keep the
        order in which they come first; a kind of which no layer has any energy is left out.

    Raises
    ------
    ValueError
        An energy is negative.
    """
    if any(energy_pj < 0 for _, energies in rows for _, energy_pj in energies):
        raise ValueError("an energy is negative")
    named = dict.fromkeys(kind for _, energies in rows for kind, _ in energies)
    present = {kind for _, energies in rows for kind, energy_pj in energies if energy_pj}
    kinds = tuple(kind for kind in named if kind in present)
    bars = tuple(_bar(number, name, kinds, energies) for number, (name, energies) in enumerate(rows))
    largest = max((bar.total_pj for bar in bars), default=0.0)
    totals = tuple(sum(bar.energies_pj[kind] for bar in bars) for kind in range(len(kinds)))
    return StackedBars(
        title=_title(bars, kinds, totals),
        width=NAME_WIDTH + BAR_WIDTH + TOTAL_WIDTH,
        height=ROW_HEIGHT * len(bars),
        bar_height=BAR_HEIGHT,
        name_end=NAME_WIDTH - NAME_GAP,
        kinds=kinds,
        bars=bars,
        segments=tuple(segment for bar in bars for segment in _segments(bar, kinds, largest)),
        totals_pj=totals,
    )


def _bar(number: int, name: str, kinds: tuple[str, ...], energies: Sequence[tuple[str, float]]) -> LayerBar:
    by_kind = tuple(sum(energy_pj for kind, energy_pj in energies if kind == wanted) for wanted in kinds)
    shown = name if len(name) <= LONGEST_NAME else f"...{name[3 - LONGEST_NAME:]}"
    return LayerBar(number * ROW_HEIGHT, shown, name, by_kind, sum(by_kind))


def _segments(bar: LayerBar, kinds: tuple[str, ...], largest_pj: float) -> Iterator[Segment]:
    """From left to right; what is too little to be seen has none, and stands in the table alone."""
    before_pj = 0.0
    for kind, energy_pj in enumerate(bar.energies_pj):
        width = round(BAR_WIDTH * energy_pj / largest_pj, 2) if energy_pj else 0.0
        if width:
            text = f"{bar.name}, {kinds[kind]}: {energy_pj:,.0f} pJ, {energy_pj / bar.total_pj:.1%} of the layer"
            x = NAME_WIDTH + BAR_WIDTH * before_pj / largest_pj
            yield Segment(round(x, 2), bar.y + (ROW_HEIGHT - BAR_HEIGHT) / 2, width, kind, text)
        before_pj += energy_pj


def _title(bars: tuple[LayerBar, ...], kinds: tuple[str, ...], totals_pj: tuple[float, ...]) -> str:
    total_pj = sum(totals_pj)
    if not total_pj:
        return "no energy in any layer"
    most = max(bars, key=lambda bar: bar.total_pj)
    shares = ", ".join(f"{kind} {energy_pj / total_pj:.1%}" for kind, energy_pj in zip(kinds, totals_pj, strict=True))
    return f"{total_pj:,.0f} pJ in {len(bars)} layers: {shares}; most in {most.name}, {most.total_pj / total_pj:.1%}"
