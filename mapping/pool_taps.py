"""Which synapses the neurons of a maximum over counts have, and how their weights tell them apart."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mapping.network import Population, Projection


def digit_count(incoming: Iterable[Projection]) -> int:
    """Number of synapses that a neuron can have: digits of its synaptic input."""
    return max((projection.weights[0].size for projection in incoming), default=0)


def existing_taps(population: Population, incoming: Iterable[Projection]) -> NDArray[np.bool_]:
    """Whether the synapse of each digit exists; those on padding do not.

    Parameters
    ----------
    population : Population
        With `pool_counts`.
    incoming : iterable of Projection
        Its projections, on disjoint target channels; tap i of a kernel, in C order, has the weight ``base**i``.

    Returns
    -------
    bool array, (digits, rows, columns, channels)
    """
    projections = list(incoming)
    channels, rows, columns = population.shape
    exists = np.zeros((digit_count(projections), rows, columns, channels), dtype=np.bool_)
    for projection in projections:
        table = projection.connectivity
        start, stop = table.target_channels
        taps = (table.rows >= 0).T[:, None, :, None] & (table.columns >= 0).T[None, :, None, :]
        by_digit = taps.reshape(-1, rows, columns)
        exists[: len(by_digit), :, :, start:stop] = by_digit[..., None]
    return exists


def pool_weights(taps: tuple[int, int], channels: int, base: int) -> NDArray[np.int32]:
    """Weights (channels, 1, K_rows, K_columns) that tell taps apart."""
    powers = np.power(base, np.arange(taps[0] * taps[1]), dtype=np.int64).astype(np.int32)
    return np.broadcast_to(powers.reshape(1, 1, *taps), (channels, 1, *taps)).copy()
