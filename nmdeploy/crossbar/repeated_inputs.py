"""Inputs that a neuron reads more than once through one projection: each time through axons of its own.

An entry of a crossbar joins an axon to a neuron once, while the kernel of a convolution behind an upsampling, or of a
pooling whose windows are clipped, reads a source neuron through several taps. The taps are dealt out to projections of
which none reads a neuron twice. That is exact, and takes the axons of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nmdeploy.spiking.network import INPUT, FloatProjection, SpikingNetwork, build_spiking_network


def without_repeated_inputs(network: SpikingNetwork) -> SpikingNetwork:
    """The same function in float, no projection of a population to another reading a neuron more than once for one.

    Parameters
    ----------
    network : SpikingNetwork
    """
    projections = [part for one in network.projections for part in _parts(one)]
    return build_spiking_network(network.input_shape, network.populations, projections)


def _parts(projection: FloatProjection) -> Iterator[FloatProjection]:
    table = projection.connectivity
    rows, columns = apart(table.rows), apart(table.columns)
    if projection.source == INPUT or len(rows) * len(columns) == 1:
        yield projection
        return
    for number, (row_taps, column_taps) in enumerate(product(rows, columns), start=1):
        yield replace(
            projection,
            name=f"{projection.name}.{number}",
            connectivity=replace(table, rows=table.rows[:, row_taps], columns=table.columns[:, column_taps]),
            weights=projection.weights[:, :, row_taps][..., column_taps],
        )


def apart(table: NDArray[np.int32]) -> list[list[int]]:
    """Taps dealt out to as few sets as come of taking them in order, so that no target reads a place twice in a set.

    Parameters
    ----------
    table : int32 array, (targets, taps)
        Place that each tap reads; -1 for none.
    """
    sets: list[list[int]] = []
    for tap in range(table.shape[1]):
        places = table[:, tap : tap + 1]
        for one in sets:
            if not ((table[:, one] == places) & (places >= 0)).any():
                one.append(tap)
                break
        else:
            sets.append([tap])
    return sets
