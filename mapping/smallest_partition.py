"""The fewest cores of any regular tilings and packing of a small network, by constraint programming.

The model lists every tile of every legal tiling, and every neuron, so it is for networks of some dozens of neurons. It
knows one chip only: all targets are near. CP-SAT runs with one worker, a fixed seed and a deterministic time limit, so
that equal input gives equal output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from mapping.axis_reach import ProjectionReach
from mapping.layout import Candidate
from mapping.network import Projection
from mapping.packing import Bins
from mapping.regular_tiling import Tiling
from mapping.tile_loads import SynapseFormat

DETERMINISTIC_TIME = 1.0
"""Limit of the own measure of work of CP-SAT, about a second."""


@dataclass(frozen=True)
class Assignment:
    """A choice of tilings, and of tiles for cores.

    Attributes
    ----------
    tilings : list of Tiling
        In order of the populations.
    cores : list of list of int
        Numbers of the tiles of each core, ascending, counted through the tilings.
    """

    tilings: list[Tiling]
    cores: list[list[int]]


def smallest_assignment(
    candidates: Mapping[str, Sequence[Candidate]],
    projections: Sequence[tuple[Projection, ProjectionReach]],
    bins: Bins,
    entries_per_target: int,
    most_cores: int,
) -> Assignment | None:
    """Find the assignment of fewest cores.

    Parameters
    ----------
    candidates : mapping of str to sequence of Candidate
        Of each population, in order.
    projections : sequence of (Projection, ProjectionReach)
    bins : Bins
        Capacities of a core.
    entries_per_target : int
        Output axon entries of a source neuron for each core with a target.
    most_cores : int
        More are of no interest.

    Returns
    -------
    Assignment or None
        None if there is none, or none was found within `DETERMINISTIC_TIME`.
    """
    model = _Model(candidates, bins, most_cores)
    if "output_axon_entries" in bins.added:
        model.limit_output_axons(projections, entries_per_target)
    return model.solve()


class _Model:
    """Variables and constraints.

    Parameters
    ----------
    candidates : mapping of str to sequence of Candidate
    bins : Bins
    most_cores : int
    """

    def __init__(self, candidates: Mapping[str, Sequence[Candidate]], bins: Bins, most_cores: int) -> None:
        self._candidates, self._bins, self._cores = candidates, bins, range(most_cores)
        self._model = cp_model.CpModel()
        self._used = [self._model.new_bool_var(f"used {core}") for core in self._cores]
        self._tiles: dict[Tiling, list[list[cp_model.IntVar]]] = {}
        self._reached: dict[frozenset[tuple[Tiling, int]], list[cp_model.IntVar]] = {}
        self._entries: list[list[cp_model.LinearExpr | cp_model.IntVar]] = [[] for _ in self._cores]
        for population in candidates.values():
            self._choose_one(population)
        self._limit_cores()

    def _choose_one(self, population: Sequence[Candidate]) -> None:
        """One tiling is chosen, and each of its tiles lies on one core."""
        chosen = [self._model.new_bool_var("tiling") for _ in population]
        self._model.add_exactly_one(chosen)
        for candidate, is_chosen in zip(population, chosen, strict=True):
            tiles = []
            for _ in candidate.loads:
                on_core = [self._model.new_bool_var("tile") for _ in self._cores]
                self._model.add(sum(on_core) == is_chosen)
                for used, here in zip(self._used, on_core, strict=True):
                    self._model.add_implication(here, used)
                tiles.append(on_core)
            self._tiles[candidate.tiling] = tiles

    def _limit_cores(self) -> None:
        """Each core's capacities, but for output axons to other neurons; cores are used in order."""
        for core in self._cores[1:]:
            self._model.add_implication(self._used[core], self._used[core - 1])
        pairs = [
            (load, tile)
            for population in self._candidates.values()
            for candidate in population
            for load, tile in zip(candidate.loads, self._tiles[candidate.tiling], strict=True)
        ]
        vectors = [self._bins.vector(load) for load, _ in pairs]
        holders: dict[SynapseFormat, list[list[cp_model.IntVar]]] = {}
        for load, tile in pairs:
            for item in self._bins.shares(load):
                holders.setdefault(item, []).append(tile)
        for core in self._cores:
            for index, (name, room) in enumerate(self._bins.added.items()):
                taken = [vector[index] * tile[core] for vector, (_, tile) in zip(vectors, pairs, strict=True)]
                if name == "output_axon_entries":
                    self._entries[core] += taken
                else:
                    self._model.add(sum(taken) <= room)
            self._limit_kinds(core, holders)

    def _limit_kinds(self, core: int, holders: Mapping[SynapseFormat, list[list[cp_model.IntVar]]]) -> None:
        """No more formats, configurations and thresholds than a core may hold."""
        present: dict[str, list[cp_model.IntVar]] = {}
        for item, tiles in sorted(holders.items(), key=lambda pair: repr(pair[0])):
            here = self._model.new_bool_var("kind")
            for tile in tiles:
                self._model.add_implication(tile[core], here)
            present.setdefault(str(item[0]), []).append(here)
        for what, variables in present.items():
            self._model.add(sum(variables) <= self._bins.most[what])

    def limit_output_axons(
        self, projections: Sequence[tuple[Projection, ProjectionReach]], entries_per_target: int
    ) -> None:
        """Entries of each core: of its neurons, the cores that their targets lie on."""
        for name, population in self._candidates.items():
            outgoing = [(item.target, reach) for item, reach in projections if item.source == name]
            reads = [
                (candidate.tiling, _incidence(reach, candidate.tiling))
                for target, reach in outgoing
                for candidate in self._candidates[target]
            ]
            for neuron in np.ndindex(population[0].tiling.shape) if outgoing else ():
                self._count_entries(population, neuron, outgoing, reads, entries_per_target)
        room = self._bins.added["output_axon_entries"]
        for core in self._cores:
            self._model.add(sum(self._entries[core]) <= room)

    def _count_entries(
        self,
        population: Sequence[Candidate],
        neuron: tuple[int, ...],
        outgoing: Sequence[tuple[str, ProjectionReach]],
        reads: Sequence[tuple[Tiling, tuple[NDArray[np.bool_], ...]]],
        entries_per_target: int,
    ) -> None:
        """Add what a neuron takes to the core that it lies on."""
        targets: list[cp_model.IntVar] = []
        start = 0
        for target, _ in outgoing:
            of_projection = reads[start : start + len(self._candidates[target])]
            start += len(of_projection)
            reached = frozenset(
                (tiling, tile) for tiling, masks in of_projection for tile in _reached(tiling, masks, neuron)
            )
            if reached:
                targets += self._cores_reached(reached)
        if not targets:
            return
        holding = [self._tiles[item.tiling][_tile_of(item.tiling, neuron)] for item in population]
        for core in self._cores:
            here = self._model.new_bool_var("neuron")
            taken = self._model.new_int_var(0, len(targets), "targets")
            for tile in holding:
                self._model.add_implication(tile[core], here)
            self._model.add(taken >= sum(targets)).only_enforce_if(here)
            self._entries[core].append(entries_per_target * taken)

    def _cores_reached(self, tiles: frozenset[tuple[Tiling, int]]) -> list[cp_model.IntVar]:
        """For each core whether it holds one of some tiles."""
        if tiles not in self._reached:
            reached = [self._model.new_bool_var("reached") for _ in self._cores]
            for tiling, tile in sorted(tiles, key=repr):
                for on_core, is_reached in zip(self._tiles[tiling][tile], reached, strict=True):
                    self._model.add_implication(on_core, is_reached)
            self._reached[tiles] = reached
        return self._reached[tiles]

    def solve(self) -> Assignment | None:
        """The best assignment found."""
        self._model.minimize(sum(self._used))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 0
        solver.parameters.max_deterministic_time = DETERMINISTIC_TIME
        if solver.status_name(solver.solve(self._model)) not in ("OPTIMAL", "FEASIBLE"):
            return None
        tilings: list[Tiling] = []
        cores: list[list[int]] = [[] for _ in self._cores]
        number = 0
        for population in self._candidates.values():
            for candidate in population:
                tiles = self._tiles[candidate.tiling]
                homes = [[core for core in self._cores if solver.value(tile[core])] for tile in tiles]
                if all(homes):
                    tilings.append(candidate.tiling)
                    for (core,) in homes:
                        cores[core].append(number)
                        number += 1
        return Assignment(tilings, sorted(core for core in cores if core))


def _incidence(reach: ProjectionReach, tiling: Tiling) -> tuple[NDArray[np.bool_], ...]:
    """Which sources each interval of a tiling reads, along channels, rows and columns."""
    channels, rows, columns = tiling.size
    return reach.channels.incidence(channels), reach.rows.incidence(rows), reach.columns.incidence(columns)


def _reached(tiling: Tiling, masks: tuple[NDArray[np.bool_], ...], neuron: tuple[int, ...]) -> Iterator[int]:
    """Numbers within a tiling of the tiles that read a source neuron."""
    blocks = (np.flatnonzero(mask[:, index]).tolist() for mask, index in zip(masks, neuron, strict=True))
    for of_tile in product(*blocks):
        yield _tile_number(tiling, of_tile)


def _tile_of(tiling: Tiling, neuron: tuple[int, ...]) -> int:
    """Number within a tiling of the tile that holds a neuron."""
    return _tile_number(tiling, tuple(index // size for index, size in zip(neuron, tiling.size, strict=True)))


def _tile_number(tiling: Tiling, blocks: tuple[int, ...]) -> int:
    channels, _, columns = tiling.grid
    return (blocks[1] * columns + blocks[2]) * channels + blocks[0]
