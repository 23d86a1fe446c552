"""What a placement costs on the way: messages, hops and the load of each link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.core_traffic import CoreTraffic, Spikes, core_traffic
from mapping.mesh_positions import MeshPositions, mesh_positions
from mapping.network import ChipNetwork
from mapping.placement import Placement

FloatArray = NDArray[np.float64]


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
        Links that all messages pass together. A core at the same router is 0 hops away.
    link_loads : LinkLoads
    """

    messages: float
    off_chip_messages: float
    total_hops: float
    link_loads: LinkLoads

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
    network: ChipNetwork, placement: Placement, profile: HardwareProfile, spikes: Spikes = None
) -> RouteMetrics:
    """Messages, hops and link loads of a placement, each message on the dimension-ordered route, first x, then y.

    Each message goes to one core by a route of its own; chips stand in a row (see `mapping.mesh_positions`).

    Parameters
    ----------
    network : ChipNetwork
        Sound: `mapping.verify` finds no NMD4xx violation.
    placement : Placement
        Whose tiles lie inside the populations, and cores on the mesh.
    profile : HardwareProfile
    spikes : mapping, sequence or None
        Spikes of each population by name, or of each tile in the order of the placement (as in
        ``artifact.counts.tiles``), in any unit of time, e.g. an inference; the results are in the same unit. None for
        one spike of each neuron.

    Raises
    ------
    ValueError
        A core does not lie on the mesh, or there are not as many spike counts as tiles.
    """
    traffic = core_traffic(network, [core.tiles for core in placement.cores], spikes)
    addresses = [core.address for core in placement.cores]
    chips = np.array([address.chip for address in addresses], dtype=np.int64)
    positions = mesh_positions(addresses, profile.mesh)
    off_chip = chips[traffic.source] != chips[traffic.target]
    return RouteMetrics(
        messages=float(traffic.messages.sum()),
        off_chip_messages=float(traffic.messages[off_chip].sum()),
        total_hops=total_hops(traffic, positions),
        link_loads=link_loads(traffic, positions),
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
    _, exponent = np.frexp(traffic.messages.sum())
    amounts = np.rint(np.ldexp(traffic.messages, 60 - exponent)).astype(np.int64)
    from_x, to_x = positions.x[traffic.source], positions.x[traffic.target]
    from_y, to_y = positions.y[traffic.source], positions.y[traffic.target]
    east, west = _loads_along(amounts, from_y, from_x, to_x, (positions.height, positions.width))
    south, north = _loads_along(amounts, to_x, from_y, to_y, (positions.width, positions.height))
    return LinkLoads(*(np.ldexp(part.astype(np.float64), exponent - 60) for part in (east, west, south.T, north.T)))


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
