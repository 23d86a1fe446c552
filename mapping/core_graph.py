"""The result of partitioning: cores with their tiles and demands, and the messages between them."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx

from mapping.tiles import Demands, Tile


@dataclass(frozen=True)
class Core:
    """One core of a partitioned network.

    Attributes
    ----------
    tiles : tuple of Tile
    demands : Demands
    chip : int
        Number of the chip that the core lies on; it decides the output axon entries of the cores that reach
        it.
    """

    tiles: tuple[Tile, ...]
    demands: Demands
    chip: int


@dataclass(frozen=True)
class Traffic:
    """What one core sends to another.

    Attributes
    ----------
    messages : int
        Pairs of projection and source neuron: the messages if each neuron of the source core spikes once.
    """

    messages: int


@dataclass(frozen=True)
class CoreGraph:
    """A network split over cores.

    Attributes
    ----------
    graph : networkx.DiGraph
        Nodes are 0, 1, ... in topological order of the populations, with attribute "core" (`Core`); edges run
        from source to target core with attribute "traffic" (`Traffic`).
    """

    graph: nx.DiGraph

    @property
    def cores(self) -> list[Core]:
        """All cores, in order of their numbers."""
        return [data["core"] for _, data in self.graph.nodes(data=True)]

    @property
    def chip_count(self) -> int:
        """Number of chips taken."""
        return 1 + max((core.chip for core in self.cores), default=-1)

    def messages(self, source: int, target: int) -> int:
        """Messages from one core to another if each neuron spikes once; 0 where nothing is sent."""
        if not self.graph.has_edge(source, target):
            return 0
        traffic: Traffic = self.graph.edges[source, target]["traffic"]
        return traffic.messages
