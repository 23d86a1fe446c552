"""Heat maps of the cores of each chip: utilisation, energy and spikes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

from hw_profiles.profile import Mesh
from mapping.placement import CoreAddress, CoreRecord
from nmdeploy.artifact.artifact import Artifact
from nmdeploy.report.core_quantities import CoreQuantity

# Sizes in SVG units: a core's square, the gap between the cores of a router, the gap between routers.
CORE_SIZE = 10
CORE_GAP = 1
ROUTER_GAP = 4
# A page stays readable with this many chips drawn, and well under 2 MB with this many cells.
CHIPS_DRAWN = 8
CELLS_DRAWN = 4096
# Parts of layers that the text of a cell names.
TILES_NAMED = 3


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
    is_largest : bool
        Whether no core of the map has more; marked, so that this is not told by colour alone.
    """

    x: int
    y: int
    size: int
    share: float
    text: str
    unusable: bool = False
    is_largest: bool = False


@dataclass(frozen=True)
class MeshMap:
    """One quantity over the cores of one chip.

    Attributes
    ----------
    title : str
    label : str
        What is seen, in words.
    scale_end : str
        The value, with its unit, that the darkest colour stands for; the lightest stands for 0.
    width, height : int
        In SVG units.
    cells : tuple of Cell
    """

    title: str
    label: str
    scale_end: str
    width: int
    height: int
    cells: tuple[Cell, ...]


def chips_drawn(artifact: Artifact, quantities: list[CoreQuantity]) -> list[int]:
    """The first chips in use, as many as a page holds."""
    chips = sorted({core.address.chip for core in artifact.placement.cores})
    cells_per_chip = artifact.profile.mesh.cores_per_chip * len(quantities)
    return chips[: min(CHIPS_DRAWN, max(1, CELLS_DRAWN // cells_per_chip))]


def mesh_maps(artifact: Artifact, quantities: list[CoreQuantity], chip: int) -> list[MeshMap]:
    """A map of each quantity for one chip."""
    return [_map(artifact, quantity, chip) for quantity in quantities]


def _map(artifact: Artifact, quantity: CoreQuantity, chip: int) -> MeshMap:
    mesh = artifact.profile.mesh
    used = {core.address: core for core in artifact.placement.cores if core.address.chip == chip}
    addresses = [
        CoreAddress(chip, x, y, slot)
        for y in range(mesh.routers_y.value)
        for x in range(mesh.routers_x.value)
        for slot in range(mesh.cores_per_router.value)
    ]
    amounts = {address: quantity.amount_of(core) for address, core in used.items()}
    largest = max(amounts, key=lambda address: amounts[address])
    pitch = _router_pitch(mesh)
    title = f"{quantity.name}, chip {chip}"
    return MeshMap(
        title=title,
        label=f"{title}: {len(used)} of {len(addresses)} cores in use, most at {largest}, "
        f"{quantity.written(amounts[largest])}, mean {quantity.written(sum(amounts.values()) / len(amounts))}",
        scale_end=quantity.written(quantity.scale_end),
        width=mesh.routers_x.value * pitch - ROUTER_GAP,
        height=mesh.routers_y.value * pitch - ROUTER_GAP,
        cells=tuple(
            _cell(address, used.get(address), mesh, quantity, is_largest=address == largest and amounts[largest] > 0)
            for address in addresses
        ),
    )


def _router_side(mesh: Mesh) -> int:
    """Cores of a router along each side of its square."""
    return ceil(sqrt(mesh.cores_per_router.value))


def _router_pitch(mesh: Mesh) -> int:
    """Distance of neighbouring routers."""
    return _router_side(mesh) * (CORE_SIZE + CORE_GAP) - CORE_GAP + ROUTER_GAP


def _cell(
    address: CoreAddress, core: CoreRecord | None, mesh: Mesh, quantity: CoreQuantity, is_largest: bool
) -> Cell:
    row, column = divmod(address.slot, _router_side(mesh))
    pitch, step = _router_pitch(mesh), CORE_SIZE + CORE_GAP
    x, y = address.x * pitch + column * step, address.y * pitch + row * step
    if core is None:
        unusable = (address.x, address.y, address.slot) in mesh.unusable_sites(address.chip)
        return Cell(x, y, CORE_SIZE, 0.0, f"{address}: {'dead or reserved' if unusable else 'not in use'}", unusable)
    amount = quantity.amount_of(core)
    share = min(1.0, amount / (quantity.scale_end or 1.0))
    text = f"{address}: {quantity.told(amount)}; {_held(core)}"
    return Cell(x, y, CORE_SIZE, share, text, is_largest=is_largest)


def _held(core: CoreRecord) -> str:
    """The tiles of a core, the first few named."""
    named = ", ".join(map(str, core.tiles[:TILES_NAMED]))
    more = len(core.tiles) - TILES_NAMED
    return f"{named} and {more} more" if more > 0 else named
