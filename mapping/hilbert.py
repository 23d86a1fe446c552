"""A Hilbert curve over a rectangle of any size."""

from __future__ import annotations

from collections.abc import Iterator


def hilbert_curve(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Yield every point (x, y) of a rectangle once; points that follow each other are neighbours.

    The generalised Hilbert curve of Červený (github.com/jakubcerveny/gilbert): where a half is of odd length and cannot
    be made even, a step may be diagonal.
    """
    if width >= height:
        return _part(0, 0, (width, 0), (0, height))
    return _part(0, 0, (0, height), (width, 0))


def _part(x: int, y: int, along: tuple[int, int], across: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The part from (x, y) in which `along` is the main axis."""
    length, breadth = abs(sum(along)), abs(sum(across))
    step, side = _unit(along), _unit(across)
    if breadth == 1 or length == 1:
        direction = step if breadth == 1 else side
        for index in range(max(length, breadth)):
            yield x + index * direction[0], y + index * direction[1]
        return
    half, half_across = _half(along), _half(across)
    if 2 * length > 3 * breadth:
        if abs(sum(half)) % 2 and length > 2:
            half = _sum(half, step)
        yield from _part(x, y, half, across)
        yield from _part(x + half[0], y + half[1], _difference(along, half), across)
        return
    if abs(sum(half_across)) % 2 and breadth > 2:
        half_across = _sum(half_across, side)
    yield from _part(x, y, half_across, half)
    yield from _part(x + half_across[0], y + half_across[1], along, _difference(across, half_across))
    end = _sum(_difference(along, step), _difference(half_across, side))
    back = _difference((0, 0), half_across), _difference(half, along)
    yield from _part(x + end[0], y + end[1], *back)


def _unit(vector: tuple[int, int]) -> tuple[int, int]:
    return (vector[0] > 0) - (vector[0] < 0), (vector[1] > 0) - (vector[1] < 0)


def _half(vector: tuple[int, int]) -> tuple[int, int]:
    return vector[0] // 2, vector[1] // 2


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


def _difference(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] - other[0], one[1] - other[1]
