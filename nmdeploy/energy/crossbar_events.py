"""Events on crossbars: what spikes do in the cores that their columns reach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.axon_types import crossbar_entries
from mapping.network import Population, Projection
from nmdeploy.simulator.products import Product

IntArray = NDArray[np.int64]


def synaptic_events(projection: Projection, target: Population, spikes: IntArray) -> IntArray:
    """Events that meet an entry of 1 in a column of each target neuron: its synaptic operations.

    Parameters
    ----------
    projection : Projection
        Into a population on the chip.
    target : Population
    spikes : int64 array, `connectivity.source_shape`

    Returns
    -------
    int64 array, `connectivity.target_shape`
        Each spike of a source neuron as often as axons that it drives have an entry of 1; padding meets none.

    Raises
    ------
    ValueError
        The target has no weights for axon types, or they do not make up the projection's weights.
    """
    if target.type_weights is None:
        raise ValueError(f"{target.name} has no weights for axon types")
    start, stop = projection.connectivity.target_channels
    entries = crossbar_entries(projection.axon_types, target.type_weights[start:stop], projection.weights)
    return _summed(projection, entries.sum(axis=-1, dtype=np.int64), spikes)


def _summed(projection: Projection, counts: IntArray, spikes: IntArray) -> IntArray:
    """Spikes weighted by counts; sums stay far below 2**53, so that float64 is exact."""
    table = projection.connectivity
    summed = np.zeros(table.target_shape, dtype=np.int64)
    product = Product(table, counts, np.float64)(spikes.transpose(1, 2, 0)[None])[0]
    summed[slice(*table.target_channels)] = np.rint(product).astype(np.int64).transpose(2, 0, 1)
    return summed
