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
        parts = f"{len(self.parts)} part" + ("s" if len(self.parts) > 1 else "")
        return (
            f"{self.population}: inputs that drive {self.inputs:,} axons are summed in {parts} of two signs, which is "
            "approximate"
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
    blocks = _blocks(population, cut)
    made: list[FloatPopulation] = []
    projections: list[FloatProjection] = []
    joining: list[FloatProjection] = []
    for number, pieces in enumerate(parts, start=1):
        part = _partial_sum(population, unused_name(f"{population.name}.part{number}", taken))
        made.append(part)
        for index, piece in enumerate(pieces):
            projections += _into_part(part, cut[piece.projection], piece, index, blocks)
        joining += _joining(part, population, blocks)
    demand = most_axons(population.shape, [(table, axons) for table in tables])
    return made, projections + direct + joining, demand


def _blocks(population: FloatPopulation, cut: list[FloatProjection]) -> int:
    """Blocks of channels that have no inputs in common, of all projections alike; 1 if they are not alike."""
    whole = (0, population.shape[0])
    alike = {one.connectivity.groups for one in cut if one.connectivity.target_channels == whole}
    same = len(alike) == 1 and all(one.connectivity.target_channels == whole for one in cut)
    return alike.pop() if same else 1


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


def _into_part(
    part: FloatPopulation, whole: FloatProjection, piece: Piece, index: int, blocks: int
) -> list[FloatProjection]:
    """The synapses of a piece into both signs of a part: as one projection, whose axons both share, if it can be."""
    table = piece.connectivity(whole.connectivity)
    weights = piece.weights(whole.connectivity, whole.weights)
    positive, negative = np.maximum(weights, 0.0), np.maximum(-weights, 0.0)
    channels = part.shape[0] // 2
    size = channels // blocks
    start, stop = table.target_channels
    name = f"{whole.source}->{part.name}" + (f"#{index}" if index else "")
    if stop - start == size * table.groups and start % size == 0:
        signs = [one.reshape(table.groups, size, *one.shape[1:]) for one in (positive, negative)]
        both = replace(table, target_shape=part.shape, target_channels=(2 * start, 2 * stop))
        stacked = np.concatenate(signs, axis=1).reshape(2 * len(weights), *weights.shape[1:])
        return [FloatProjection(name, whole.source, part.name, both, stacked)]
    # there is one block, so that each sign is a range of channels
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


def _joining(part: FloatPopulation, population: FloatPopulation, blocks: int) -> list[FloatProjection]:
    """From both signs of each block of a part to its channels of the population."""
    own = Connectivity.identity(population.shape)
    size = population.shape[0] // blocks
    joined = []
    for block in range(blocks):
        number = str(block) if blocks > 1 else ""
        for sign, suffix, first in ((1.0, "+", 2 * block * size), (-1.0, "-", (2 * block + 1) * size)):
            table = replace(
                own,
                source_shape=part.shape,
                source_channels=(first, first + size),
                target_channels=(block * size, (block + 1) * size),
                groups=size,
            )
            name = f"{part.name}->{population.name}{number}{suffix}"
            weights = np.full(table.weight_shape, sign)
            joined.append(FloatProjection(name, part.name, population.name, table, weights))
    return joined


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
