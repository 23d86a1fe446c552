"""Largest synaptic input that one step can bring."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, Projection


def largest_input(
    population: Population,
    incoming: list[Projection],
    network: ChipNetwork,
    populations: Mapping[str, Population],
) -> int:
    """Largest magnitude of the synaptic input of any neuron of a population in one step.

    Parameters
    ----------
    incoming : list of Projection
        Sound ones into the population.
    populations : mapping
        Populations by name, for the neuron models of the sources.

    Returns
    -------
    int
        In membrane units, for the worst choice of spikes of each neuron on its own. Projections whose
        exponent is outside any shift that 64 bits could hold are left out; their exponent is illegal anyway.
    """
    positive = np.zeros(population.shape)
    negative = np.zeros(population.shape)
    for projection in incoming:
        shift = network.shift(projection)
        if not 0 <= shift < 32:
            continue
        rises, falls = (sum_over_taps(projection, projection.weights, sign) for sign in (1, -1))
        if populations[projection.source].sends_negative:
            rises = falls = rises + falls
        taken = slice(*projection.connectivity.target_channels)
        positive[taken] += rises * 2**shift
        negative[taken] += falls * 2**shift
    return int(max(positive.max(), negative.max()))


def sum_over_taps(projection: Projection, weights: NDArray[np.int32], sign: int) -> NDArray[np.float64]:
    """Sum of the magnitudes of all weights of one sign that each target neuron sees; shape (O, rows, columns).

    Exact, because sums of mantissas stay far below 2**53.
    """
    connectivity = projection.connectivity
    # no copy of the weights: there may be a hundred million
    of_sign = weights > 0 if sign > 0 else weights < 0
    per_tap = sign * weights.sum(axis=1, dtype=np.int64, where=of_sign).astype(np.float64)
    over_columns = per_tap @ (connectivity.columns >= 0).T.astype(np.float64)
    by_row: NDArray[np.float64] = (connectivity.rows >= 0).astype(np.float64) @ over_columns
    return by_row
