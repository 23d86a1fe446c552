"""Maximum pooling in float: the largest of the values that a neuron's projections bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from nmdeploy.spiking.network import FloatPopulation, FloatProjection

Values = NDArray[np.float32]


def maximum(population: FloatPopulation, incoming: Iterable[FloatProjection], held: Mapping[str, Values]) -> Values:
    """Pool the activations of the sources.

    Parameters
    ----------
    population : FloatPopulation
    incoming : iterable of FloatProjection
        One input a target channel and tap; taps on padding never win.
    held : mapping of source name to float32 array, (samples, rows, columns, channels)

    Returns
    -------
    float32 array, (samples, rows, columns, channels)
    """
    projections = list(incoming)
    channels, rows, columns = population.shape
    samples = len(held[projections[0].source])
    largest = np.full((samples, rows, columns, channels), -np.inf, dtype=np.float32)
    for projection in projections:
        table = projection.connectivity
        values = held[projection.source][..., slice(*table.source_channels)]
        window = largest[..., slice(*table.target_channels)]
        for row_tap in table.rows.T:
            for column_tap in table.columns.T:
                read = values[:, row_tap[:, None], column_tap[None, :]]
                exists = ((row_tap >= 0)[:, None] & (column_tap >= 0)[None, :])[None, :, :, None]
                np.maximum(window, np.where(exists, read, -np.inf), out=window)
    return largest
