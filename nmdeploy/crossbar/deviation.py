"""How far partial sums are from the sums that they stand for: a bound, and what was measured.

A neuron of threshold theta that starts a window from v0, ends it with v and has sent N spikes took in
``theta * N + v - v0``. So its spikes tell ``v0 - v`` too much, and once all that it owes is sent, so that
``0 <= v < theta``, no more than ``v0`` too much and ``theta - 1 - v0`` too little. Its reader adds a weight S for each
spike: an error of ``S / theta`` in its own units for each unit of that. Over all parts, the larger of the two is the
bound; what has not been sent by the end of the window comes on top, and is part of what is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, Projection
from nmdeploy.convert.audit import SumEntry
from nmdeploy.crossbar.partial_sums import Split
from nmdeploy.simulator.products import Product

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def sums_of_inputs(
    network: ChipNetwork, splits: Sequence[Split], spike_counts: Mapping[str, IntArray]
) -> list[SumEntry]:
    """Say how every population on the chip is summed; bound and measure what partial sums lose.

    Parameters
    ----------
    network : ChipNetwork
        That has run; without relays.
    splits : sequence of Split
    spike_counts : mapping of population name to int64 array, (samples, neurons)

    Returns
    -------
    list of SumEntry
        Partial sums themselves are left out, being exact.
    """
    parts = {name for split in splits for name in split.parts}
    entries = []
    for population in network.populations:
        if population.on_host or population.name in parts:
            continue
        joining = [one for one in network.incoming(population.name) if one.source in parts]
        if joining:
            entries.append(_deviation(network, population, joining, spike_counts))
        else:
            entries.append(SumEntry(population.name, exact=True))
    return entries


def _deviation(
    network: ChipNetwork, population: Population, joining: list[Projection], spike_counts: Mapping[str, IntArray]
) -> SumEntry:
    samples = len(spike_counts[population.name])
    threshold = population.threshold.astype(np.float64)
    bound = np.zeros(population.shape[0])
    error = np.zeros((samples, *population.shape))
    unsent, neurons = 0, 0
    for projection in joining:
        part = network.population(projection.source)
        channels = slice(*projection.connectivity.source_channels)
        into = slice(*projection.connectivity.target_channels)
        left = _left(network, part, spike_counts)[:, channels]
        start, of_part = part.initial_potential[channels], part.threshold[channels]
        weight = projection.weights[:, 0, 0, 0] / (of_part * threshold[into])
        bound[into] += np.abs(weight) * np.maximum(start, of_part - 1 - start)
        error[:, into] += weight[:, None, None] * (start[:, None, None] - left)
        unsent += int((left >= of_part[:, None, None]).sum())
        neurons += left.size
    return SumEntry(
        population.name,
        exact=False,
        parts=len({one.source for one in joining}),
        bound_spikes=float(bound.max()),
        mean_deviation_spikes=float(np.abs(error).mean()),
        largest_deviation_spikes=float(np.abs(error).max()),
        unsent_share=unsent / neurons,
    )


def _left(network: ChipNetwork, part: Population, spike_counts: Mapping[str, IntArray]) -> IntArray:
    """Potentials of partial sums at the end of the window, (samples, channels, rows, columns)."""
    samples = len(spike_counts[part.name])
    left = np.zeros((samples, *part.shape), dtype=np.int64)
    left += part.initial_potential[:, None, None]
    left -= part.threshold[:, None, None] * spike_counts[part.name].reshape(left.shape).astype(np.int64)
    for projection in network.incoming(part.name):
        table = projection.connectivity
        sent = spike_counts[projection.source].reshape(samples, *table.source_shape).transpose(0, 2, 3, 1)
        product = Product(table, projection.weights, np.float64)
        for sample in range(samples):
            taken_in = np.rint(product(sent[sample : sample + 1])[0]).astype(np.int64)
            left[sample, slice(*table.target_channels)] += taken_in.transpose(2, 0, 1)
    return left
