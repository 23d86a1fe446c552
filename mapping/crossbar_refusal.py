"""Why a network fits no crossbars, and what would help."""

from __future__ import annotations

import numpy as np

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_reads import ProjectionReads, read_by_host
from mapping.network import ChipNetwork, Population, Projection
from mapping.violation import Violation


def unfit_for_crossbars(network: ChipNetwork, profile: CrossbarProfile) -> list[Violation]:
    """One violation for each population on the chip of which a single neuron fits no core."""
    violations = []
    for population in network.populations:
        if population.on_host:
            continue
        found = [_too_many_axons(network, population, profile), _too_many_columns(network, population, profile)]
        violations += [violation for violation in found if violation is not None]
    return violations


def _too_many_axons(network: ChipNetwork, population: Population, profile: CrossbarProfile) -> Violation | None:
    incoming = list(network.incoming(population.name))
    of_neurons = np.zeros(population.shape, dtype=np.int64)
    for projection in incoming:
        of_neurons += ProjectionReads(projection).axons((1, 1, 1))
    demand = int(of_neurons.max())
    capacity = profile.crossbar.axons.value
    if demand <= capacity:
        return None
    return Violation(
        rule="NMD801",
        severity="error",
        where=f"population {population.name}",
        message="fits no core: one neuron alone asks for too many axons",
        demand=demand,
        capacity=capacity,
        remedy=_axon_remedy(incoming, capacity),
    )


def _axon_remedy(incoming: list[Projection], capacity: int) -> str:
    """Name the projection that asks for most, and what it could have."""
    asked = {one.name: int(ProjectionReads(one).axons((1, 1, 1)).max()) for one in incoming}
    widest = max(incoming, key=lambda one: asked[one.name])
    left = capacity - (sum(asked.values()) - asked[widest.name])
    per_group = widest.connectivity.in_channels // widest.connectivity.groups
    channels = left * per_group // asked[widest.name]
    if channels >= 1:
        what = "input channels" if widest.connectivity.groups == 1 else "input channels in each group"
        remedy = f"Give {widest.name} at most {channels} {what}"
    else:
        remedy = f"Give {widest.name} a smaller kernel"
    types = len(widest.axon_types)
    fewer = f", or weights of fewer levels, so that an input takes fewer than {types} axons" if types > 1 else ""
    return f"{remedy}{fewer}; or compile with --split-fan-in, which sums the inputs in parts and is approximate"


def _too_many_columns(network: ChipNetwork, population: Population, profile: CrossbarProfile) -> Violation | None:
    """A neuron drives at least all axons of one input in one core; it cannot relay what a core has no columns for."""
    capacity = profile.crossbar.neurons.value
    onto_chip = [one for one in network.outgoing(population.name) if not network.population(one.target).on_host]
    reads = [ProjectionReads(one) for one in onto_chip]
    demand = max((one.axons_per_input for one in reads if one.driven((1, 1, 1)).any()), default=0)
    if capacity == 1:  # relays have one column, too, so that they are no help
        driven = read_by_host(network, population.name).astype(np.int64)
        for one in reads:
            driven += one.driven((1, 1, 1))
        demand = max(demand, int(driven.max()))
    if demand <= capacity:
        return None
    return Violation(
        rule="NMD802",
        severity="error",
        where=f"population {population.name}",
        message="fits no core: one neuron alone drives too many axons",
        demand=demand,
        capacity=capacity,
        remedy="Use weights of fewer levels, so that an input takes fewer axons, or a target with more neurons a core",
    )


def delays_too_long(delays: dict[str, int], profile: CrossbarProfile) -> list[Violation]:
    """One violation for each projection that would need so long a delay, by name."""
    limit = profile.number_formats.delay_max.value - 1
    return [
        Violation(
            rule="NMD818",
            severity="error",
            where=f"projection {name}",
            message="delay in steps",
            demand=delay,
            capacity=limit,
            remedy="Shorten the longer path beside it",
        )
        for name, delay in delays.items()
    ]
