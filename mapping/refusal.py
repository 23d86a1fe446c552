"""Why a population fits no core, and the smallest change that would help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from hw_profiles import HardwareProfile, MeshProfile
from mapping.connectivity import Connectivity
from mapping.fan_in_parts import largest_fan_in
from mapping.network import ChipNetwork
from mapping.tiles import LARGEST_ROUTE_COUNT, LIMIT_NAMES
from mapping.tiling import PopulationTiler
from mapping.usable_cores import chips_needed
from mapping.violation import Violation


class WeightedConnections(Protocol):
    """A projection, of integers or of the float network."""

    @property
    def name(self) -> str:
        """Unique in the network."""

    @property
    def connectivity(self) -> Connectivity:
        """Which source neuron each target neuron reads."""

    @property
    def weights(self) -> NDArray[Any]:
        """Of `connectivity.weight_shape`."""


def unfit_population(tiler: PopulationTiler, network: ChipNetwork, profile: HardwareProfile) -> list[Violation]:
    """One violation for each limit that even a single neuron of the population exceeds."""
    kinds = list(tiler.tile_kinds(tiler.smallest()))
    violations = []
    for name, limit in tiler.limits.items():
        demand = max(getattr(kind, name) for kind in kinds)
        if demand <= limit:
            continue
        if name == "input_axons":
            own = profile.core_costs.reset_synapses_per_subtractive_neuron.value
            room = limit - (own if tiler.population.reset == "subtract" else 0)
            incoming = list(network.incoming(tiler.population.name))
            violations.append(too_many_inputs(tiler.population.name, incoming, demand, limit, room))
            continue
        violations.append(
            Violation(
                rule=LIMIT_NAMES[name].code,
                severity="error",
                where=f"population {tiler.population.name}",
                message=f"fits no core: one neuron alone asks for too many {LIMIT_NAMES[name].label}",
                demand=demand,
                capacity=limit,
                remedy=REMEDIES[name],
            )
        )
    return violations


def too_many_inputs(
    population: str, projections: Sequence[WeightedConnections], demand: int, capacity: int, room: int
) -> Violation:
    """A violation for a population whose neurons have more inputs than a core has input axons.

    Parameters
    ----------
    population : str
    projections : sequence of WeightedConnections
        Those into the population.
    demand, capacity : int
        Input axons.
    room : int
        Input axons that one neuron may take for its projections.
    """
    return Violation(
        rule=LIMIT_NAMES["input_axons"].code,
        severity="error",
        where=f"population {population}",
        message=f"fits no core: one neuron alone asks for too many {LIMIT_NAMES['input_axons'].label}",
        demand=demand,
        capacity=capacity,
        remedy=f"{fan_in_remedy(projections, room)}; or compile with --split-fan-in, which sums the inputs in parts "
        "and is approximate",
    )


REMEDIES = {
    "compartments": "Use a neuron model that takes fewer compartments, or another target",
    "output_axon_entries": "Give its targets fewer channels or smaller maps, so that they lie on fewer cores",
    "synapse_memory_words": "Lower --weight-bits, or give it fewer inputs",
    "words_per_axon_list": "Lower --weight-bits, or use fewer taps that read the same neuron",
    "synapse_formats": "Give the projections into it the same weight bits and exponent, or sum fewer of them",
    "compartment_configurations": "Use a target that allows at least one",
    "threshold_configurations": "Use a target that allows at least one",
    "memory_bytes": "Lower --weight-bits, pool over smaller windows, or use another target",
    "synapse_row_bytes": "Give it fewer input channels or more groups, or use a smaller kernel",
    "synapses_per_row": "Use fewer taps that read the same neuron",
}


def fan_in_remedy(projections: Sequence[WeightedConnections], room: int) -> str:
    """Say how many input channels, or how many groups, the widest projection could have.

    Parameters
    ----------
    projections : sequence of WeightedConnections
        Those into the population.
    room : int
        Input axons that one neuron may take for them.
    """
    fans = {projection.name: largest_fan_in([projection.connectivity]) for projection in projections}
    widest = max(projections, key=lambda projection: fans[projection.name])
    left = room - sum(fans.values()) + fans[widest.name]
    connectivity = widest.connectivity
    per_group = connectivity.in_channels // connectivity.groups
    channels = left // (fans[widest.name] // per_group)
    if channels < 1:
        return _remedy_for_several(projections, fans, room)
    what = "input channels" if connectivity.groups == 1 else "input channels in each group"
    remedy = f"Give {widest.name} at most {channels} {what}"
    groups = [
        count
        for count in range(connectivity.groups + 1, connectivity.in_channels + 1)
        if connectivity.in_channels % count == 0
        and connectivity.out_channels % count == 0
        and connectivity.in_channels // count <= channels
    ]
    if groups:
        remedy = f"{remedy}, or {groups[0]} groups"
    if _weighs_taps_equally(widest) and per_group <= left:
        remedy = f"{remedy}, or a ReLU after the average pooling before it, which then has neurons of its own"
    return remedy


def _remedy_for_several(projections: Sequence[WeightedConnections], fans: dict[str, int], room: int) -> str:
    """Say what helps where no single projection could be narrow enough."""
    positions = sum(
        fans[item.name] * item.connectivity.groups // item.connectivity.in_channels for item in projections
    )
    channels = room // positions
    if channels < 1:
        return "Use smaller kernels, or read fewer layers"
    return (
        f"Give each of the {len(projections)} projections into it at most {channels} input channels, or read fewer "
        "layers: a maximum that is computed by rectifiers is read from three"
    )


def _weighs_taps_equally(projection: WeightedConnections) -> bool:
    """Whether all taps have the same weights, as when an average pooling was folded into a dense layer."""
    per_tap = projection.weights.reshape(*projection.weights.shape[:2], -1)
    return per_tap.shape[2] > 1 and bool((per_tap == per_tap[:, :, :1]).all())


def delay_violations(network: ChipNetwork, profile: HardwareProfile) -> list[Violation]:
    """One violation for each projection whose delay the chip cannot hold."""
    limit = profile.number_formats.delay_max.value
    return [
        Violation(
            rule="NMD308",
            severity="error",
            where=f"projection {projection.name}",
            message="delay in steps",
            demand=projection.delay,
            capacity=limit,
            remedy="Shorten the longer path beside it, or put relay populations into this one",
        )
        for projection in network.projections
        if projection.delay > limit
    ]


def too_many_chips(core_count: int, profile: MeshProfile) -> list[Violation]:
    """One violation if so many cores are more than a system has."""
    chips = chips_needed(core_count, profile.mesh)
    if chips <= profile.mesh.chips.value:
        return []
    return [
        Violation(
            rule="NMD107",
            severity="error",
            where="network",
            message=f"{core_count:,} cores take too many chips",
            demand=chips,
            capacity=profile.mesh.chips.value,
            remedy="Use a smaller network, or a target with more chips",
        )
    ]


def too_many_routes(pairs: int) -> Violation:
    """A violation for more pairs of sending and receiving core than this tool handles."""
    return Violation(
        rule="NMD111",
        severity="error",
        where="network",
        message="pairs of sending and receiving core",
        demand=pairs,
        capacity=LARGEST_ROUTE_COUNT,
        remedy="Use fewer channels or more groups, so that a core needs fewer inputs and neurons reach fewer cores",
    )
