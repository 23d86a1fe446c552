"""The converted network: populations joined by projections, still in float.

A population computes ``activation(sum of its projections + bias)``, or the largest of the values that its projections
bring (`nmdeploy.spiking.maximum`); as spiking neurons, a rate of one spike a step
stands for the activation `scale` of its channel. Weights are kept in the units of the trained network; the weights of
the papers' normalised network are ``weights * scale[source channel] / scale[target channel]`` (`normalised_weights`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from mapping.connectivity import Connectivity, Shape

INPUT = "input"
Activation = Literal["rectifier", "leaky", "maximum", "none"]


@dataclass(frozen=True)
class FloatPopulation:
    """Units of the converted network.

    Attributes
    ----------
    name : str
    shape : (int, int, int)
        Channels, rows, columns.
    activation : {"rectifier", "leaky", "maximum", "none"}
        "maximum" for pooling, whose projections have weights of one and whose bias is zero; "none" for an output,
        which is read as a membrane potential.
    ceiling : float or None
        Upper limit of the activation (6 for ReLU6).
    bias : float64 array, (channels, 1, 1) or `shape`
    scale : float64 array, (channels,)
        Activation that a rate of 1 stands for; ones until the conversion method has set it.
    is_output : bool
    negative_slope : float64 array, (channels,), or None
        Of a leaky activation.
    is_partial_sum : bool
        Whether it holds, for blocks of channels of its reader, first what positive weights add to each channel, then
        what negative ones take from it (`nmdeploy.crossbar.partial_sums`).
    """

    name: str
    shape: Shape
    activation: Activation
    ceiling: float | None
    bias: NDArray[np.float64]
    scale: NDArray[np.float64]
    is_output: bool = False
    negative_slope: NDArray[np.float64] | None = None
    is_partial_sum: bool = False

    def activate(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Apply the activation function to values (..., channels)."""
        if self.activation in ("none", "maximum"):
            return values
        if self.negative_slope is not None:
            return np.where(values < 0, values * self.negative_slope.astype(np.float32), values)
        ceiling = np.float32(np.inf if self.ceiling is None else self.ceiling)
        return np.clip(values, np.float32(0.0), ceiling)


@dataclass(frozen=True)
class FloatProjection:
    """Weighted connections from a population, or from the input, to a population.

    Attributes
    ----------
    name : str
    source : str
        Name of a population or `INPUT`.
    target : str
    connectivity : Connectivity
    weights : float64 array, `connectivity.weight_shape`
    """

    name: str
    source: str
    target: str
    connectivity: Connectivity
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class SpikingNetwork:
    """Populations and projections as a graph.

    Attributes
    ----------
    input_shape : (int, int, int)
    graph : networkx.MultiDiGraph
        Node `INPUT`, then the populations in topological order with attribute "population"; edges have the
        projection's name as key and the attribute "projection".
    """

    input_shape: Shape
    graph: nx.MultiDiGraph

    @property
    def populations(self) -> list[FloatPopulation]:
        """All populations, sources before targets."""
        return [data["population"] for name, data in self.graph.nodes(data=True) if name != INPUT]

    @property
    def outputs(self) -> list[FloatPopulation]:
        """The populations that hold the network's outputs."""
        return [population for population in self.populations if population.is_output]

    def population(self, name: str) -> FloatPopulation:
        """The population of this name."""
        population: FloatPopulation = self.graph.nodes[name]["population"]
        return population

    def incoming(self, name: str) -> Iterator[FloatProjection]:
        """Projections into the population `name`."""
        return (data["projection"] for _, _, data in self.graph.in_edges(name, data=True))

    def outgoing(self, name: str) -> Iterator[FloatProjection]:
        """Projections out of `name`, which may be `INPUT`."""
        return (data["projection"] for _, _, data in self.graph.out_edges(name, data=True))

    @property
    def projections(self) -> list[FloatProjection]:
        """All projections, in order of their targets."""
        return [projection for population in self.populations for projection in self.incoming(population.name)]

    def with_scales(self, scales: dict[str, NDArray[np.float64]]) -> SpikingNetwork:
        """The same network with other scales for the populations named."""
        populations = [
            replace(population, scale=scales.get(population.name, population.scale)) for population in self.populations
        ]
        return build_spiking_network(self.input_shape, populations, self.projections)

    def source_scale(self, projection: FloatProjection) -> NDArray[np.float64]:
        """Scale of the source channels that a projection reads; ones for the input."""
        start, stop = projection.connectivity.source_channels
        if projection.source == INPUT:
            return np.ones(stop - start)
        return self.population(projection.source).scale[start:stop]

    def normalised_weights(self, projection: FloatProjection) -> NDArray[np.float64]:
        """Weights for thresholds of 1: ``w * scale(source) / scale(target)`` (Spiking-YOLO Eq. 5, per channel).

        Returns
        -------
        float64 array, `connectivity.weight_shape`
        """
        table = projection.connectivity
        start, stop = table.target_channels
        target_scale = self.population(projection.target).scale[start:stop]
        per_group = table.in_channels // table.groups
        source_scale = self.source_scale(projection).reshape(table.groups, per_group)
        by_output = np.repeat(source_scale, table.out_channels // table.groups, axis=0)
        ratio = by_output / target_scale[:, None]
        normalised: NDArray[np.float64] = projection.weights * ratio[:, :, None, None]
        return normalised

    def problems(self) -> list[str]:
        """Everything that is wrong with the network, in words; empty if it is sound."""
        found = []
        for projection in self.projections:
            table = projection.connectivity
            found += [f"{projection.name}: {problem}" for problem in table.problems()]
            if projection.weights.shape != table.weight_shape:
                found.append(f"{projection.name}: weights {projection.weights.shape} for {table.weight_shape}")
            if not np.isfinite(projection.weights).all():
                found.append(f"{projection.name}: NaN or infinite weights")
        for population in self.populations:
            if not np.isfinite(population.bias).all():
                found.append(f"{population.name}: NaN or infinite bias")
            if not (population.scale > 0).all():
                found.append(f"{population.name}: a scale is not positive")
        if not self.outputs:
            found.append("no output population")
        return found


def build_spiking_network(
    input_shape: Shape, populations: list[FloatPopulation], projections: list[FloatProjection]
) -> SpikingNetwork:
    """Join populations, given in topological order, and projections into a network."""
    graph = nx.MultiDiGraph()
    graph.add_node(INPUT)
    for population in populations:
        graph.add_node(population.name, population=population)
    for projection in projections:
        graph.add_edge(projection.source, projection.target, key=projection.name, projection=projection)
    return SpikingNetwork(input_shape, graph)


def unused_name(name: str, taken: set[str]) -> str:
    """A name like `name` that is not taken; takes it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name
