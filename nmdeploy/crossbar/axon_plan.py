"""Which axon types each projection into a population takes, and whether a core has axons for all inputs of a neuron.

A projection whose weights are all alike within an output channel needs one axon an input, of a type of its own: the
neuron's weight for the type is the weight. Partial sums of one sign share a type, having one scale. All other
projections into a population share a scheme (`nmdeploy.crossbar.axon_schemes`) on the types that are left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles.crossbar_profile import Crossbar
from mapping.connectivity import Connectivity, Shape
from mapping.fan_in_parts import distinct_reads
from nmdeploy.crossbar.axon_schemes import AxonScheme, relative_error, schemes
from nmdeploy.errors import NmdeployError
from nmdeploy.spiking.network import FloatPopulation, FloatProjection, SpikingNetwork

FloatArray = NDArray[np.float64]

# Of the weights of a layer: 16 levels for weights of a normal distribution reach it.
TOLERANCE = 0.1
NEEDED_BITS = 4
"""What the weights of a layer that is left to itself come to, about: 16 levels."""


@dataclass(frozen=True)
class ProjectionAxons:
    """Axons that each input of a projection drives.

    Attributes
    ----------
    types : tuple of int
    scheme : AxonScheme or None
        None where all weights of a channel are alike, and the one type's weight is theirs.
    """

    types: tuple[int, ...]
    scheme: AxonScheme | None


@dataclass(frozen=True)
class Precision:
    """How fine weights must be.

    Attributes
    ----------
    bits : int or None
        As many levels as whole numbers of so many bits of sign and magnitude have, ``2**bits - 1``; None: the fewest
        axons with which the weights of a layer change by no more than `TOLERANCE` (root of squares).
    """

    bits: int | None = None

    def choose(
        self, weights: FloatArray, type_count: int, *, signed: bool, most_axons: int | None = None
    ) -> AxonScheme | None:
        """The scheme of fewest axons that is fine enough; the finest if none is, None if there are too few types.

        Parameters
        ----------
        weights : float64 array, (channels, inputs)
        type_count : int
        signed : bool
            Whether a channel has weights of both signs; else each sign has half of the levels.
        most_axons : int, optional
            That an input may drive.
        """
        offered = schemes(type_count, signed=signed)
        if most_axons is not None:
            offered = tuple(one for one in offered if one.axons <= most_axons)
        for scheme in offered:
            if self.bits is None:
                if relative_error(weights, scheme) <= TOLERANCE:
                    return scheme
            elif self.has_levels(scheme, signed=signed):
                return scheme
        return offered[-1] if offered else None

    def has_levels(self, scheme: AxonScheme, *, signed: bool) -> bool:
        """Whether a scheme has as many levels as `bits` asks for, if it asks for any."""
        levels = scheme.levels if signed else 2 * scheme.levels - 1
        return self.bits is None or levels >= 2**self.bits - 1


def plan_axons(
    network: SpikingNetwork, population: FloatPopulation, crossbar: Crossbar, precision: Precision
) -> dict[str, ProjectionAxons] | None:
    """Axons of the projections into a population on the chip.

    Parameters
    ----------
    network : SpikingNetwork
    population : FloatPopulation
        Of the network, on the chip.
    crossbar : Crossbar
    precision : Precision

    Returns
    -------
    dict of projection name to ProjectionAxons, or None
        None if a neuron has more inputs than a core has axons for, or there are too few types: it must be summed in
        parts.
    """
    incoming = list(network.incoming(population.name))
    alone = [one for one in incoming if is_uniform(one.weights)]
    if population.is_partial_sum and len(alone) < len(incoming):
        alone = []  # which has been cut as if all its inputs drove as many axons
    groups = {_group(network, one) for one in alone}
    if len(groups) <= crossbar.axon_types.value - (len(alone) < len(incoming)):
        plan = _with_types(network, population, alone, crossbar, precision)
        if plan is not None:
            return plan
    # types of their own are a saving, but may leave the others too few
    return _with_types(network, population, [], crossbar, precision) if alone else None


def _with_types(
    network: SpikingNetwork,
    population: FloatPopulation,
    alone: list[FloatProjection],
    crossbar: Crossbar,
    precision: Precision,
) -> dict[str, ProjectionAxons] | None:
    """As `plan_axons`, with types of their own for some projections."""
    incoming = list(network.incoming(population.name))
    shared = [one for one in incoming if one not in alone]
    groups = sorted({_group(network, one) for one in alone})
    scheme = None
    if shared:
        most = None
        if population.is_partial_sum:  # which is not cut again
            most = crossbar.axons.value // most_axons(population.shape, [(one.connectivity, 1) for one in incoming])
        weights = by_channel(population, shared)
        free = crossbar.axon_types.value - len(groups)
        signed = has_both_signs(weights)
        scheme = precision.choose(weights, free, signed=signed, most_axons=most)
        if scheme is None or (alone and not precision.has_levels(scheme, signed=signed)):
            return None
    first = 0 if scheme is None else len(scheme.ratios)
    plan = {one.name: ProjectionAxons((first + groups.index(_group(network, one)),), None) for one in alone}
    if scheme is not None:
        plan |= {one.name: ProjectionAxons(scheme.types, scheme) for one in shared}
    tables = [(one.connectivity, len(plan[one.name].types)) for one in incoming]
    return plan if most_axons(population.shape, tables) <= crossbar.axons.value else None


def is_uniform(weights: FloatArray) -> bool:
    """Whether all weights of each output channel are alike, whatever the scales of the source channels."""
    flat = weights.reshape(len(weights), -1)
    return weights.shape[1] == 1 and bool((flat == flat[:, :1]).all())


def has_both_signs(weights: FloatArray) -> bool:
    """Whether any output channel has; those of one sign have units of that sign."""
    return bool(((weights < 0).any(axis=1) & (weights > 0).any(axis=1)).any())


def _group(network: SpikingNetwork, projection: FloatProjection) -> str:
    """Projections of one group have the same weights once scales are set: partial sums of one sign."""
    if not network.population(projection.source).is_partial_sum:
        return projection.name
    start, stop = projection.connectivity.source_channels
    return f"partial sums {(start // (stop - start)) % 2}"


def by_channel(population: FloatPopulation, projections: list[FloatProjection]) -> FloatArray:
    """Weights of all projections by output channel, (channels, inputs), zeros where a channel has none."""
    parts = []
    for one in projections:
        start, stop = one.connectivity.target_channels
        part = np.zeros((population.shape[0], one.weights[0].size))
        part[start:stop] = one.weights.reshape(stop - start, -1)
        parts.append(part)
    return np.concatenate(parts, axis=1)


def most_axons(shape: Shape, tables: list[tuple[Connectivity, int]]) -> int:
    """Most axons that the inputs of a single neuron of a population drive.

    Parameters
    ----------
    shape : (int, int, int)
        Of the population.
    tables : list of (Connectivity, int)
        Of the projections into it, with the axons that each input drives.
    """
    axons = np.zeros(shape, dtype=np.int64)
    for table, copies in tables:
        per_group = table.in_channels // table.groups
        rows, columns = (distinct_reads(taps) for taps in (table.rows, table.columns))
        axons[slice(*table.target_channels)] += copies * per_group * np.multiply.outer(rows, columns)
    return int(axons.max())


def plan_network(
    network: SpikingNetwork, on_host: frozenset[str], crossbar: Crossbar, precision: Precision
) -> dict[str, ProjectionAxons]:
    """Axons of all projections into populations on the chip, none of which needs to be summed in parts."""
    plan: dict[str, ProjectionAxons] = {}
    for population in network.populations:
        if population.name not in on_host:
            found = plan_axons(network, population, crossbar, precision)
            if found is None:
                raise NmdeployError(f"{population.name} was left with too many inputs; please report this network")
            plan |= found
    return plan
