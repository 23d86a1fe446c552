"""Histograms of firing rates (Spiking-YOLO's third figure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nmdeploy.analysis.analyze import Analysis
from nmdeploy.analysis.figures.svg import NEGATIVE, PANEL_HEIGHT, POSITIVE, panel_rows, panels, svg
from nmdeploy.analysis.rates import RateHistogram

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def rate_histograms_svg(analysis: Analysis) -> str:
    """A panel a population: the share of its neurons and samples in each bin, silence left out and named."""

    def draw(figure: Figure) -> None:
        titles = [f"{rates.name}: {rates.zero / _total(rates):.0%} at 0" for rates in analysis.rates]
        for axes, rates in zip(panels(figure, titles), analysis.rates, strict=True):
            _draw(axes, rates)

    most = max(analysis.rates, key=lambda rates: rates.zero / _total(rates), default=None)
    silent = "" if most is None else f"; {most.name} is silent most often, {most.zero / _total(most):.0%}"
    label = f"Histograms of the firing rates of {len(analysis.rates)} layers{silent}"
    return svg("rate-histograms", label, PANEL_HEIGHT * panel_rows(len(analysis.rates)), draw)


def _draw(axes: Axes, rates: RateHistogram) -> None:
    total = _total(rates)
    edges = list(rates.edges)
    axes.stairs([100.0 * count / total for count in rates.positive], edges, fill=True, color=POSITIVE)
    if any(rates.negative):
        mirrored = [-edge for edge in reversed(edges)]
        shares = [100.0 * count / total for count in reversed(rates.negative)]
        axes.stairs(shares, mirrored, fill=True, color=NEGATIVE)
    axes.set_xlim(-1.0 if any(rates.negative) else 0.0, 1.0)
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel("%")


def _total(rates: RateHistogram) -> int:
    return rates.zero + sum(rates.positive) + sum(rates.negative)
