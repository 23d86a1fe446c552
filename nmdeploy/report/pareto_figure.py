"""Energy, accuracy and latency of windows of different lengths, and which of them no other one beats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nmdeploy.analysis.energy_curve import EnergyPoint

# SVG units: the whole figure, and the margins of its axes.
WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 20, 44
LABEL_WIDTH, LABEL_HEIGHT = 34, 12
# Round numbers that an axis of energies has in each decade, and one of accuracies.
ENERGY_TICKS = (1, 2, 5)
ACCURACY_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
MOST_ACCURACY_TICKS = 6
QUALITIES = ("accuracy", "agreement", "error")
SMALLEST_PJ = 1e-12


@dataclass(frozen=True)
class Mark:
    """A window, in SVG units, with the place of its label."""

    x: float
    y: float
    label_x: float
    label_y: float
    label: str
    is_pareto: bool
    text: str


@dataclass(frozen=True)
class Tick:
    """A value of an axis and its place along it."""

    place: float
    label: str


@dataclass(frozen=True)
class ParetoFigure:
    """The figure, and all windows as a table.

    Attributes
    ----------
    title : str
        What is seen, in words.
    quality : str
        "accuracy"; "agreement" with the trained network where there are no labels; "error" of the outputs against it,
        relative and at most 1, where they decide nothing.
    width, height, left, right, top, bottom : int
        In SVG units; the last four are the edges of the axes.
    marks : tuple of Mark
        Windows with a quality and an energy above 0; only those can be drawn.
    front : str
        Path through the marks that are Pareto-optimal, by energy; empty for fewer than two.
    energy_ticks, accuracy_ticks : tuple of Tick
    points : tuple of EnergyPoint
        All, by time steps.
    """

    title: str
    quality: str
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    marks: tuple[Mark, ...]
    front: str
    energy_ticks: tuple[Tick, ...]
    accuracy_ticks: tuple[Tick, ...]
    points: tuple[EnergyPoint, ...]


def pareto_figure(points: Sequence[EnergyPoint]) -> ParetoFigure:
    """Draw accuracy over energy, which has a logarithmic axis.

    Parameters
    ----------
    points : sequence of EnergyPoint
    """
    points = tuple(sorted(points, key=lambda point: (point.timesteps, point.energy_pj)))
    known = (name for name in QUALITIES if any(getattr(point, name) is not None for point in points))
    quality = next(known, QUALITIES[0])
    drawn = [
        (point, min(getattr(point, quality), 1.0))
        for point in points
        if getattr(point, quality) is not None and point.energy_pj > SMALLEST_PJ
    ]
    energy, accuracy = _EnergyAxis([point.energy_pj for point, _ in drawn]), _AccuracyAxis([one for _, one in drawn])
    marks: list[Mark] = []
    for point, reached in sorted(drawn, key=lambda pair: pair[0].energy_pj):
        marks.append(_mark(point, quality, reached, energy.place(point.energy_pj), accuracy.place(reached), marks))
    front = [mark for mark in marks if mark.is_pareto]
    return ParetoFigure(
        title=_title(points, quality, drawn),
        quality=quality,
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
        marks=tuple(marks),
        front="M" + "L".join(f"{mark.x} {mark.y}" for mark in front) if len(front) > 1 else "",
        energy_ticks=energy.ticks(),
        accuracy_ticks=accuracy.ticks(),
        points=points,
    )


class _EnergyAxis:
    """Logarithmic, from left to right, a little wider than the values."""

    def __init__(self, energies_pj: list[float]) -> None:
        self._low = math.log10(min(energies_pj, default=1.0)) - 0.1
        self._high = math.log10(max(energies_pj, default=1.0)) + 0.1

    def place(self, energy_pj: float) -> float:
        share = (math.log10(energy_pj) - self._low) / (self._high - self._low)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def ticks(self) -> tuple[Tick, ...]:
        decades = range(math.floor(self._low), math.ceil(self._high) + 1)
        values = [factor * 10.0**decade for decade in decades for factor in ENERGY_TICKS]
        inside = [value for value in values if self._low <= math.log10(value) <= self._high]
        # values closer together than two ticks have the ends of the axis instead
        shown = inside if len(inside) > 1 else [10**self._low, 10**self._high]
        return tuple(Tick(self.place(value), f"{value:.3g}") for value in shown)


class _AccuracyAxis:
    """Linear, from the bottom to the top, from a tick below the values to one above them."""

    def __init__(self, accuracies: list[float]) -> None:
        least, most = min(accuracies, default=0.0), max(accuracies, default=1.0)
        spacing = (step for step in ACCURACY_STEPS if (most - least) / step < MOST_ACCURACY_TICKS - 1)
        self._step = next(spacing, ACCURACY_STEPS[-1])
        # a shade less and more, since 0.93 / 0.01 is no whole number
        self._first = math.floor(least / self._step + 1e-9)
        self._last = max(math.ceil(most / self._step - 1e-9), self._first + 1)

    def place(self, accuracy: float) -> float:
        share = (accuracy / self._step - self._first) / (self._last - self._first)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)

    def ticks(self) -> tuple[Tick, ...]:
        values = (number * self._step for number in range(self._first, self._last + 1))
        return tuple(Tick(self.place(value), f"{value:.1%}") for value in values)


def _mark(point: EnergyPoint, quality: str, reached: float, x: float, y: float, others: list[Mark]) -> Mark:
    """Its label lies where no other one does, if there is such a place beside the mark."""
    places = [(x, y - 9), (x, y + 18), (x + 26, y + 4), (x - 26, y + 4)]
    taken = [(other.label_x, other.label_y) for other in others]
    label_x, label_y = next(
        (place for place in places if not any(_overlap(place, other) for other in taken)), places[0]
    )
    text = (
        f"T = {point.timesteps}: {quality} {reached:.2%}, {point.energy_pj:,.0f} pJ an inference, "
        f"latency {point.latency_steps} steps"
    )
    return Mark(
        x, y, round(label_x, 1), round(label_y, 1), f"T={point.timesteps}", point.is_pareto,
        f"{text}; Pareto-optimal" if point.is_pareto else text,
    )  # fmt: skip


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) < LABEL_WIDTH and abs(one[1] - other[1]) < LABEL_HEIGHT


def _title(points: tuple[EnergyPoint, ...], quality: str, drawn: list[tuple[EnergyPoint, float]]) -> str:
    if not drawn:
        return f"{len(points)} windows, none to draw"
    sign = -1 if quality == "error" else 1
    best, reached = max(drawn, key=lambda pair: (sign * pair[1], -pair[0].energy_pj))
    steps = ", ".join(str(point.timesteps) for point in points if point.is_pareto) or "none"
    return (
        f"{quality} over energy of {len(drawn)} windows; best T = {best.timesteps} with {reached:.2%} "
        f"at {best.energy_pj:,.0f} pJ; Pareto-optimal T: {steps}"
    )
