"""Populations whose neurons have more inputs than a core has input axons, summed in parts.

`mapping.fan_in_parts` says which inputs are summed where. A partial sum has both signs, so it is sent by a population
with a slope of 1 for negative input, or by one for each sign on chips without spikes of -1, as outputs that count are
(`nmdeploy.convert.count_decoding`). As a float network the result is the same; as a spiking one it is an approximation,
whose partial sums are rounded to whole spikes, which is why it is done only when asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from hw_profiles import HardwareProfile
from mapping.connectivity import Connectivity
from mapping.fan_in_parts import Piece, fan_in_parts, largest_fan_in
from mapping.refusal import too_many_inputs
from mapping.violation import Violation
from nmdeploy.convert.lower_layers import NeuronKind
from nmdeploy.spiking.network import (
    INPUT,
    FloatPopulation,
    FloatProjection,
    SpikingNetwork,
    build_spiking_network,
    unused_name,
)

BOTH_SIGNS = ((1.0, ""),)
EACH_SIGN = ((1.0, ".positive"), (-1.0, ".negative"))


@dataclass(frozen=True)
class FanInLimit:
    """Inputs that a neuron may have on a chip.

    Attributes
    ----------
    input_axons : int
        Of a core.
    reset_axons : int
        Those that a neuron which spikes needs to reset itself.
    """

    input_axons: int
    reset_axons: int

    @classmethod
    def of(cls, profile: HardwareProfile, reset: Literal["subtract", "zero"]) -> FanInLimit | None:
        """That of a target; None where cores have no limit of input axons."""
        limit = profile.core_limits.input_axons
        if limit is None:
            return None
        resets = profile.core_costs.reset_synapses_per_subtractive_neuron.value if reset == "subtract" else 0
        return cls(int(limit.value), resets)

    def room(self, population: FloatPopulation) -> int:
        """Inputs that a neuron of a population may have from others."""
        return self.input_axons - (0 if population.activation == "none" else self.reset_axons)


def with_split_fan_in(
    network: SpikingNetwork, limit: FanInLimit, kinds: frozenset[NeuronKind]
) -> tuple[SpikingNetwork, list[str]]:
    """Sum in parts what has too many inputs.

    Parameters
    ----------
    network : SpikingNetwork
        Scales not yet set.
    limit : FanInLimit
    kinds : frozenset of {"leaky", "maximum"}
        What there are neurons for.

    Returns
    -------
    SpikingNetwork
        The same function in float.
    list of str
        A note for each population that was split. What no split makes narrow enough stays as it is, for the
        partitioner to refuse.
    """
    populations: list[FloatPopulation] = []
    projections: list[FloatProjection] = []
    notes: list[str] = []
    taken = {population.name for population in network.populations}
    for population in network.populations:
        incoming = list(network.incoming(population.name))
        parts = None if population.activation == "maximum" else _parts(population, incoming, limit, kinds)
        if parts is None:
            populations.append(population)
            projections += incoming
            continue
        made, joined = _summed_in_parts(population, incoming, parts, "leaky" in kinds, taken)
        populations += made
        projections += joined
        inputs = largest_fan_in([item.connectivity for item in incoming if item.source != INPUT])
        notes.append(
            f"{population.name}: its neurons have {inputs:,} inputs, and a core {limit.input_axons:,} input axons. "
            f"They are summed in {len(parts)} parts, of which {len(parts) - 1} sent as spikes, which is approximate"
        )
    return build_spiking_network(network.input_shape, populations, projections), notes


def _parts(
    population: FloatPopulation,
    incoming: list[FloatProjection],
    limit: FanInLimit,
    kinds: frozenset[NeuronKind],
) -> list[list[Piece]] | None:
    """The parts of a population that needs them."""
    tables = [item.connectivity for item in incoming if item.source != INPUT]
    if largest_fan_in(tables) <= limit.room(population):
        return None
    # parts spike, and need what that takes
    room = limit.input_axons - limit.reset_axons
    return fan_in_parts(tables, room, 1 if "leaky" in kinds else 2)


def _summed_in_parts(
    population: FloatPopulation,
    incoming: list[FloatProjection],
    parts: list[list[Piece]],
    has_leaky: bool,
    taken: set[str],
) -> tuple[list[FloatPopulation], list[FloatProjection]]:
    """A population and those that sum its parts, with all projections between and into them."""
    from_host = [item for item in incoming if item.source == INPUT]
    cut = [item for item in incoming if item.source != INPUT]
    made: list[FloatPopulation] = []
    projections: list[FloatProjection] = []
    to_population = [*from_host]
    for number, pieces in enumerate(parts[1:], start=2):
        name = f"{population.name}.part{number}"
        for sign, suffix in BOTH_SIGNS if has_leaky else EACH_SIGN:
            partial = _partial_sum(population, unused_name(f"{name}{suffix}", taken), has_leaky)
            made.append(partial)
            projections += _pieces_into(partial.name, cut, pieces, sign)
            table = Connectivity.identity(population.shape)
            weights = np.full(table.weight_shape, sign)
            to_population.append(
                FloatProjection(f"{partial.name}->{population.name}", partial.name, population.name, table, weights)
            )
    projections += _pieces_into(population.name, cut, parts[0], 1.0) + to_population
    return [*made, population], projections


def _partial_sum(population: FloatPopulation, name: str, has_leaky: bool) -> FloatPopulation:
    channels = population.shape[0]
    return replace(
        population,
        name=name,
        activation="leaky" if has_leaky else "rectifier",
        ceiling=None,
        bias=np.zeros((channels, 1, 1)),
        scale=np.ones(channels),
        is_output=False,
        negative_slope=np.ones(channels) if has_leaky else None,
    )


def _pieces_into(
    target: str, projections: list[FloatProjection], pieces: list[Piece], sign: float
) -> list[FloatProjection]:
    """Projections of some pieces into a population."""
    made = []
    for number, piece in enumerate(pieces):
        whole = projections[piece.projection]
        made.append(
            FloatProjection(
                name=f"{whole.source}->{target}" + (f"#{number}" if number else ""),
                source=whole.source,
                target=target,
                connectivity=piece.connectivity(whole.connectivity),
                weights=sign * piece.weights(whole.connectivity, whole.weights),
            )
        )
    return made


def too_wide(network: SpikingNetwork, limit: FanInLimit) -> list[Violation]:
    """One violation for each population whose neurons have too many inputs for a core."""
    violations = []
    for population in network.populations:
        incoming = [item for item in network.incoming(population.name) if item.source != INPUT]
        inputs = largest_fan_in([item.connectivity for item in incoming])
        room = limit.room(population)
        if inputs > room:
            demand = inputs + limit.input_axons - room
            violations.append(too_many_inputs(population.name, incoming, demand, limit.input_axons, room))
    return violations
