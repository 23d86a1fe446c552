"""The shortest window that keeps the loss of accuracy within a limit on held-out calibration samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmdeploy.errors import NmdeployError
from nmdeploy.search.auto import Found

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Loss:
    """What a window loses on the held-out samples.

    Attributes
    ----------
    points : float
        Percentage points of accuracy; without labels, of decisions that differ from the float network's, which is
        never less.
    samples : int
    labelled : bool
    """

    points: float
    samples: int
    labelled: bool

    def __str__(self) -> str:
        what = "of accuracy" if self.labelled else "of decisions that differ (no labels)"
        return f"{self.points:.2f} points {what} on {self.samples} held-out samples"


def windows(longest: int) -> list[int]:
    """Windows that are tried: 1, 2, 3, 4, 6, 8, 12, 16, 24, 32 steps and so on, and the longest."""
    powers = [1 << bits for bits in range(longest.bit_length())]
    return sorted({steps for power in powers for steps in (power, 3 * power) if steps < longest} | {longest})


def loss(found: Found, reference: NDArray[np.float32], labels: IntArray | None) -> Loss:
    """Compare decisions.

    Parameters
    ----------
    found : Found
    reference : float32 array, (samples, outputs)
        Of the float network.
    labels : int64 array, (samples,), or None
    """
    predictions, expected = found.judgement.predictions, reference.argmax(axis=1)
    if labels is None:
        return Loss(100.0 * float((predictions != expected).mean()), len(expected), False)
    lost = int((expected == labels).sum()) - int((predictions == labels).sum())
    return Loss(100.0 * lost / len(labels), len(labels), True)


def smallest_window(
    longest: int,
    max_loss_points: float,
    compile_for: Callable[[int], Found],
    measure: Callable[[Found], Loss],
) -> tuple[Found, Loss]:
    """Try windows from the shortest on.

    Parameters
    ----------
    longest : int
        Steps.
    max_loss_points : float
    compile_for : callable
        From a number of steps to the best network for them.
    measure : callable

    Raises
    ------
    NmdeployError
        Not even the longest window keeps the loss.
    """
    for steps in windows(longest):
        found = compile_for(steps)
        lost = measure(found)
        if lost.points <= max_loss_points:
            return found, lost
    raise NmdeployError(
        f"--max-loss {max_loss_points:g}: a window of {longest} steps still loses {lost}. "
        "Allow more --timesteps, or more loss."
    )
