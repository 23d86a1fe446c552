"""Weights on a crossbar: binary entries, axons of a few types, and a weight of each neuron for each type.

A core adds to neuron j in every step ``sum over axons a of spike[a] * B[a, j] * S[j, type(a)]``, where B is 0 or 1 and
S is a signed weight of the neuron for the type. If an input drives several axons, with types g1, g2, ..., its weight
for neuron j is the sum of those ``S[j, g]`` whose entry B is 1: with one axon each of four types and
``S = (1, 2, 4, -8) * s`` any multiple of s from -8 s to 7 s. S is free for each neuron, so every output channel has a
scale of its own at no cost. Several axons of one type give more levels: two each of ``(1, 3, 9, -27)`` give 81.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def copies_by_type(axon_types: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """Numbers of the axons of each type, both in ascending order."""
    return {
        kind: tuple(number for number, one in enumerate(axon_types) if one == kind) for kind in sorted(set(axon_types))
    }


@lru_cache(maxsize=4096)
def entries_of_weights(axon_types: tuple[int, ...], type_weights: tuple[int, ...]) -> dict[int, tuple[bool, ...]]:
    """Crossbar entries of the axons of one input for every weight that they can give one neuron.

    Parameters
    ----------
    axon_types : tuple of int
        Of the axons that the input drives.
    type_weights : tuple of int
        S of the neuron, by type.

    Returns
    -------
    dict of weight to tuple of bool
        One entry an axon. Where several combinations give the same weight, that of the fewest axons, the first ones of
        each type; of several such the one that uses the axons that stand first.
    """
    groups = copies_by_type(axon_types)
    found: dict[int, tuple[bool, ...]] = {}
    combinations = product(*(range(len(numbers) + 1) for numbers in groups.values()))
    for counts in sorted(combinations, key=lambda one: (sum(one), [-count for count in one])):
        used = {number for count, numbers in zip(counts, groups.values(), strict=True) for number in numbers[:count]}
        weight = sum(count * type_weights[kind] for count, kind in zip(counts, groups, strict=True))
        found.setdefault(weight, tuple(number in used for number in range(len(axon_types))))
    return found


def weight_levels(axon_types: tuple[int, ...], type_weights: tuple[int, ...]) -> IntArray:
    """All weights that the axons of one input can give one neuron, ascending."""
    return np.array(sorted(entries_of_weights(axon_types, type_weights)), dtype=np.int64)


def crossbar_entries(
    axon_types: tuple[int, ...], type_weights: IntArray, weights: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Crossbar entries that give weights.

    Parameters
    ----------
    axon_types : tuple of int
    type_weights : int64 array, (channels, types)
        S of the neurons of each target channel that the weights run to.
    weights : int32 array, (channels, ...)

    Returns
    -------
    bool array, (*weights.shape, axons)

    Raises
    ------
    ValueError
        A weight is not among those that the axons can give.
    """
    entries = np.zeros((*weights.shape, len(axon_types)), dtype=np.bool_)
    for channel, row in enumerate(type_weights.tolist()):
        known = entries_of_weights(axon_types, tuple(row))
        wanted, places = np.unique(weights[channel], return_inverse=True)
        missing = [weight for weight in wanted.tolist() if weight not in known]
        if missing:
            raise ValueError(
                f"channel {channel}: weights {missing[:4]} are no sum of axons of types {axon_types} with weights {row}"
            )
        table = np.array([known[weight] for weight in wanted.tolist()], dtype=np.bool_)
        entries[channel] = table[places].reshape(entries[channel].shape)
    return entries
