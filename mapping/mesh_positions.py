"""Where the routers of all chips lie on one grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles.profile import Mesh
from mapping.placement import CoreAddress


@dataclass(frozen=True)
class MeshPositions:
    """Routers of some cores on the grid that the chips form together.

    Attributes
    ----------
    width, height : int
        Routers of the grid along x and y, as far as its chips are in use.
    x, y : int64 arrays, (cores,)
    """

    width: int
    height: int
    x: NDArray[np.int64]
    y: NDArray[np.int64]


def mesh_positions(addresses: Sequence[CoreAddress], mesh: Mesh) -> MeshPositions:
    """Put the routers of all chips on one grid.

    Chips stand in rows of ``mesh.chip_columns``, in order of their numbers, or all in one row where the profile does
    not say; routers at the edges of neighbouring chips are neighbours, and the way from one to the other is a hop
    like others.

    Raises
    ------
    ValueError
        An address does not lie on the mesh of its chip.
    """
    columns, rows = mesh.routers_x.value, mesh.routers_y.value
    numbers = np.array([(one.chip, one.x, one.y) for one in addresses], dtype=np.int64).reshape(-1, 3)
    chips, x, y = numbers.T
    if len(numbers) and (numbers.min() < 0 or x.max() >= columns or y.max() >= rows):
        raise ValueError("a core does not lie on the mesh of its chip")
    chips_of_row = (mesh.chip_columns or mesh.chips).value
    chip_rows, chip_columns = np.divmod(chips, chips_of_row)
    return MeshPositions(
        width=(int(chip_columns.max(initial=0)) + 1) * columns,
        height=(int(chip_rows.max(initial=0)) + 1) * rows,
        x=chip_columns * columns + x,
        y=chip_rows * rows + y,
    )
