"""Activations of every population on calibration samples, in memory that does not grow with their number."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmdeploy.convert.histogram import GrowingHistogram, MagnitudeHistogram, joined
from nmdeploy.errors import NmdeployError
from nmdeploy.spiking.evaluate import activations
from nmdeploy.spiking.network import INPUT, FloatPopulation, SpikingNetwork

FloatArray = NDArray[np.float64]

# Of activations and gathered receptive fields; small batches are faster too, since they stay in the caches.
WORKING_BYTES = 64 * 2**20
FLOAT32_BYTES = 4
# Shares of the samples that are counted apart: what the others say of one of them is what all say of further samples.
PARTS = 3


@dataclass(frozen=True)
class ActivationStatistics:
    """What the scales of one population are chosen from; arrays (channels,), in activation units.

    Activations of both signs (leaky units) count by their magnitude: a channel's scale must hold the larger of its
    largest activation and the negative of its smallest.

    Attributes
    ----------
    channel_percentile : float64 array
        Percentile of the magnitudes over samples and positions, of each channel.
    layer_percentile : float
        The same over all channels.
    lowest, highest : float64 array
        Range of the values before the activation function.
    histogram : MagnitudeHistogram
        Of the values after the activation function.
    parts : tuple of MagnitudeHistogram
        The same of disjoint shares of the samples, at most `PARTS`; none where the histogram is made up.
    """

    channel_percentile: FloatArray
    layer_percentile: float
    lowest: FloatArray
    highest: FloatArray
    histogram: MagnitudeHistogram
    parts: tuple[MagnitudeHistogram, ...] = ()

    @property
    def channel_max(self) -> FloatArray:
        """Largest magnitude of each channel, exact."""
        return self.histogram.largest

    @property
    def layer_max(self) -> float:
        """Largest magnitude of all channels, exact."""
        return float(self.histogram.largest.max())


def collect_statistics(
    network: SpikingNetwork,
    samples: NDArray[np.float32],
    percentile: float,
    progress: Callable[[int], None] | None = None,
) -> dict[str, ActivationStatistics]:
    """Run the calibration samples through the float network, batch by batch.

    Parameters
    ----------
    network : SpikingNetwork
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed; at least one.
    percentile : float
        Of the activations, 0 to 100 (99.9 in Rueckauer et al. 2017 and Spiking ResNet). Exact to one bin of
        `MagnitudeHistogram`.
    progress : callable, optional
        Called after each batch with its number of samples.

    Returns
    -------
    dict of population name to ActivationStatistics

    Raises
    ------
    NmdeployError
        There is no sample, or an activation is infinite or NaN.
    """
    if not len(samples):
        raise NmdeployError("no calibration samples: at least 1 is needed")
    collectors = {population.name: _Collector(population) for population in network.populations}
    batch = samples_per_batch(network)
    for first in range(0, len(samples), batch):
        part = samples[first : first + batch]
        for population, values in activations(network, part):
            collectors[population.name].add(values)
        if progress is not None:
            progress(len(part))
    return {name: collector.result(percentile) for name, collector in collectors.items()}


def samples_per_batch(network: SpikingNetwork) -> int:
    """As many samples as `WORKING_BYTES` hold, at least 1.

    Counted are the activations that later populations still read, those of the current population before and after its
    activation function, and the receptive fields gathered for one projection.
    """
    held = {INPUT: math.prod(network.input_shape)}
    waiting = {name: network.graph.out_degree(name) for name in network.graph.nodes}
    largest = held[INPUT]
    for population in network.populations:
        neurons, gathered = math.prod(population.shape), 0
        for projection in network.incoming(population.name):
            table = projection.connectivity
            gathered = max(gathered, table.rows.size * table.columns.size * table.in_channels)
        largest = max(largest, sum(held.values()) + 2 * neurons + gathered)
        for projection in network.incoming(population.name):
            waiting[projection.source] -= 1
            if waiting[projection.source] == 0:
                del held[projection.source]
        if waiting[population.name]:
            held[population.name] = neurons
    return max(1, WORKING_BYTES // (FLOAT32_BYTES * largest))


class _Collector:
    """What is known of one population's activations so far."""

    def __init__(self, population: FloatPopulation) -> None:
        channels = population.shape[0]
        self._population = population
        self._lowest = np.full(channels, np.inf)
        self._highest = np.full(channels, -np.inf)
        self._samples = 0
        self._parts = [GrowingHistogram(channels) for _ in range(PARTS)]

    def add(self, values: NDArray[np.float32]) -> None:
        """Values before the activation function, (samples, rows, columns, channels)."""
        by_channel = values.reshape(-1, values.shape[-1])
        lowest, highest = by_channel.min(axis=0), by_channel.max(axis=0)
        # NaN is the smallest and the largest of anything
        if not (np.isfinite(lowest).all() and np.isfinite(highest).all()):
            raise NmdeployError(
                f"{self._population.name}: infinite or NaN activations on the calibration samples; check their scaling"
            )
        self._lowest = np.minimum(self._lowest, lowest)
        self._highest = np.maximum(self._highest, highest)
        activated = self._population.activate(values)
        for number, part in enumerate(self._parts):
            # every PARTS-th sample, counted from the first of all
            share = activated[(number - self._samples) % PARTS :: PARTS]
            if len(share):
                part.add(share.reshape(-1, share.shape[-1]))
        self._samples += len(values)

    def result(self, percentile: float) -> ActivationStatistics:
        """Statistics of all values added."""
        parts = tuple(part.result() for part in self._parts[: self._samples])
        histogram = joined(parts)
        return ActivationStatistics(
            channel_percentile=histogram.percentile(percentile),
            layer_percentile=float(histogram.layer().percentile(percentile)[0]),
            lowest=self._lowest,
            highest=self._highest,
            histogram=histogram,
            parts=parts,
        )
