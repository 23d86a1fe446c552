"""Accuracy over the number of time steps, from one run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from nmdeploy.decode import decode


@dataclass(frozen=True)
class CurvePoint:
    """How the potentials after this many steps of the window decide.

    Attributes
    ----------
    timesteps : int
    accuracy : float or None
        Share of the samples decided as labelled; None without labels.
    agreement : float
        Share of the samples decided as by the float network.
    """

    timesteps: int
    accuracy: float | None
    agreement: float


def accuracy_curve(
    network: ChipNetwork,
    potentials: NDArray[np.int64],
    labels: NDArray[np.int64] | None,
    float_predictions: NDArray[np.int64],
) -> list[CurvePoint]:
    """One point for each step of the window, the first one first.

    Each point is what is read out after t of T steps. Where `windows_are_prefixes` holds, it is also exactly what a
    run of t steps would report, with the initial potentials and the biases decoded as they are there. Elsewhere the
    points show reading out early, and a window of t steps is a run of its own (`nmdeploy.analysis.windows`). In either
    case, compiling anew for t steps may give another network, and another accuracy.

    Parameters
    ----------
    network : ChipNetwork
    potentials : int64 array, (samples, timesteps, outputs)
        Of the whole window of every sample.
    labels : int64 array, (samples,), optional
    float_predictions : int64 array, (samples,)
        Decisions of the float network.
    """
    points = []
    for steps in range(1, potentials.shape[1] + 1):
        predictions = decode(network, potentials[:, :steps], potentials.shape[1]).argmax(axis=1)
        accuracy = None if labels is None else float((predictions == labels).mean())
        points.append(CurvePoint(steps, accuracy, float((predictions == float_predictions).mean())))
    return points


def windows_are_prefixes(network: ChipNetwork) -> bool:
    """Whether the first t steps of a window are all that a window of t steps of the same network gives.

    Not so where the last steps of a window are special: refinement steps weigh less, and neurons that fire at a pace
    with a lead catch up. Without a lead the pace is that of the steps which have passed.
    """
    memories = [population.count_memory for population in network.populations]
    catch_up = any(memory is not None and memory.paced and memory.lead for memory in memories)
    return not catch_up and not network.refinement_steps


def landmarks(points: list[CurvePoint]) -> list[CurvePoint]:
    """The points worth a row of a table: 1, 2, 3, 4, 6, 8, 12, 16, 24, 32 steps and so on, and the last."""
    return [point for point in points if _is_round(point.timesteps) or point is points[-1]]


def _is_round(steps: int) -> bool:
    while steps % 2 == 0:
        steps //= 2
    return steps in (1, 3)
