"""The populations and their projections from top to bottom, with the cores that each population takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from mapping.network import ChipNetwork, Projection

# SVG units: a box, and the gaps to the boxes beside and below it.
BOX_WIDTH, BOX_HEIGHT = 150, 34
GAP_BESIDE, GAP_BELOW = 24, 22
# Wires that pass other rows run in lanes of this width on the right.
LANE = 9
LONGEST_LABEL = 22


@dataclass(frozen=True)
class Box:
    """A population; `share` is that of its cores in those of the population that takes most."""

    x: int
    y: int
    label: str
    cores: str
    share: float
    text: str


@dataclass(frozen=True)
class Wire:
    """All projections between two populations, as an SVG path."""

    path: str
    source: str
    target: str
    synapses: int

    @property
    def text(self) -> str:
        """Shown on hover."""
        return f"{self.source} to {self.target}: {self.synapses:,} synapses"


@dataclass(frozen=True)
class LayerMap:
    """The whole picture, with its content in words."""

    title: str
    width: int
    height: int
    box_width: int
    box_height: int
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]


def layer_map(network: ChipNetwork, cores_of: Mapping[str, int]) -> LayerMap:
    """Draw each population one row below the lowest of its sources.

    Parameters
    ----------
    network : ChipNetwork
    cores_of : mapping of population name to int
        Cores that hold a part of it.
    """
    rows = _rows(network)
    beside: dict[int, int] = defaultdict(int)
    places: dict[str, tuple[int, int]] = {}
    for population in network.populations:
        row = rows[population.name]
        places[population.name] = (beside[row] * (BOX_WIDTH + GAP_BESIDE), row * (BOX_HEIGHT + GAP_BELOW))
        beside[row] += 1
    most = max(cores_of.values(), default=0) or 1
    boxes = tuple(
        Box(
            *places[population.name],
            _shortened(population.name),
            _in_cores(cores_of[population.name]),
            cores_of[population.name] / most,
            f"{population.name}: {population.neuron_count:,} neurons on {_in_cores(cores_of[population.name])}",
        )
        for population in network.populations
    )
    between: dict[tuple[str, str], list[Projection]] = defaultdict(list)
    for projection in network.projections:
        between[projection.source, projection.target].append(projection)
    right = max(beside.values(), default=1) * (BOX_WIDTH + GAP_BESIDE) - GAP_BESIDE
    lanes = _lanes([pair for pair in between if rows[pair[1]] - rows[pair[0]] != 1], rows)
    wires = []
    for (source, target), projections in between.items():
        lane_x = right + LANE * lanes[source, target] if (source, target) in lanes else None
        synapses = sum(item.connectivity.synapse_count for item in projections)
        wires.append(Wire(_path(places[source], places[target], lane_x), source, target, synapses))
    busiest = max(network.populations, key=lambda population: cores_of[population.name])
    return LayerMap(
        f"{len(boxes)} populations and their projections; {busiest.name} takes most cores, {most:,}",
        right + LANE * (max(lanes.values(), default=0) + 1),
        (max(rows.values(), default=0) + 1) * (BOX_HEIGHT + GAP_BELOW) - GAP_BELOW,
        BOX_WIDTH,
        BOX_HEIGHT,
        boxes,
        tuple(wires),
    )


def _rows(network: ChipNetwork) -> dict[str, int]:
    """Row of each population; projections that close a cycle run upwards."""
    rows: dict[str, int] = {}
    for population in network.populations:
        above = [rows[item.source] for item in network.incoming(population.name) if item.source in rows]
        rows[population.name] = max(above, default=-1) + 1
    return rows


def _lanes(pairs: list[tuple[str, str]], rows: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """A lane, from 1, for each wire that does not run from one row to the next: the first that is free between them."""
    taken: list[int] = []
    lanes: dict[tuple[str, str], int] = {}
    for source, target in sorted(pairs, key=lambda pair: (min(rows[pair[0]], rows[pair[1]]), pair)):
        top, bottom = sorted((rows[source], rows[target]))
        lane = next((index for index, until in enumerate(taken) if until <= top), len(taken))
        if lane == len(taken):
            taken.append(bottom)
        taken[lane] = bottom
        lanes[source, target] = lane + 1
    return lanes


def _path(source: tuple[int, int], target: tuple[int, int], lane_x: int | None) -> str:
    """From the bottom of a box to the top of another, or from its right side along a lane."""
    if lane_x is None:
        x, y = source[0] + BOX_WIDTH // 2, source[1] + BOX_HEIGHT
        end_x, end_y = target[0] + BOX_WIDTH // 2, target[1]
        middle = (y + end_y) // 2
        return f"M{x} {y}C{x} {middle} {end_x} {middle} {end_x} {end_y}"
    start_y, end_y = source[1] + BOX_HEIGHT * 2 // 3, target[1] + BOX_HEIGHT // 3
    return f"M{source[0] + BOX_WIDTH} {start_y}H{lane_x}V{end_y}H{target[0] + BOX_WIDTH}"


def _in_cores(count: int) -> str:
    return "1 core" if count == 1 else f"{count:,} cores"


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_LABEL else f"...{name[3 - LONGEST_LABEL:]}"
