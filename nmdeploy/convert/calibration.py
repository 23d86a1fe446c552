"""Samples for calibration: the user's, or noise where there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmdeploy.layers.graph import Shape
from nmdeploy.preprocessing import Preprocessing

NOISE_SAMPLES = 64
HELD_OUT_SHARE = 0.25
HELD_OUT_MAX = 32


@dataclass(frozen=True)
class Calibration:
    """Preprocessed samples, split in two disjoint parts.

    Attributes
    ----------
    samples : float32 array, (samples, channels, rows, columns)
        The scales are chosen on these.
    held_out : float32 array, like `samples`
        Methods are compared on these; the same as `samples` if there is only one.
    description : str
        Where they come from, for the manifest and the audit.
    is_noise : bool
    """

    samples: NDArray[np.float32]
    held_out: NDArray[np.float32]
    description: str
    is_noise: bool

    @property
    def input_max(self) -> float:
        """Largest magnitude of a value."""
        return float(max(np.abs(self.samples).max(), np.abs(self.held_out).max()))


def split_calibration(samples: NDArray[np.float32], description: str, is_noise: bool = False) -> Calibration:
    """Keep the last quarter, at most `HELD_OUT_MAX` samples, for comparing methods."""
    kept_back = min(int(len(samples) * HELD_OUT_SHARE), HELD_OUT_MAX)
    if kept_back == 0:
        return Calibration(samples, samples, description, is_noise)
    return Calibration(samples[:-kept_back], samples[-kept_back:], description, is_noise)


def noise_calibration(input_shape: Shape, preprocessing: Preprocessing, seed: int) -> Calibration:
    """Uniform noise over ``0 .. scale``, preprocessed: a poor stand-in for real samples."""
    raw = np.random.default_rng(seed).random((NOISE_SAMPLES, *input_shape)) * preprocessing.scale
    channels_first = Preprocessing(preprocessing.scale, preprocessing.mean, preprocessing.std, "NCHW")
    return split_calibration(channels_first.apply(raw, input_shape), "uniform noise", is_noise=True)
