"""What the rules judge: the parts of a network and placement that are sound enough to count, and the counts.

This is the verifier's own reading of network and placement; it shares no code with the partitioner.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hw_profiles import HardwareProfile
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.network import ChipNetwork, InputProjection, Population, Projection
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.rules.core_recount import CoreRecount, PlacedTile
from mapping.rules.route_recount import RouteRecount
from mapping.tiles import Demands, Tile


@dataclass(frozen=True)
class PlacedNetwork:
    """A network in tiles on the cores of a chip, read without trust.

    Attributes
    ----------
    network : ChipNetwork
    placement : Placement
    profile : HardwareProfile or CrossbarProfile
    """

    network: ChipNetwork
    placement: Placement
    profile: HardwareProfile | CrossbarProfile

    @cached_property
    def named_populations(self) -> dict[str, Population]:
        """Populations of the graph's nodes that have one, by the name of the node."""
        nodes = self.network.graph.nodes(data=True)
        found = ((name, data.get("population")) for name, data in nodes)
        return {name: population for name, population in found if isinstance(population, Population)}

    @cached_property
    def populations(self) -> dict[str, Population]:
        """Populations whose arrays have the right shapes."""
        return {
            name: population
            for name, population in self.named_populations.items()
            if not population_problems(population)
        }

    @property
    def on_cores(self) -> dict[str, Population]:
        """Populations that cores compute, by the name of the node."""
        return self.named_populations

    @property
    def countable_on_cores(self) -> dict[str, Population]:
        """Sound populations that cores compute."""
        return self.populations

    @cached_property
    def edge_projections(self) -> list[Projection]:
        """Projections of the graph's edges that have one."""
        edges = self.network.graph.edges(data=True)
        found = (data.get("projection") for _, _, data in edges)
        return [projection for projection in found if isinstance(projection, Projection)]

    @cached_property
    def projections(self) -> list[Projection]:
        """Projections between sound populations whose connectivity and weights are sound."""
        return [
            projection
            for projection in self.edge_projections
            if projection.source in self.populations
            and projection.target in self.populations
            and not self.projection_problems(projection)
        ]

    def projection_problems(self, projection: Projection | InputProjection) -> list[str]:
        """What makes the connectivity or weights of a projection meaningless, in words."""
        connectivity = projection.connectivity
        found = list(connectivity.problems())
        ends = [("target", projection.target, connectivity.target_shape)]
        if isinstance(projection, Projection):
            ends.append(("source", projection.source, connectivity.source_shape))
        elif connectivity.source_shape != self.network.input_shape:
            found.append(f"source shape {connectivity.source_shape} for an input of {self.network.input_shape}")
        for end, name, shape in ends:
            if name in self.named_populations and self.named_populations[name].shape != shape:
                found.append(f"{end} shape {shape} for a population of {self.named_populations[name].shape}")
        if not found and projection.weights.shape != connectivity.weight_shape:
            found.append(f"weights of shape {projection.weights.shape} instead of {connectivity.weight_shape}")
        if not np.issubdtype(projection.weights.dtype, np.integer):
            found.append(f"weights of type {projection.weights.dtype}, which is no integer")
        return found

    @property
    def network_is_sound(self) -> bool:
        """Whether all populations and projections could be read, so that the counts are complete."""
        graph = self.network.graph
        parts: int = graph.number_of_nodes() + graph.number_of_edges()
        return len(self.populations) + len(self.projections) == parts

    @property
    def is_countable(self) -> bool:
        """Whether what cores need and send can be counted completely."""
        return self.network_is_sound

    def tile_lies_inside(self, tile: Tile) -> bool:
        """Whether a tile of a known population is not empty and inside it."""
        boxes, shape = (tile.channels, tile.rows, tile.columns), self.named_populations[tile.population].shape
        return len(shape) == len(boxes) and all(
            0 <= start < stop <= size for (start, stop), size in zip(boxes, shape, strict=True)
        )

    @cached_property
    def placed(self) -> list[PlacedTile]:
        """All tiles that are boxes of sound populations that cores compute, with their core record's position."""
        return [
            PlacedTile(index, tile, self.populations[tile.population])
            for index, record in enumerate(self.placement.cores)
            for tile in record.tiles
            if tile.population in self.countable_on_cores and self.tile_lies_inside(tile)
        ]

    def reached(self, index: int) -> set[CoreAddress]:
        """Addresses that a core record's neurons send to."""
        raise NotImplementedError


@dataclass(frozen=True)
class Evidence(PlacedNetwork):
    """What the rules of chips with cores of neurons and synapses judge."""

    profile: HardwareProfile

    @cached_property
    def routes(self) -> RouteRecount:
        """Which core sends to which, counted anew."""
        chips = [record.address.chip for record in self.placement.cores]
        return RouteRecount.of(self.placed, self.projections, chips, self.profile)

    @cached_property
    def demands(self) -> list[Demands]:
        """What each core record needs, counted anew."""
        recount = CoreRecount(self.projections, self.profile)
        tiles: list[list[PlacedTile]] = [[] for _ in self.placement.cores]
        for placed in self.placed:
            tiles[placed.core].append(placed)
        return [
            recount.demands(on_core, entries)
            for on_core, entries in zip(tiles, self.routes.output_entries, strict=True)
        ]

    def reached(self, index: int) -> set[CoreAddress]:
        """Addresses that a core record's neurons send to."""
        return {self.placement.cores[target].address for target in self.routes.targets[index]}

    def cores_with_demands(self) -> list[tuple[CoreRecord, Demands]]:
        """Each core record with what it needs."""
        return list(zip(self.placement.cores, self.demands, strict=True))


def population_problems(population: Population) -> list[str]:
    """What makes a population's arrays meaningless, in words; empty if they are sound."""
    shape = population.shape
    if len(shape) != 3 or min(shape) < 1:
        return [f"shape {shape} is not three positive numbers"]
    per_channel: list[tuple[int, ...]] = [(shape[0],)]
    expected: dict[str, list[tuple[int, ...]]] = {
        "threshold": per_channel,
        "initial_potential": per_channel,
        "bias_mantissa": [(shape[0], 1, 1), shape],
        "bias_exponent": [population.bias_mantissa.shape],
        "scale": per_channel,
    }
    if population.negative_threshold is not None:
        expected["negative_threshold"] = per_channel
    arrays = {name: getattr(population, name) for name in expected}
    if population.count_memory is not None and population.count_memory.slope_mantissa is not None:
        expected["slope_mantissa"] = per_channel
        arrays["slope_mantissa"] = population.count_memory.slope_mantissa
    found = [f"start step {population.start_step}"] if population.start_step < 0 else []
    for name, shapes in expected.items():
        array = arrays[name]
        if array.shape not in shapes:
            found.append(f"{name} has shape {array.shape} instead of {' or '.join(map(str, shapes))}")
        if name != "scale" and not np.issubdtype(array.dtype, np.integer):
            found.append(f"{name} has type {array.dtype}, which is no integer")
    return found
