"""What a tile adds to a core, and what several tiles on one core need together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mapping.tiles import Demands

SynapseFormat = tuple[int | str, ...]

ADDED = (
    "compartments",
    "input_axons",
    "output_axon_entries",
    "synapse_memory_words",
    "memory_bytes",
    "synapse_row_bytes",
)
"""Demands that add up over the tiles of a core; of the others the largest counts, or different ones are counted."""


@dataclass(frozen=True)
class TileLoad:
    """What one tile brings along.

    Attributes
    ----------
    demands : Demands
        Of a core with this tile alone.
    formats : frozenset of tuple
        Synapse formats of the projections into it, reset synapses included.
    configurations : frozenset of (str, int)
        Reset and threshold of its neurons.
    """

    demands: Demands
    formats: frozenset[SynapseFormat]
    configurations: frozenset[tuple[str, int]]

    def with_output_axon_entries(self, entries: int) -> TileLoad:
        """The same with other output axon entries."""
        if entries == self.demands.output_axon_entries:
            return self
        return replace(self, demands=replace(self.demands, output_axon_entries=entries))


def joint_demands(loads: Sequence[TileLoad], fixed_bytes: int, output_axon_entries: int) -> Demands:
    """Demands of a core that holds several tiles.

    Parameters
    ----------
    loads : sequence of TileLoad
        At least one.
    fixed_bytes : int
        Of the memory of each core, whatever it holds.
    output_axon_entries : int
        They depend on which targets share a core, so they are given.
    """
    if len(loads) == 1:
        return loads[0].with_output_axon_entries(output_axon_entries).demands
    alone = [load.demands for load in loads]
    configurations = frozenset[tuple[str, int]]().union(*(load.configurations for load in loads))
    return Demands(
        compartments=sum(item.compartments for item in alone),
        input_axons=sum(item.input_axons for item in alone),
        output_axon_entries=output_axon_entries,
        synapse_memory_words=sum(item.synapse_memory_words for item in alone),
        words_per_axon_list=max(item.words_per_axon_list for item in alone),
        synapse_formats=len(frozenset[SynapseFormat]().union(*(load.formats for load in loads))),
        compartment_configurations=len(configurations),
        threshold_configurations=len({threshold for _, threshold in configurations}),
        memory_bytes=sum(item.memory_bytes for item in alone) - fixed_bytes * (len(alone) - 1),
        synapse_row_bytes=sum(item.synapse_row_bytes for item in alone),
        synapses_per_row=max(item.synapses_per_row for item in alone),
    )
