"""Accuracy, agreement and error over the number of time steps (Spiking-YOLO's seventh figure)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nmdeploy.analysis.analyze import Analysis
from nmdeploy.analysis.figures.svg import GUIDE, NEGATIVE, POSITIVE, svg
from nmdeploy.analysis.shown import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 2.6


def over_time_svg(analysis: Analysis) -> str:
    """Decisions, where there are any, and errors."""

    def draw(figure: Figure) -> None:
        if analysis.agreement is None:
            _draw_error(figure.add_subplot(), analysis)
            return
        decisions, errors = figure.subplots(1, 2)
        _draw_decisions(decisions, analysis)
        _draw_error(errors, analysis)

    return svg("over-time", _label(analysis), HEIGHT, draw)


def _label(analysis: Analysis) -> str:
    first, last = analysis.curve.points[0], analysis.curve.points[-1]
    shown = ["error"] if analysis.agreement is None else ["agreement", "error"]
    if analysis.accuracy is not None:
        shown.insert(0, "accuracy")
    parts = (
        f"{quantity} {share(getattr(first.window, quantity))} at t = {first.timesteps}, "
        f"{share(getattr(last.window, quantity))} at t = {last.timesteps}"
        for quantity in shown
    )
    return f"Lines over time steps: {'; '.join(parts)}"


def _draw_decisions(axes: Axes, analysis: Analysis) -> None:
    _lines(axes, analysis, "agreement", NEGATIVE)
    if analysis.accuracy is not None and analysis.float_accuracy is not None:
        _lines(axes, analysis, "accuracy", POSITIVE)
        axes.axhline(analysis.float_accuracy, color=GUIDE, linewidth=0.8, label="accuracy, float network")
    axes.legend(loc="lower right")


def _draw_error(axes: Axes, analysis: Analysis) -> None:
    from matplotlib.ticker import LogLocator

    _lines(axes, analysis, "error", POSITIVE)
    if any(point.window.error for point in analysis.curve.points):
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
        # matplotlib's own labels of logarithmic axes are formulas
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
    axes.legend(loc="upper right")


def _lines(axes: Axes, analysis: Analysis, quantity: str, color: str) -> None:
    """Of windows, and of reading out early where that is something else."""
    points = analysis.curve.points
    steps = [point.timesteps for point in points]
    windows = [_height(getattr(point.window, quantity)) for point in points]
    axes.plot(steps, windows, color=color, marker=".", markersize=3, linewidth=1.2, label=quantity)
    if not analysis.curve.windows_are_prefixes:
        early = [_height(getattr(point.read_out, quantity)) for point in points]
        axes.plot(steps, early, color=color, linestyle=":", linewidth=1.2, label=f"{quantity}, read out early")
    axes.set_xlabel("time steps t")


def _height(value: float | None) -> float:
    """What is unknown leaves a gap."""
    return math.nan if value is None else value
