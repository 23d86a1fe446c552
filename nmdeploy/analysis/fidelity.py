"""How well firing rates stand for activations: signal to noise, and what rounding to levels alone leaves of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass
class Deviation:
    """Squares of a signal and of what deviates from it, added up.

    Attributes
    ----------
    signal, noise : float
        ``sum a^2`` and ``sum (a - represented)^2``, in squared activation units.
    """

    signal: float = 0.0
    noise: float = 0.0

    def add(self, activations: FloatArray, represented: FloatArray) -> None:
        """Add arrays of one shape."""
        self.signal += float(np.square(activations).sum())
        self.noise += float(np.square(activations - represented).sum())

    @property
    def ratio_db(self) -> float | None:
        """Signal-to-noise ratio ``10 log10(sum a^2 / sum (a - r)^2)``; None without signal or without noise."""
        return decibels(self.signal, self.noise)

    @property
    def relative_error(self) -> float | None:
        """``|a - r| / |a|`` (l2); None without signal."""
        return math.sqrt(self.noise / self.signal) if self.signal > 0 else None


def decibels(numerator: float, denominator: float) -> float | None:
    """A ratio of powers in dB; None unless both are positive."""
    return 10.0 * math.log10(numerator / denominator) if numerator > 0 and denominator > 0 else None


def rounded_to_levels(activations: FloatArray, scale: FloatArray, levels: int, *, signed: bool) -> FloatArray:
    """What is left of activations when spike timing is perfect: clipped, and rounded to the nearest level.

    ``scale / L * clip(floor(a L / scale + 1/2), 0, L)``, from -L where there are negative spikes: with L = T the
    transfer function of an integrate-and-fire neuron that starts from half its threshold and gets a constant input.

    Parameters
    ----------
    activations : float64 array, (samples, channels, positions)
    scale : float64 array, (channels,)
        Activation that one spike in every step stands for.
    levels : int
        L: T, or more with refinement steps (`mapping.step_weights.window_weight`).
    signed : bool
        Whether spikes of -1 are sent.

    Returns
    -------
    float64 array like `activations`
    """
    level = (scale / levels)[:, None]
    rounded: FloatArray = level * np.clip(np.floor(activations / level + 0.5), -levels if signed else 0, levels)
    return rounded
