"""Placements to start from, each made at once: along a curve, in bands of layers, or by spectral coordinates."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import lobpcg

from mapping.hilbert import hilbert_curve
from mapping.placement_problem import PlacementProblem
from mapping.tiles import Tile

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

SMALLEST_SPECTRAL = 8
"""Fewest cores for which eigenvectors are worth computing."""
LARGEST_DENSE = 600
"""Most cores whose graph is decomposed as a dense matrix, in a few tenths of a second."""


def constructive_starts(problem: PlacementProblem, cores: Sequence[Sequence[Tile]]) -> dict[str, IntArray]:
    """Slot of each core, by name of the method.

    - "snake": in the order of the network, row by row, every other row backwards.
    - "hilbert": in the order of the network along a Hilbert curve over the mesh.
    - "bands": each population on columns of its own, its tiles from top to bottom as their rows are in the map.
    - "spectral": columns by the Fiedler vector of the traffic, rows by the next eigenvector (Hall 1970).

    Each fills the first slots of every group, as many as it has cores.

    Parameters
    ----------
    problem : PlacementProblem
    cores : sequence of sequence of Tile
        Tiles of each core, in the order of the network.
    """
    starts = {"snake": _along(problem, _snake), "hilbert": _along(problem, _hilbert), "bands": _bands(problem, cores)}
    coordinates = spectral_coordinates(problem)
    if coordinates is not None:
        starts["spectral"] = _by_coordinates(problem, *coordinates)
    return starts


def _along(problem: PlacementProblem, order: Callable[[IntArray, IntArray], IntArray]) -> IntArray:
    """Cores in their order on the slots of their group, in the order that a curve visits them."""
    slot_of = np.empty(len(problem.group_of), dtype=np.int64)
    for group, start in enumerate(problem.slots.starts[:-1]):
        cores = np.flatnonzero(problem.group_of == group)
        here = slice(start, problem.slots.starts[group + 1])
        visited = order(problem.slots.x[here], problem.slots.y[here])
        slot_of[cores] = start + visited[: len(cores)]
    return slot_of


def _snake(x: IntArray, y: IntArray) -> IntArray:
    backwards = (y - y.min()) % 2 == 1
    order: IntArray = np.lexsort((np.where(backwards, -x, x), y)).astype(np.int64)
    return order


def _hilbert(x: IntArray, y: IntArray) -> IntArray:
    x, y = x - x.min(), y - y.min()
    rank = np.empty((int(y.max()) + 1, int(x.max()) + 1), dtype=np.int64)
    for position, (column, row) in enumerate(hilbert_curve(rank.shape[1], rank.shape[0])):
        rank[row, column] = position
    return np.argsort(rank[y, x], kind="stable")


def _bands(problem: PlacementProblem, cores: Sequence[Sequence[Tile]]) -> IntArray:
    """Slots column by column; those of one population from top to bottom, as its tiles are."""
    slots = problem.slots
    names: dict[str, int] = {}
    layers = np.array([names.setdefault(of_core[0].population, len(names)) for of_core in cores], dtype=np.int64)
    corners = [(tiles[0].rows[0], tiles[0].columns[0], tiles[0].channels[0]) for tiles in cores]
    rows, columns, channels = np.array(corners, dtype=np.int64).reshape(-1, 3).T
    slot_of = np.empty(len(cores), dtype=np.int64)
    for group, start in enumerate(slots.starts[:-1]):
        here = np.arange(start, slots.starts[group + 1])
        here = here[np.lexsort((slots.y[here], slots.x[here]))]
        of_group = np.flatnonzero(problem.group_of == group)
        of_group = of_group[np.argsort(layers[of_group], kind="stable")]
        _, firsts = np.unique(layers[of_group], return_index=True)
        parts = np.split(of_group, firsts[1:]), np.split(here[: len(of_group)], firsts[1:])
        for band, taken in zip(*parts, strict=True):
            ordered = band[np.lexsort((channels[band], columns[band], rows[band]))]
            slot_of[ordered] = taken[np.lexsort((slots.x[taken], slots.y[taken]))]
    return slot_of


def spectral_coordinates(problem: PlacementProblem) -> tuple[FloatArray, FloatArray] | None:
    """Second and third eigenvector of the normalised Laplacian; None for a graph of few cores or none that talk.

    Signs are such that the first coordinate grows in the order of the cores, and that the core with the largest
    magnitude has a positive second one.
    """
    count = len(problem.group_of)
    if count < SMALLEST_SPECTRAL or not len(problem.other):
        return None
    weights = problem.weight.astype(np.float64)
    graph = sparse.csr_matrix((weights, problem.other, problem.first), shape=(count, count))
    degree = np.asarray(graph.sum(axis=1)).ravel()
    scale = 1 / np.sqrt(np.where(degree > 0, degree, 1.0))
    diagonal = sparse.diags(scale)
    first, second = (vector * scale for vector in _largest_eigenvectors(diagonal @ graph @ diagonal, np.sqrt(degree)))
    if first @ (np.arange(count) - (count - 1) / 2) < 0:
        first = -first
    if second[np.abs(second).argmax()] < 0:
        second = -second
    # rounded, so that equal coordinates stay equal whatever the last bits
    return np.round(first / np.abs(first).max(), 9), np.round(second / np.abs(second).max(), 9)


def _largest_eigenvectors(matrix: sparse.csr_matrix, known: FloatArray) -> FloatArray:
    """Eigenvectors after the known one, in rows, by falling eigenvalue; the same in every call.

    ARPACK (`eigsh`) would be faster, but draws random numbers that go on from call to call where a graph falls apart.
    """
    count = matrix.shape[0]
    if count <= LARGEST_DENSE:
        values, vectors = np.linalg.eigh(matrix.toarray())
        return np.array(vectors.T[np.argsort(-values, kind="stable")[1:3]])
    places = (np.arange(count) + 0.5) / count
    guess = np.stack([np.cos(np.pi * places), np.cos(2 * np.pi * places)], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # not converged: still coordinates to start from
        values, vectors = lobpcg(matrix, guess, Y=known[:, None], tol=1e-6, maxiter=200, largest=True)
    return np.array(vectors.T[np.argsort(-values, kind="stable")])


def _by_coordinates(problem: PlacementProblem, first: FloatArray, second: FloatArray) -> IntArray:
    """Columns of slots filled by one coordinate, each from top to bottom by the other."""
    slots = problem.slots
    slot_of = np.empty(len(first), dtype=np.int64)
    for group, start in enumerate(slots.starts[:-1]):
        cores = np.flatnonzero(problem.group_of == group)
        cores = cores[np.argsort(first[cores], kind="stable")]
        here = np.arange(start, slots.starts[group + 1])
        here = here[np.lexsort((slots.y[here], slots.x[here]))][: len(cores)]
        _, firsts = np.unique(slots.x[here], return_index=True)
        for column, taken in zip(np.split(cores, firsts[1:]), np.split(here, firsts[1:]), strict=True):
            slot_of[column[np.argsort(second[column], kind="stable")]] = taken
    return slot_of
