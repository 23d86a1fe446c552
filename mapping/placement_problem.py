"""What a placer arranges: a symmetric graph of cores, the slots they may take, and the cost of a hop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from hw_profiles import MeshProfile
from mapping.core_traffic import CoreTraffic
from mapping.mesh_positions import MeshPositions
from mapping.mesh_slots import MeshSlots, mesh_slots
from mapping.placement import Placement

IntArray = NDArray[np.int64]

# Messages are counted in whole units of which all together are about so many: no rounding that matters, and no
# overflow of 64 bits for meshes of up to 2**20 hops and hop costs of up to 2**9.
UNITS = 2**33


@dataclass(frozen=True)
class PlacementProblem:
    """Cores with what they send each other, and slots.

    Attributes
    ----------
    traffic : CoreTraffic
    slots : MeshSlots
    group_of : int64 array, (cores,)
        Group of slots in which each core must lie.
    units : int64 array, (pairs,)
        Messages of each pair of `traffic`, in whole units.
    unit : float
        Messages of one unit.
    first, other, weight : int64 arrays, (cores + 1,), (edges,), (edges,)
        Compressed rows of a symmetric graph without diagonal: units that two cores send each other, both ways added.
    hop_costs : (int, int)
        Of a hop along x and along y.
    """

    traffic: CoreTraffic
    slots: MeshSlots
    group_of: IntArray
    units: IntArray
    unit: float
    first: IntArray
    other: IntArray
    weight: IntArray
    hop_costs: tuple[int, int]

    def cost(self, dx: IntArray, dy: IntArray) -> IntArray:
        """Cost of the way between routers that are so far apart."""
        return np.abs(dx) * self.hop_costs[0] + np.abs(dy) * self.hop_costs[1]

    def total_cost(self, slot_of: IntArray) -> float:
        """Messages times the cost of their ways, all together."""
        start, stop = slot_of[self.traffic.source], slot_of[self.traffic.target]
        x, y = self.slots.x, self.slots.y
        return int(self.units @ self.cost(x[start] - x[stop], y[start] - y[stop])) * self.unit

    def core_at(self, slot_of: IntArray) -> IntArray:
        """Core on each slot; -1 for a free one."""
        cores = np.full(len(self.slots.x), -1, dtype=np.int64)
        cores[slot_of] = np.arange(len(slot_of))
        return cores

    def positions(self, slot_of: IntArray) -> MeshPositions:
        """Routers of the cores."""
        slots = self.slots
        return MeshPositions(slots.width, slots.height, slots.x[slot_of], slots.y[slot_of])


def placement_problem(
    placement: Placement,
    traffic: CoreTraffic,
    profile: MeshProfile,
    hop_costs: tuple[int, int] = (1, 1),
    chips: Sequence[int] | None = None,
) -> PlacementProblem:
    """What may be changed about a placement: the cores of each chip among themselves, or all cores.

    Parameters
    ----------
    placement : Placement
        Its cores lie on the mesh.
    traffic : CoreTraffic
        Of its cores.
    profile : MeshProfile
    hop_costs : (int, int)
        At least 1.
    chips : sequence of int, optional
        Chips to use, where cores may change theirs; those in use if not given.
    """
    numbers = np.array([core.address.chip for core in placement.cores], dtype=np.int64)
    in_use, group_of = np.unique(numbers, return_inverse=True)
    slots = mesh_slots(in_use.tolist() if chips is None else chips, profile)
    if len(slots.starts) == 2:
        group_of = np.zeros_like(group_of)
    return graph_problem(traffic, slots, group_of.astype(np.int64), hop_costs)


def graph_problem(
    traffic: CoreTraffic, slots: MeshSlots, group_of: IntArray, hop_costs: tuple[int, int]
) -> PlacementProblem:
    """The problem of placing what sends this traffic on these slots, each in its group.

    Parameters
    ----------
    traffic : CoreTraffic
        Pairs may stand there several times.
    slots : MeshSlots
    group_of : int64 array, (cores,)
    hop_costs : (int, int)
        At least 1.
    """
    total = float(traffic.messages.sum())
    unit = total / UNITS if total else 1.0
    units = np.rint(traffic.messages / unit).astype(np.int64)
    apart = traffic.source != traffic.target
    ends = traffic.source[apart], traffic.target[apart]
    keys = np.concatenate([ends[0] * traffic.cores + ends[1], ends[1] * traffic.cores + ends[0]])
    edges, places = np.unique(keys, return_inverse=True)
    weight = np.zeros(len(edges), dtype=np.int64)
    np.add.at(weight, places, np.concatenate([units[apart], units[apart]]))
    edges, weight = edges[weight > 0], weight[weight > 0]
    first = np.searchsorted(edges, np.arange(traffic.cores + 1) * traffic.cores).astype(np.int64)
    common = gcd(*hop_costs)
    costs = hop_costs[0] // common, hop_costs[1] // common
    others = edges % max(traffic.cores, 1)
    return PlacementProblem(traffic, slots, group_of, units, unit, first, others, weight, costs)


def current_slots(problem: PlacementProblem, placement: Placement) -> IntArray:
    """Slot of each core of a placement."""
    slots = {address: slot for slot, address in enumerate(problem.slots.addresses)}
    return np.array([slots[core.address] for core in placement.cores], dtype=np.int64)
