"""A trained network with what its file says about its data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmdeploy.layers.graph import LayerGraph
from nmdeploy.preprocessing import Preprocessing


@dataclass(frozen=True)
class Model:
    """What the frontend makes of a model file.

    Attributes
    ----------
    layers : LayerGraph
    preprocessing : Preprocessing
    classes : tuple of str
        Names of the classes, empty where unknown.
    calibration : array or None
        Samples in the layout of `preprocessing`, not yet normalised.
    """

    layers: LayerGraph
    preprocessing: Preprocessing
    classes: tuple[str, ...] = ()
    calibration: NDArray[np.generic] | None = None
