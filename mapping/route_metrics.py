"""What a placement costs on the way: messages, hops and the load of each link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles import MeshProfile
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.core_traffic import CoreTraffic, Spikes, core_spikes, core_traffic
from mapping.mesh_positions import MeshPositions, mesh_positions
from mapping.multicast_trees import routing_entries, tree_segments
from mapping.network import ChipNetwork
from mapping.placement import Placement

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Ways = tuple[FloatArray, IntArray, IntArray, IntArray]
"""Amounts, lines, starts and stops of straight ways."""


@dataclass(frozen=True)
class LinkLoads:
    """Messages over each directed link of the grid of `mapping.mesh_positions`.

    Attributes
    ----------
    east, west : float64 arrays, (height, width - 1)
        ``east[y, x]`` from router (x, y) to (x + 1, y), ``west[y, x]`` back.
    south, north : float64 arrays, (height - 1, width)
        ``south[y, x]`` from router (x, y) to (x, y + 1), ``north[y, x]`` back.
    """

    east: FloatArray
    west: FloatArray
    south: FloatArray
    north: FloatArray

    @property
    def all_links(self) -> FloatArray:
        """Loads of all links in one row."""
        return np.concatenate([part.ravel() for part in (self.east, self.west, self.south, self.north)])


@dataclass(frozen=True)
class RouteMetrics:
    """Messages and hops of a placement.

    Attributes
    ----------
    messages : float
        Spikes, each counted once for a projection and core that it goes to, also its own.
    off_chip_messages : float
        Those to another chip.
    total_hops : float
        Lengths of the ways of all messages together. A core at the same router is 0 hops away.
    link_loads : LinkLoads
        Where the chip routes along trees, a spike passes each link of its core's tree once, so that the loads add up
        to less than `total_hops`.
    most_routing_entries : int or None
        Of any router's table, before compression; None where the profile tells of no such tables.
    """

    messages: float
    off_chip_messages: float
    total_hops: float
    link_loads: LinkLoads
    most_routing_entries: int | None

    @property
    def mean_hops(self) -> float:
        """Hops of a message; 0 if there are none."""
        return self.total_hops / self.messages if self.messages else 0.0

    @property
    def max_link_load(self) -> float:
        """Messages over the busiest link."""
        return float(self.link_loads.all_links.max(initial=0.0))

    @property
    def mean_link_load(self) -> float:
        """Messages over a link, mean over all links of the chips in use."""
        loads = self.link_loads.all_links
        return float(loads.mean()) if len(loads) else 0.0


def route_metrics(
    network: ChipNetwork, placement: Placement, profile: MeshProfile, spikes: Spikes = None
) -> RouteMetrics:
    """Messages, hops and link loads of a placement, each message on the dimension-ordered route, first x, then y.

    Each message goes to one core by a route of its own, or along the tree of its core where the profile says that the
    chip has multicast routing (see `mapping.multicast_trees`); `mapping.mesh_positions` says how chips lie.

    Parameters
    ----------
    network : ChipNetwork
        Sound: `mapping.verify` finds no NMD4xx violation.
    placement : Placement
        Whose tiles lie inside the populations, and cores on the mesh.
    profile : MeshProfile
    spikes : mapping, sequence or None
        Spikes of each population by name, or of each tile in the order of the placement (as in
        ``artifact.counts.tiles``), in any unit of time, e.g. an inference; the results are in the same unit. None for
        one spike of each neuron.

    Raises
    ------
    ValueError
        A core does not lie on the mesh, or there are not as many spike counts as tiles.
    """
    tiles = [core.tiles for core in placement.cores]
    traffic, spikes_of_cores = core_traffic(network, tiles, spikes), core_spikes(network, tiles, spikes)
    trees = None if isinstance(profile, CrossbarProfile) else profile.multicast
    addresses = [core.address for core in placement.cores]
    chips = np.array([address.chip for address in addresses], dtype=np.int64)
    positions = mesh_positions(addresses, profile.mesh)
    off_chip = chips[traffic.source] != chips[traffic.target]
    return RouteMetrics(
        messages=float(traffic.messages.sum()),
        off_chip_messages=float(traffic.messages[off_chip].sum()),
        total_hops=total_hops(traffic, positions),
        link_loads=link_loads(traffic, positions) if trees is None else tree_loads(traffic, spikes_of_cores, positions),
        most_routing_entries=None if trees is None else int(routing_entries(traffic, positions).max(initial=0)),
    )


def total_hops(traffic: CoreTraffic, positions: MeshPositions) -> float:
    """Links that all messages pass together."""
    x, y = positions.x, positions.y
    hops = np.abs(x[traffic.source] - x[traffic.target]) + np.abs(y[traffic.source] - y[traffic.target])
    return float(traffic.messages @ hops.astype(np.float64))


def link_loads(traffic: CoreTraffic, positions: MeshPositions) -> LinkLoads:
    """Messages over each link on dimension-ordered routes: along x in the row of the source, then along y.

    Loads are sums of differences, which floating point would leave traces of on idle links: so they are taken in whole
    numbers, of a unit that is 2**60 times smaller than the power of two above all messages.
    """
    from_x, to_x = positions.x[traffic.source], positions.x[traffic.target]
    from_y, to_y = positions.y[traffic.source], positions.y[traffic.target]
    along_x = traffic.messages, from_y, from_x, to_x
    return _loads(along_x, (traffic.messages, to_x, from_y, to_y), positions)


def tree_loads(traffic: CoreTraffic, spikes_of_cores: FloatArray, positions: MeshPositions) -> LinkLoads:
    """Spikes over each link where all spikes of a core go along one tree; see `mapping.multicast_trees`.

    Parameters
    ----------
    traffic : CoreTraffic
    spikes_of_cores : float64 array, (cores,)
    positions : MeshPositions
    """
    across, down = tree_segments(traffic, positions)
    return _loads((spikes_of_cores[across[0]], *across[1:]), (spikes_of_cores[down[0]], *down[1:]), positions)


def _loads(across: Ways, down: Ways, positions: MeshPositions) -> LinkLoads:
    """Loads of ways along x and along y."""
    _, exponent = np.frexp(across[0].sum() + down[0].sum())
    found = []
    for (amounts, line, start, stop), shape in (
        (across, (positions.height, positions.width)),
        (down, (positions.width, positions.height)),
    ):
        units = np.rint(np.ldexp(amounts, 60 - exponent)).astype(np.int64)
        both = _loads_along(units, line, start, stop, shape)
        found += [np.ldexp(part.astype(np.float64), exponent - 60) for part in both]
    return LinkLoads(found[0], found[1], found[2].T, found[3].T)


def _loads_along(
    amounts: NDArray[np.int64],
    line: NDArray[np.int64],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    shape: tuple[int, int],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Loads of the links along one axis, ahead and back; (lines, routers of a line - 1)."""
    both = []
    for going in (start < stop, start > stop):
        changes = np.zeros(shape, dtype=np.int64)
        np.add.at(changes, (line[going], np.minimum(start, stop)[going]), amounts[going])
        np.subtract.at(changes, (line[going], np.maximum(start, stop)[going]), amounts[going])
        both.append(np.cumsum(changes, axis=1)[:, :-1])
    return both[0], both[1]
