"""Fan-in beyond a crossbar: populations of partial sums, one neuron for each sign of the weights.

A neuron with more inputs than a core has axons for is computed in parts. The neurons of a part add up the spikes of its
inputs and send what they have added as spikes: one neuron those of the positive weights, one those of the negative
ones, so that both only ever grow. Their reader adds the first and takes away the second, in units of their thresholds.

What is exact and what is not: inside a core the sum is exact. With n parts, thresholds ``theta`` and start potentials
``v0``, all in weight units of the channel, and a mean input of no more than ``theta`` a step, what the reader has got
after all spikes are sent differs from the true sum by less than the residues left in 2 n neurons: between
``-n * (theta - 1)`` and ``n * (theta - 1)``, moved by the start potentials (`nmdeploy.crossbar.deviation`). On the way
there the negative parts may come late, the reader fire early, and no spike is taken back. So such populations are
approximate, are listed as such, and are simulated as what they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hw_profiles.crossbar_profile import Crossbar
from mapping.connectivity import Connectivity
from mapping.fan_in_parts import Piece, equal_parts
from mapping.violation import DoesNotFitError, Violation
from nmdeploy.crossbar.axon_plan import Precision, by_channel, is_uniform, most_axons, plan_axons
from nmdeploy.crossbar.host_populations import transducers
from nmdeploy.spiking.network import (
    INPUT,
    FloatPopulation,
    FloatProjection,
    SpikingNetwork,
    build_spiking_network,
    unused_name,
)


@dataclass(frozen=True)
class Split:
    """A population that is summed in parts.

    Attributes
    ----------
    population : str
    parts : tuple of str
        Populations of partial sums.
    inputs : int
        Axons that the inputs of one neuron would drive in one core.
    """

    population: str
    parts: tuple[str, ...]
    inputs: int

    def __str__(self) -> str:
        return (
            f"{self.population}: inputs that drive {self.inputs:,} axons are summed in {len(self.parts)} parts of "
            "two signs, which is approximate"
        )


def with_partial_sums(
    network: SpikingNetwork, crossbar: Crossbar, precision: Precision
) -> tuple[SpikingNetwork, list[Split]]:
    """Sum in parts what has more inputs than a core has axons for.

    Parameters
    ----------
    network : SpikingNetwork
        With what the host computes set apart, outputs not yet counted; scales not yet set.
    crossbar : Crossbar
    precision : Precision

    Returns
    -------
    SpikingNetwork
        The same function in float.
    list of Split

    Raises
    ------
    DoesNotFitError
        A population has too many parts for the axons of a core.
    """
    on_host = transducers(network)
    populations: list[FloatPopulation] = []
    projections: list[FloatProjection] = []
    splits: list[Split] = []
    violations: list[Violation] = []
    taken = {population.name for population in network.populations}
    for population in network.populations:
        incoming = list(network.incoming(population.name))
        if population.name in on_host or plan_axons(network, population, crossbar, precision) is not None:
            populations.append(population)
            projections += incoming
            continue
        made, joined, axons = _summed_in_parts(population, incoming, crossbar, precision, taken)
        populations += [*made, population]
        projections += joined
        parts = tuple(part.name for part in made)
        splits.append(Split(population.name, parts, axons))
        tables = [(one.connectivity, 1) for one in joined if one.target == population.name]
        demand = most_axons(population.shape, tables)
        if demand > crossbar.axons.value:
            violations.append(_too_many_parts(population, demand, crossbar.axons.value))
    if violations:
        raise DoesNotFitError(violations)
    return build_spiking_network(network.input_shape, populations, projections), splits


def _summed_in_parts(
    population: FloatPopulation,
    incoming: list[FloatProjection],
    crossbar: Crossbar,
    precision: Precision,
    taken: set[str],
) -> tuple[list[FloatPopulation], list[FloatProjection], int]:
    """Partial sums, all projections into them and into the population, and the axons that one core would need."""
    # one input a neuron, of one weight a channel: an axon of its own type at the reader, of which two are left
    direct = [one for one in incoming if is_uniform(one.weights) and _inputs(one) == 1]
    direct = direct[: crossbar.axon_types.value - 2]
    cut = [one for one in incoming if one not in direct]
    weights = by_channel(population, cut)
    scheme = precision.choose(np.abs(weights), crossbar.axon_types.value, signed=False)
    axons = 1 if scheme is None else scheme.axons
    tables = [one.connectivity for one in cut]
    parts = equal_parts(tables, crossbar.axons.value // axons) or []
    made: list[FloatPopulation] = []
    projections: list[FloatProjection] = []
    joining: list[FloatProjection] = []
    for number, pieces in enumerate(parts, start=1):
        part = _partial_sum(population, unused_name(f"{population.name}.part{number}", taken))
        made.append(part)
        for index, piece in enumerate(pieces):
            projections += _into_part(part, cut[piece.projection], piece, index)
        joining += [_joining(part, population, sign) for sign in (1, -1)]
    demand = most_axons(population.shape, [(table, axons) for table in tables])
    return made, projections + direct + joining, demand


def _inputs(projection: FloatProjection) -> int:
    """Inputs of a neuron through a projection, padding counted."""
    return int(projection.weights[0].size)


def _partial_sum(population: FloatPopulation, name: str) -> FloatPopulation:
    channels, rows, columns = population.shape
    return replace(
        population,
        name=name,
        shape=(2 * channels, rows, columns),
        activation="rectifier",
        ceiling=None,
        bias=np.zeros((2 * channels, 1, 1)),
        scale=np.ones(2 * channels),
        is_output=False,
        negative_slope=None,
        is_partial_sum=True,
    )


def _into_part(part: FloatPopulation, whole: FloatProjection, piece: Piece, index: int) -> list[FloatProjection]:
    """The synapses of a piece into both signs of a part: as one projection, whose axons both share, if it can be."""
    table = piece.connectivity(whole.connectivity)
    weights = piece.weights(whole.connectivity, whole.weights)
    positive, negative = np.maximum(weights, 0.0), np.maximum(-weights, 0.0)
    channels = part.shape[0] // 2
    name = f"{whole.source}->{part.name}" + (f"#{index}" if index else "")
    if table.groups == 1 and table.target_channels == (0, channels):
        both = replace(table, target_shape=part.shape, target_channels=(0, 2 * channels))
        return [FloatProjection(name, whole.source, part.name, both, np.concatenate([positive, negative]))]
    start, stop = table.target_channels
    return [
        FloatProjection(
            f"{name}{suffix}",
            whole.source,
            part.name,
            replace(table, target_shape=part.shape, target_channels=(offset + start, offset + stop)),
            of_sign,
        )
        for suffix, offset, of_sign in (("+", 0, positive), ("-", channels, negative))
    ]


def _joining(part: FloatPopulation, population: FloatPopulation, sign: int) -> FloatProjection:
    own = Connectivity.identity(population.shape)
    channels = population.shape[0]
    first = 0 if sign > 0 else channels
    table = replace(own, source_shape=part.shape, source_channels=(first, first + channels))
    suffix = "+" if sign > 0 else "-"
    weights = np.full(table.weight_shape, float(sign))
    return FloatProjection(f"{part.name}->{population.name}{suffix}", part.name, population.name, table, weights)


def _too_many_parts(population: FloatPopulation, demand: int, capacity: int) -> Violation:
    return Violation(
        "NMD801",
        "error",
        f"population {population.name}",
        "axons for the partial sums of one neuron",
        demand,
        capacity,
        "Use more groups or fewer channels, pool before the layer, or lower --weight-bits",
    )


def with_tied_scales(network: SpikingNetwork) -> SpikingNetwork:
    """Give all partial sums of one sign of a population the same scales, the largest of theirs.

    Their reader then adds them with one weight, that of one axon type.
    """
    scales = {population.name: population.scale.copy() for population in network.populations}
    for population in network.populations:
        sources = {one.source for one in network.incoming(population.name)} - {INPUT}
        parts = {name for name in sources if network.population(name).is_partial_sum}
        if parts:
            tied = np.max([scales[part] for part in sorted(parts)], axis=0)
            scales |= {part: tied for part in parts}
    return network.with_scales(scales)
