"""Samples for calibration: the user's, or noise where there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmdeploy.layers.graph import Shape
from nmdeploy.preprocessing import Preprocessing

NOISE_SAMPLES = 64
HELD_OUT_SHARE = 0.25
HELD_OUT_MAX = 128
# With scales from the maxima of 8 images, the error that YOLOv3-tiny keeps at any number of time steps is 1.4 times
# that with 24.
FEW_SAMPLES = 24


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
    held_out_labels : int64 array, (held-out samples,), or None
    """

    samples: NDArray[np.float32]
    held_out: NDArray[np.float32]
    description: str
    is_noise: bool
    held_out_labels: NDArray[np.int64] | None = None

    @property
    def given(self) -> int:
        """Number of samples before they were split."""
        return len(self.samples) if self.held_out is self.samples else len(self.samples) + len(self.held_out)

    @property
    def input_max(self) -> float:
        """Largest magnitude of a value."""
        return float(max(np.abs(self.samples).max(), np.abs(self.held_out).max()))

    def notes(self, output_shapes: list[Shape]) -> list[str]:
        """What the user should know about these samples.

        Parameters
        ----------
        output_shapes : list of (int, int, int)
            Channels, rows, columns of the network's outputs.

        Returns
        -------
        list of str
            A warning if the samples are few for outputs that are maps (detection, segmentation): their peaks are rare
            and large, and what is clipped at a peak is lost.
        """
        maps = any(rows * columns > 1 for _, rows, columns in output_shapes)
        if self.is_noise or not maps or self.given >= FEW_SAMPLES:
            return []
        return [
            f"{self.given} calibration samples are few for outputs that are maps: clipping from few images is an error "
            f"floor that more time steps cannot remove. Pass at least {FEW_SAMPLES}, or use --method channel-mse-floor."
        ]


def split_calibration(
    samples: NDArray[np.float32],
    description: str,
    is_noise: bool = False,
    labels: NDArray[np.int64] | None = None,
) -> Calibration:
    """Keep the last quarter, at least 1 and at most `HELD_OUT_MAX` samples, for comparing methods.

    A single sample serves for both.
    """
    if len(samples) < 2:
        return Calibration(samples, samples, description, is_noise, labels)
    kept_back = min(max(int(len(samples) * HELD_OUT_SHARE), 1), HELD_OUT_MAX)
    held_out_labels = None if labels is None else labels[-kept_back:]
    return Calibration(samples[:-kept_back], samples[-kept_back:], description, is_noise, held_out_labels)


def noise_calibration(input_shape: Shape, preprocessing: Preprocessing, seed: int) -> Calibration:
    """Uniform noise over ``0 .. scale``, preprocessed: a poor stand-in for real samples."""
    raw = np.random.default_rng(seed).random((NOISE_SAMPLES, *input_shape)) * preprocessing.scale
    channels_first = Preprocessing(preprocessing.scale, preprocessing.mean, preprocessing.std, "NCHW")
    return split_calibration(channels_first.apply(raw, input_shape), "uniform noise", is_noise=True)
