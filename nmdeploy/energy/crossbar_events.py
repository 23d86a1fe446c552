"""Events on crossbars: what spikes do in the cores that their columns reach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.axon_types import crossbar_entries
from mapping.network import Population, Projection
from nmdeploy.simulator.products import Product

IntArray = NDArray[np.int64]


def axon_events(projection: Projection, spikes: IntArray) -> IntArray:
    """Events on the axons that a column of each target neuron sees.

    Parameters
    ----------
    projection : Projection
        Into a population on the chip.
    spikes : int64 array, `connectivity.source_shape`

    Returns
    -------
    int64 array, `connectivity.target_shape`
        Each spike of a source neuron as often as it drives axons; padding meets none.
    """
    table = projection.connectivity
    return _summed(projection, np.full(table.weight_shape, len(projection.axon_types), dtype=np.int64), spikes)


def synaptic_events(projection: Projection, target: Population, spikes: IntArray) -> IntArray:
    """As `axon_events`, but only where the entry of the crossbar is 1: synaptic operations of one column.

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
