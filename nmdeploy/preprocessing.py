"""From samples as they lie in a data file to the network's input."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nmdeploy.errors import DataFileError, NmdeployError
from nmdeploy.layers.graph import Shape

Layout = Literal["NCHW", "NHWC", "NHW", "NCL", "NF"]


@dataclass(frozen=True)
class Preprocessing:
    """``((x / scale) - mean) / std`` per channel, on samples of a layout.

    Attributes
    ----------
    scale : float
        255 for pixels that the network expects in 0..1.
    mean, std : tuple of float
        One value a channel, or one for all.
    layout : {"NCHW", "NHWC", "NHW", "NCL", "NF"}
        Axes of the data file; N counts samples, "NHW" is one channel, "NCL" a sequence, "NF" a vector.

    Raises
    ------
    NmdeployError
        The layout is unknown, a number is not finite, or `scale` or `std` is zero.
    """

    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: Layout = "NCHW"

    def __post_init__(self) -> None:
        if self.layout not in get_args(Layout):
            raise NmdeployError(f"layout {self.layout!r} is unknown; take one of {', '.join(get_args(Layout))}")
        if not self.mean or not self.std or not all(map(math.isfinite, (self.scale, *self.mean, *self.std))):
            raise NmdeployError("scale, mean and std must be finite numbers")
        if self.scale == 0 or 0 in self.std:
            raise NmdeployError("scale and std divide, so they must not be zero")

    def check_channels(self, channels: int) -> None:
        """Check that mean and std fit the network.

        Parameters
        ----------
        channels : int
            Channels of the network's input.

        Raises
        ------
        NmdeployError
            There is neither one value for all channels nor one for each.
        """
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, channels):
                raise NmdeployError(f"{name} has {len(values)} values, the network {channels} input channels")

    def apply(self, samples: NDArray[np.generic], input_shape: Shape) -> NDArray[np.float32]:
        """Normalise samples and bring them into the shape (samples, channels, rows, columns).

        Parameters
        ----------
        samples : array, uint8 or float, axes as in `layout`
        input_shape : (int, int, int)
            What the network takes.

        Raises
        ------
        DataFileError
            The samples do not fit the layout or the network, or hold NaN or infinity.
        NmdeployError
            Mean or std do not fit the network.
        """
        if samples.ndim != len(self.layout):
            raise DataFileError(
                f"samples have {samples.ndim} axes {samples.shape}, layout {self.layout} needs {len(self.layout)}"
            )
        arranged = self._to_channels_first(samples)
        if arranged.shape[1:] != input_shape:
            raise DataFileError(
                f"samples of layout {self.layout} give {arranged.shape[1:]} (channels, rows, columns); "
                f"the network takes {input_shape}. Check --layout and --input-shape."
            )
        self.check_channels(input_shape[0])
        mean = np.array(self.mean, dtype=np.float64).reshape(-1, 1, 1)
        std = np.array(self.std, dtype=np.float64).reshape(-1, 1, 1)
        with np.errstate(over="ignore", invalid="ignore"):  # reported below
            exact = (arranged.astype(np.float64) / self.scale - mean) / std
            normalised: NDArray[np.float32] = exact.astype(np.float32)
        if not np.isfinite(normalised).all():
            raise DataFileError("samples hold NaN or infinity after preprocessing")
        return normalised

    def _to_channels_first(self, samples: NDArray[np.generic]) -> NDArray[np.generic]:
        if self.layout == "NHWC":
            return samples.transpose(0, 3, 1, 2)
        if self.layout == "NHW":
            return samples[:, None]
        if self.layout == "NCL":
            return samples[:, :, None]
        if self.layout == "NF":
            return samples[:, :, None, None]
        return samples
