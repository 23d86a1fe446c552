"""What the rules of crossbars judge: a placed network and the program of its columns and axons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_program import CrossbarProgram
from mapping.network import Population, Projection
from mapping.placement import CoreAddress
from mapping.rules.crossbar_numbering import CrossbarNumbering, IntArray
from mapping.rules.crossbar_reading import ProgramReading, SignedArray, program_problems
from mapping.rules.crossbar_recount import CrossbarNeeds, count_needs
from mapping.rules.evidence import PlacedNetwork
from mapping.rules.rule import broken
from mapping.violation import Violation

DAMAGED = "Network, placement and program do not belong together, or one was edited; compile anew"


@dataclass(frozen=True)
class CrossbarEvidence(PlacedNetwork):
    """What the rules of crossbars judge.

    Attributes
    ----------
    profile : CrossbarProfile
    program : CrossbarProgram
    """

    profile: CrossbarProfile
    program: CrossbarProgram

    @cached_property
    def on_cores(self) -> dict[str, Population]:
        """Populations that crossbars compute, by the name of the node."""
        return {name: one for name, one in self.named_populations.items() if not one.on_host}

    @property
    def neurons_of_system(self) -> int:
        """Columns of all cores of the largest system."""
        mesh = self.profile.mesh
        cores = mesh.routers_x.value * mesh.routers_y.value * mesh.cores_per_router.value * mesh.chips.value
        return cores * self.profile.crossbar.neurons.value

    @cached_property
    def countable_on_cores(self) -> dict[str, Population]:
        """Sound populations on crossbars, none of more neurons than all cores together have."""
        return {
            name: self.populations[name]
            for name, population in self.on_cores.items()
            if name in self.populations and population.neuron_count <= self.neurons_of_system
        }

    @cached_property
    def into_chip(self) -> list[Projection]:
        """Projections into populations on crossbars."""
        return [projection for projection in self.edge_projections if projection.target in self.on_cores]

    @cached_property
    def is_countable(self) -> bool:
        """Whether what cores need and send can be counted completely."""
        return (
            self.network_is_sound
            and len(self.countable_on_cores) == len(self.on_cores)
            and not any(self.axon_type_problem(projection) for projection in self.into_chip)
        )

    def axon_type_problem(self, projection: Projection) -> str | None:
        """What is wrong with the axon types of a projection into the chip, in words."""
        types, given = self.profile.crossbar.axon_types.value, projection.axon_types
        if not isinstance(given, tuple) or not all(isinstance(kind, Integral) for kind in given):
            return "axon types that are no tuple of numbers"
        if not given:
            return "no axon types, but it runs to a population on the chip"
        wrong = [kind for kind in given if not 0 <= kind < types]
        return f"axon type {wrong[0]}; there are 0 to {types - 1}" if wrong else None

    @cached_property
    def numbering(self) -> CrossbarNumbering:
        """Numbers of neurons and slots, of a countable network."""
        graph = self.network.graph
        found = (data["projection"] for name in graph for _, _, data in graph.in_edges(name, data=True))
        return CrossbarNumbering(tuple(graph), tuple(self.populations[name] for name in graph), tuple(found))

    @cached_property
    def needs(self) -> CrossbarNeeds:
        """What each core needs, of a countable network."""
        axons = self.profile.crossbar.axons.value
        return count_needs(self.numbering, self.placed, len(self.placement.cores), axons)

    def reached(self, index: int) -> set[CoreAddress]:
        """Addresses that a core record's neurons send to."""
        return {self.placement.cores[target].address for target in self.needs.targets(index).tolist()}

    @cached_property
    def reading(self) -> ProgramReading | None:
        """The program, None if it cannot be judged: malformed, or its network is."""
        if not self.is_countable or program_problems(self.program):
            return None
        crossbar = self.profile.crossbar
        return ProgramReading(
            self.program.columns,
            self.program.axons,
            self.numbering,
            len(self.placement.cores),
            crossbar.axons.value,
            crossbar.neurons.value,
        )

    @cached_property
    def missing_and_needless_axons(self) -> tuple[IntArray, IntArray]:
        """``core * slot_count + slot`` of axons that the program lacks, and of those that it has too much."""
        if self.reading is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        wanted = self.needs.wanted
        served = self.reading.served(self.needs.axons <= self.profile.crossbar.axons.value)
        if np.array_equal(wanted, served):
            return wanted[:0], served[:0]
        repeated = np.zeros(len(served), dtype=np.bool_)
        repeated[1:] = served[1:] == served[:-1]
        return wanted[~among(wanted, served)], served[~among(served, wanted) | repeated]

    def in_cores(
        self, code: str, cores: SignedArray, what: str, name: Callable[[int], str], remedy: str = DAMAGED
    ) -> Iterator[Violation]:
        """One violation for each core.

        Parameters
        ----------
        code : str
            Of the rule.
        cores : integer array
            Core of each place at which the rule is broken, as the program numbers it.
        what : str
            What is wrong, after the number of places.
        name : callable
            Words for a place, given its position in `cores`.
        remedy : str
        """
        found = np.unique(cores, return_index=True, return_counts=True)
        for core, first, count in zip(*(array.tolist() for array in found), strict=True):
            known = 0 <= core < len(self.placement.cores)
            where = f"core {self.placement.cores[core].address}" if known else "network"
            yield broken(code, where, f"{count:,} {what}, the first {name(first)}", remedy)


def among(values: IntArray, listed: IntArray) -> NDArray[np.bool_]:
    """Whether each value stands in an ascending list."""
    if not len(listed):
        return np.zeros(len(values), dtype=np.bool_)
    places = np.minimum(np.searchsorted(listed, values), len(listed) - 1)
    found: NDArray[np.bool_] = listed[places] == values
    return found

