"""Numbers of all neurons on crossbars, and of all axons that projections could ask of one core."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mapping.network import Population, Projection

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class CrossbarNumbering:
    """Neurons of populations on the chip, numbered through; and slots.

    A slot is what one axon serves: a copy of a source neuron for a projection into the chip.

    Attributes
    ----------
    names : tuple of str
        Of the populations, in order of the network.
    populations : tuple of Population
    projections : tuple of Projection
        In order of the network.
    """

    names: tuple[str, ...]
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]

    @cached_property
    def number_of(self) -> dict[str, int]:
        """Number of a population by its name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def sizes(self) -> IntArray:
        """Neurons of each population on the chip; 0 for those on the host."""
        return np.array([0 if one.on_host else one.neuron_count for one in self.populations], dtype=np.int64)

    @cached_property
    def first_neuron(self) -> IntArray:
        """Number of the first neuron of each population, and of all neurons in the end."""
        first: IntArray = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)
        return first

    @property
    def neuron_count(self) -> int:
        """Neurons on the chip."""
        return int(self.first_neuron[-1])

    @cached_property
    def sources(self) -> IntArray:
        """Number of the source population of each projection."""
        return np.array([self.number_of[one.source] for one in self.projections], dtype=np.int64)

    @cached_property
    def source_sizes(self) -> IntArray:
        """Neurons of the source population of each projection."""
        counts = np.array([one.neuron_count for one in self.populations], dtype=np.int64)
        sizes: IntArray = counts[self.sources]
        return sizes

    @cached_property
    def first_sources(self) -> IntArray:
        """Number of the first neuron of the source of each projection; -1 for sources on the host."""
        hosted = np.array([one.on_host for one in self.populations], dtype=np.bool_)
        first: IntArray = np.where(hosted[self.sources], -1, self.first_neuron[self.sources])
        return first

    @cached_property
    def into_chip(self) -> NDArray[np.bool_]:
        """Whether each projection runs to a population on the chip."""
        return np.array(
            [not self.populations[self.number_of[one.target]].on_host for one in self.projections], dtype=np.bool_
        )

    @cached_property
    def copies(self) -> IntArray:
        """Axons that a source neuron of each projection drives in a core; 0 where the host is the target."""
        ends = zip(self.projections, self.into_chip.tolist(), strict=True)
        return np.array([len(one.axon_types) if inside else 0 for one, inside in ends], dtype=np.int64)

    @cached_property
    def first_slot(self) -> IntArray:
        """Number of the first slot of each projection, and of all slots in the end."""
        first: IntArray = np.concatenate([[0], np.cumsum(self.source_sizes * self.copies)]).astype(np.int64)
        return first

    @property
    def slot_count(self) -> int:
        """Slots of all projections; at least 1."""
        return max(int(self.first_slot[-1]), 1)

    def neuron_name(self, neuron: int) -> str:
        """Population and place of a numbered neuron, in words."""
        number = int(np.searchsorted(self.first_neuron, neuron, side="right")) - 1
        return self.place_name(number, neuron - int(self.first_neuron[number]))

    def place_name(self, population: int, neuron: int) -> str:
        """Population and place of a neuron within it, in words."""
        place = np.unravel_index(neuron, self.populations[population].shape)
        return f"{self.names[population]}[{', '.join(str(int(index)) for index in place)}]"

    def slot_name(self, slot: int) -> str:
        """Projection, source neuron and axon of a slot, in words."""
        number = int(np.searchsorted(self.first_slot, slot, side="right")) - 1
        neuron, copy = divmod(slot - int(self.first_slot[number]), int(self.copies[number]))
        source = self.place_name(int(self.sources[number]), neuron)
        return f"axon {copy} of {source} for {self.projections[number].name}"
