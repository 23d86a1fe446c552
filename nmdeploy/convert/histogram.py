"""Histograms of activation magnitudes, filled batch by batch with a range that grows.

The bins of a channel divide ``[0, reach)`` evenly, and `reach` is the power of two next above the largest magnitude
seen. When a larger one comes, `reach` doubles as often as needed and pairs of bins are merged, so one pass over the
samples is enough and the result does not depend on their order.

Resolution: a bin is never wider than ``largest / (BINS / 2)``, so magnitudes are known to 1/1024 of the channel's
largest. The largest itself is kept exactly, and so is the number of zeros, which rectifiers give in plenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# 16 KiB a channel.
BINS = 2048


@dataclass(frozen=True)
class MagnitudeHistogram:
    """Distribution of ``|activation|`` in each channel.

    Magnitudes are enough where activations have both signs (leaky units), because a signed neuron represents -a as it
    represents a, with the same scale.

    Attributes
    ----------
    reach : float64 array, (channels,)
        End of the last bin: a power of two above `largest`; 1 where all values are 0.
    counts : float64 array, (channels, BINS)
        How many values lie in each bin, zeros left out. Whole numbers where they were counted.
    total : float
        Values per channel, zeros included.
    largest : float64 array, (channels,)
    """

    reach: FloatArray
    counts: FloatArray
    total: float
    largest: FloatArray

    @property
    def width(self) -> FloatArray:
        """Width of a bin in activation units, (channels,)."""
        return self.reach / BINS

    def percentile(self, percent: float) -> FloatArray:
        """Percentile of each channel, as ``numpy.percentile`` interpolates it between two values.

        Parameters
        ----------
        percent : float
            0 to 100; 100 gives the exact maximum.

        Returns
        -------
        float64 array, (channels,)
            At most one bin's width from the exact percentile.
        """
        rank = percent / 100.0 * (self.total - 1.0)
        below = np.floor(rank)
        lower, upper = self._value_of_rank(below), self._value_of_rank(min(below + 1.0, self.total - 1.0))
        percentile: FloatArray = lower + (rank - below) * (upper - lower)
        return percentile

    def layer(self) -> MagnitudeHistogram:
        """All channels as one, with the widest of their bins."""
        reach = self.reach.max(initial=0.0, where=self.largest > 0) or 1.0
        doublings = np.log2(reach / np.minimum(self.reach, reach)).astype(np.int64)
        merged = np.zeros(BINS)
        for count in np.unique(doublings):
            merged += _merged(self.counts[doublings == count].sum(axis=0), int(count))
        total = self.total * len(self.largest)
        return MagnitudeHistogram(np.array([reach]), merged[None], total, self.largest.max(keepdims=True))

    def _value_of_rank(self, rank: float) -> FloatArray:
        """The value that `rank` others are not above; the values of a bin are taken as evenly spread in it."""
        if rank >= self.total - 1.0:
            return self.largest.copy()
        channels = np.arange(len(self.largest))
        zeros = self.total - self.counts.sum(axis=1, keepdims=True)
        up_to = zeros + self.counts.cumsum(axis=1)
        found = (up_to <= rank).sum(axis=1)
        count = self.counts[channels, found]
        # negative for a rank among the zeros, which are below the first bin
        place = (rank - (up_to[channels, found] - count) + 0.5) / np.maximum(count, 1.0)
        value: FloatArray = np.minimum((found + np.clip(place, 0.0, 1.0)) * self.width, self.largest)
        return value


class GrowingHistogram:
    """Counts magnitudes batch by batch.

    Parameters
    ----------
    channels : int
    """

    def __init__(self, channels: int) -> None:
        self._exponent = np.zeros(channels, dtype=np.int64)
        self._counts = np.zeros((channels, BINS))
        self._largest = np.zeros(channels)
        self._total = 0

    def add(self, values: NDArray[np.float32]) -> None:
        """Count ``|values|``.

        Parameters
        ----------
        values : float32 array, (values, channels)
            Finite.
        """
        from nmdeploy.convert.compiled_loops import count_magnitudes

        largest = np.maximum(np.abs(values.max(axis=0)), np.abs(values.min(axis=0))).astype(np.float64)
        self._grow(largest)
        count_magnitudes(values, BINS / self._reach, self._counts)
        self._total += len(values)

    def result(self) -> MagnitudeHistogram:
        """All that was counted; shares the counts, so that nothing may be added afterwards."""
        return MagnitudeHistogram(self._reach, self._counts, float(self._total), self._largest)

    @property
    def _reach(self) -> FloatArray:
        reach: FloatArray = np.ldexp(np.ones(len(self._exponent)), self._exponent)
        return reach

    def _grow(self, largest: FloatArray) -> None:
        """Make room for magnitudes up to `largest`, (channels,)."""
        wanted = np.frexp(largest)[1].astype(np.int64)
        first = (self._largest == 0) & (largest > 0)
        self._exponent[first] = wanted[first]
        for channel in np.flatnonzero((wanted > self._exponent) & (largest > 0)):
            doublings = int(wanted[channel] - self._exponent[channel])
            self._counts[channel] = _merged(self._counts[channel], doublings)
            self._exponent[channel] = wanted[channel]
        self._largest = np.maximum(self._largest, largest)


def joined(histograms: Sequence[MagnitudeHistogram]) -> MagnitudeHistogram:
    """Histograms of the same channels as one, as if all values had been counted together; at least one."""
    reach = np.max([np.where(one.largest > 0, one.reach, 0.0) for one in histograms], axis=0)
    reach[reach == 0] = 1.0
    counts = np.zeros((len(reach), BINS))
    for one in histograms:
        doublings = np.log2(reach / np.minimum(one.reach, reach)).astype(np.int64)
        for count in np.unique(doublings):
            channels = doublings == count
            counts[channels] += _merged(one.counts[channels], int(count))
    largest = np.max([one.largest for one in histograms], axis=0)
    return MagnitudeHistogram(reach, counts, sum(one.total for one in histograms), largest)


def _merged(counts: FloatArray, doublings: int) -> FloatArray:
    """The same counts (..., BINS) in bins ``2**doublings`` times as wide."""
    group = min(1 << min(doublings, 62), BINS)
    merged = np.zeros(counts.shape)
    merged[..., : BINS // group] = counts.reshape(*counts.shape[:-1], -1, group).sum(axis=-1)
    return merged
