"""Which sources the tiles of a population read through one projection, and how many axons that takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.axis_reach import ProjectionReach
from mapping.network import ChipNetwork, Projection
from mapping.regular_tiling import Size

IntArray = NDArray[np.int64]


class ProjectionReads:
    """One projection, seen by the regular tiles of its target.

    A tile reads a source neuron if it reads its channel, its row and its column, so that all numbers are products of
    numbers along the three axes.

    Parameters
    ----------
    projection : Projection
    """

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self.axons_per_input = len(projection.axon_types)
        reach = ProjectionReach(projection.connectivity)
        self._axes = (reach.channels, reach.rows, reach.columns)
        self._incidence: dict[tuple[int, int], NDArray[np.bool_]] = {}
        self._read: dict[tuple[int, int], IntArray] = {}

    def incidence(self, axis: int, size: int) -> NDArray[np.bool_]:
        """Which sources along an axis each block of `size` targets reads; shape (blocks, sources)."""
        if (axis, size) not in self._incidence:
            self._incidence[axis, size] = self._axes[axis].incidence(size)
        return self._incidence[axis, size]

    def read(self, axis: int, size: int) -> IntArray:
        """How many sources along an axis each block of `size` targets reads."""
        if (axis, size) not in self._read:
            self._read[axis, size] = self.incidence(axis, size).sum(axis=1, dtype=np.int64)
        return self._read[axis, size]

    def readers(self, axis: int, size: int) -> IntArray:
        """How many blocks of `size` targets read each source along an axis."""
        counts: IntArray = self.incidence(axis, size).sum(axis=0, dtype=np.int64)
        return counts

    def axons(self, size: Size) -> IntArray:
        """Axons of every tile of this size; shape (channel blocks, row blocks, column blocks)."""
        return self.axons_per_input * _outer(*(self.read(axis, size[axis]) for axis in range(3)))

    def axons_in_all(self, size: Size) -> int:
        """Axons of all tiles of this size together."""
        axons = self.axons_per_input
        for axis in range(3):
            axons *= int(self.read(axis, size[axis]).sum())
        return axons

    def driven(self, size: Size) -> IntArray:
        """Axons that each source neuron drives if the target is cut into tiles of this size; shape of the source."""
        return self.axons_per_input * _outer(*(self.readers(axis, size[axis]) for axis in range(3)))


def _outer(channels: IntArray, rows: IntArray, columns: IntArray) -> IntArray:
    product: IntArray = channels[:, None, None] * rows[None, :, None] * columns[None, None, :]
    return product


def read_by_host(network: ChipNetwork, name: str) -> NDArray[np.bool_]:
    """Which neurons of a population the host reads: those with a valid tap into a population there."""
    read = np.zeros(network.population(name).shape, dtype=np.bool_)
    for projection in network.outgoing(name):
        if network.population(projection.target).on_host:
            reads, whole = ProjectionReads(projection), projection.connectivity.target_shape
            read |= _outer(*(reads.readers(axis, whole[axis]) for axis in range(3))) > 0
    return read
