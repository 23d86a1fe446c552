"""Heat maps of the cores of each chip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt

from hw_profiles.profile import Mesh
from mapping.placement import CoreAddress, CoreRecord
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.energy.report import EnergyReport

# Sizes in SVG units: a core's square, the gap between the cores of a router, the gap between routers.
CORE_SIZE = 10
CORE_GAP = 1
ROUTER_GAP = 4
# A page stays readable, and well under 2 MB, with this many chips drawn.
CHIPS_DRAWN = 8

# Capacities that are drawn where the chip limits them: field of the limits, title, unit.
DRAWN = (
    ("compartments", "compartments", "compartments"),
    ("synapse_memory_words", "synapse memory", "words"),
    ("memory_bytes", "core memory", "bytes"),
    ("synapse_row_bytes", "synapse rows", "bytes"),
)

Quantity = Callable[[CoreRecord], tuple[float, str]]


@dataclass(frozen=True)
class Cell:
    """One core of a map.

    Attributes
    ----------
    x, y, size : int
        In SVG units.
    share : float
        0 to 1 of the capacity or of the largest value; 0 for a core not in use.
    text : str
        Shown on hover.
    unusable : bool
        Whether the chip has the core listed as dead or reserved.
    """

    x: int
    y: int
    size: int
    share: float
    text: str
    unusable: bool = False


@dataclass(frozen=True)
class MeshMap:
    """One quantity over the cores of one chip."""

    title: str
    width: int
    height: int
    cells: tuple[Cell, ...]


def mesh_maps(artifact: Artifact, energy: EnergyReport) -> list[MeshMap]:
    """Maps of capacities, energy and spikes for the first chips."""
    energies = {row.name: row.energy_pj for row in energy.cores}
    largest = max(energies.values(), default=0.0) or 1.0

    def energy_of(core: CoreRecord) -> tuple[float, str]:
        energy_pj = energies[str(core.address)]
        return energy_pj / largest, f"{energy_pj:,.0f} pJ"

    limits = ((name, title, unit, getattr(artifact.profile.core_limits, name)) for name, title, unit in DRAWN)
    quantities = {
        title: _share_of(name, limit.value, unit) for name, title, unit, limit in limits if limit is not None
    }
    quantities["energy"] = energy_of
    quantities["spikes"] = _spikes(artifact)
    chips = sorted({core.address.chip for core in artifact.placement.cores})[:CHIPS_DRAWN]
    return [
        _map(f"{name}, chip {chip}", chip, artifact, quantity)
        for chip in chips
        for name, quantity in quantities.items()
    ]


def _share_of(demand: str, capacity: int, unit: str) -> Quantity:
    """How much of a capacity a core takes."""

    def share(core: CoreRecord) -> tuple[float, str]:
        used = getattr(core.demands, demand)
        return used / capacity, f"{used:,} of {capacity:,} {unit}"

    return share


def _spikes(artifact: Artifact) -> Quantity:
    """Spikes that a core sends in an inference, as a share of the busiest core."""
    sent: dict[str, float] = defaultdict(float)
    for tile in artifact.counts.tiles:
        sent[tile.core] += tile.spikes / artifact.counts.samples
    largest = max(sent.values(), default=0.0) or 1.0
    return lambda core: (sent[str(core.address)] / largest, f"{sent[str(core.address)]:,.0f} spikes an inference")


def _map(title: str, chip: int, artifact: Artifact, quantity: Quantity) -> MeshMap:
    mesh = artifact.profile.mesh
    used = {core.address: core for core in artifact.placement.cores if core.address.chip == chip}
    addresses = [
        CoreAddress(chip, x, y, slot)
        for y in range(mesh.routers_y.value)
        for x in range(mesh.routers_x.value)
        for slot in range(mesh.cores_per_router.value)
    ]
    pitch = _router_pitch(mesh)
    return MeshMap(
        title=title,
        width=mesh.routers_x.value * pitch - ROUTER_GAP,
        height=mesh.routers_y.value * pitch - ROUTER_GAP,
        cells=tuple(_cell(address, used.get(address), mesh, quantity) for address in addresses),
    )


def _router_side(mesh: Mesh) -> int:
    """Cores of a router along each side of its square."""
    return ceil(sqrt(mesh.cores_per_router.value))


def _router_pitch(mesh: Mesh) -> int:
    """Distance of neighbouring routers."""
    return _router_side(mesh) * (CORE_SIZE + CORE_GAP) - CORE_GAP + ROUTER_GAP


def _cell(address: CoreAddress, core: CoreRecord | None, mesh: Mesh, quantity: Quantity) -> Cell:
    row, column = divmod(address.slot, _router_side(mesh))
    pitch, step = _router_pitch(mesh), CORE_SIZE + CORE_GAP
    x, y = address.x * pitch + column * step, address.y * pitch + row * step
    if core is None:
        unusable = (address.x, address.y, address.slot) in mesh.unusable_sites(address.chip)
        return Cell(x, y, CORE_SIZE, 0.0, f"{address}: {'dead or reserved' if unusable else 'not in use'}", unusable)
    share, amount = quantity(core)
    return Cell(x, y, CORE_SIZE, min(1.0, share), f"{address}: {amount}; {', '.join(map(str, core.tiles))}")
