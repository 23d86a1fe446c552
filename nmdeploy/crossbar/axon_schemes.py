"""How many axons of which types an input drives, and which multiples of a channel's unit its weights can be.

With ``c_g`` axons of type g, whose weights stand in the ratios ``b_g``, an input has the weights
``unit * sum(n_g * b_g)`` with ``0 <= n_g <= c_g`` (`mapping.axon_types`). Taking ``b_0 = 1`` and
``b_(g+1) = b_g * (c_g + 1)`` makes them consecutive multiples; the last ratio is negative where weights have both
signs. One axon each of four types gives 16 levels (4 bits), two each 81, three each 256.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# More than three axons of a type give more levels than 9 bits of weights have room for.
MOST_COPIES = 3
# Units of a channel that are tried, as shares of the one that clips nothing.
SHARES = np.linspace(0.3, 1.0, 36)


@dataclass(frozen=True)
class AxonScheme:
    """Axons of one input.

    Attributes
    ----------
    types : tuple of int
        Type of each axon, numbered from 0 within the scheme.
    ratios : tuple of int
        Weight of each type in units of the channel.
    """

    types: tuple[int, ...]
    ratios: tuple[int, ...]

    @property
    def axons(self) -> int:
        """Axons that one input drives."""
        return len(self.types)

    @property
    def lowest(self) -> int:
        """Smallest level."""
        return sum(min(self.ratios[kind], 0) for kind in self.types)

    @property
    def highest(self) -> int:
        """Largest level; all whole numbers between are levels, too."""
        return sum(max(self.ratios[kind], 0) for kind in self.types)

    @property
    def levels(self) -> int:
        """How many different weights an input can have."""
        return self.highest - self.lowest + 1


TRINARY = AxonScheme((0, 1), (1, -1))
"""Weights of -1, 0 and 1 units: the axon pairs of trinary networks (Esser et al. 2016)."""


@lru_cache
def schemes(type_count: int, *, signed: bool) -> tuple[AxonScheme, ...]:
    """All sensible schemes with at most so many types: more axons always give more levels.

    Parameters
    ----------
    type_count : int
    signed : bool
        Whether weights have both signs, or are at least 0.

    Returns
    -------
    tuple of AxonScheme
        Fewest axons first.
    """
    found: list[AxonScheme] = [TRINARY] if signed and type_count >= 2 else []
    for count in range(2 if signed else 1, type_count + 1):
        found += _with_types(count, signed)
    found.sort(key=lambda one: (one.axons, -one.levels, one.types))
    kept: list[AxonScheme] = []
    for one in found:
        # the symmetric scheme of two axons stands beside the one with more levels
        if one == TRINARY or one.levels > max((other.levels for other in kept), default=1):
            kept.append(one)
    return tuple(kept)


def finest_bits(type_count: int) -> int:
    """Most bits, of sign and magnitude, of which the weights of one input can be; 0 for a single type."""
    offered = schemes(type_count, signed=True)
    return (offered[-1].levels + 1).bit_length() - 1 if offered else 0


def _with_types(count: int, signed: bool) -> Iterator[AxonScheme]:
    for ascending in combinations_with_replacement(range(1, MOST_COPIES + 1), count):
        copies = ascending[::-1]
        ratios, next_ratio = [], 1
        for number in copies:
            ratios.append(next_ratio)
            next_ratio *= number + 1
        if signed:
            ratios[-1] = -ratios[-1]
        types = tuple(kind for kind, number in enumerate(copies) for _ in range(number))
        yield AxonScheme(types, tuple(ratios))


@dataclass(frozen=True)
class ChannelUnits:
    """The weight that one level stands for, by channel.

    Attributes
    ----------
    unit : float64 array, (channels,)
        Positive; negative where the levels of the channel are turned around, since those of a scheme reach further on
        one side.
    squared_error : float64 array, (channels,)
        Sum over the weights of the channel, rounded to the nearest level.
    """

    unit: FloatArray
    squared_error: FloatArray


def channel_units(weights: FloatArray, scheme: AxonScheme) -> ChannelUnits:
    """Search the unit of least squared error of every channel.

    Parameters
    ----------
    weights : float64 array, (channels, inputs)
    scheme : AxonScheme

    Returns
    -------
    ChannelUnits
        Units of 1 for channels whose weights are all 0.
    """
    channels = len(weights)
    best = np.ones(channels)
    least = np.full(channels, np.inf)
    for sign in (1.0, -1.0) if scheme.lowest != -scheme.highest else (1.0,):
        turned = sign * weights
        above, below = turned.max(axis=1, initial=0.0), -turned.min(axis=1, initial=0.0)
        clips_nothing = above / scheme.highest
        if scheme.lowest:
            clips_nothing = np.maximum(clips_nothing, below / -scheme.lowest)
        clips_nothing[clips_nothing == 0] = 1.0
        for share in SHARES[::-1]:
            unit = share * clips_nothing
            levels = np.clip(np.rint(turned / unit[:, None]), scheme.lowest, scheme.highest)
            error = ((turned - levels * unit[:, None]) ** 2).sum(axis=1)
            better = error < least
            best[better], least[better] = sign * unit[better], error[better]
    return ChannelUnits(best, least)


def relative_error(weights: FloatArray, scheme: AxonScheme) -> float:
    """Root of the squared rounding error of all weights over their squares.

    Parameters
    ----------
    weights : float64 array, (channels, inputs)
    scheme : AxonScheme
    """
    power = float((weights**2).sum())
    return float(np.sqrt(channel_units(weights, scheme).squared_error.sum() / power)) if power else 0.0
