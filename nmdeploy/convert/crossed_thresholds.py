"""Thresholds with the room above that samples not seen need, chosen by cross-validation.

The threshold of least clip-and-round error is the best one for the samples that it was chosen on. Where these are few
(each channel of a detector's last maps sees some hundred values in an image, all of them of one scene) the largest
values of further samples lie above it, and what is clipped is lost at any number of time steps. How much room is needed
is asked of the samples themselves: thresholds chosen on some of them are raised by a margin, and to a share of the
layer's mean, and the pair of least error on the others is taken, one for each layer. With many samples, or in short
windows where rounding weighs more, that is no margin at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmdeploy.convert.clip_and_round import clip_and_round_error, clip_and_round_thresholds
from nmdeploy.convert.excess import ExcessFunction
from nmdeploy.convert.histogram import MagnitudeHistogram, joined

FloatArray = NDArray[np.float64]

MARGINS = (1.0, 1.15, 1.3, 1.5, 1.75, 2.0)
# Of the mean threshold of the layer: a channel that few samples excite borrows from the others.
FLOORS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)


def crossed_thresholds(
    histogram: MagnitudeHistogram, parts: Sequence[MagnitudeHistogram], timesteps: int
) -> FloatArray:
    """Thresholds of least clip-and-round error, raised as does best on parts of the samples left out in turn.

    Parameters
    ----------
    histogram : MagnitudeHistogram
        Of all samples.
    parts : sequence of MagnitudeHistogram
        Of disjoint shares of the samples. With fewer than two there is nothing to leave out, and nothing is raised.
    timesteps : int
        T, the steps of the window; at least 1.

    Returns
    -------
    float64 array, (channels,)
        0 for a channel of zeros, unless it is raised to a share of the mean.
    """
    thresholds = clip_and_round_thresholds(histogram, timesteps)
    if len(parts) < 2:
        return thresholds
    errors = np.zeros(len(MARGINS) * len(FLOORS))
    for number, part in enumerate(parts):
        others = joined([*parts[:number], *parts[number + 1 :]])
        candidates = _raised(clip_and_round_thresholds(others, timesteps))
        errors += clip_and_round_error(part, ExcessFunction(part), candidates, timesteps).sum(axis=0)
    chosen: FloatArray = _raised(thresholds)[:, errors.argmin()]
    return chosen


def _raised(thresholds: FloatArray) -> FloatArray:
    """Thresholds (channels,) with every margin and floor, (channels, pairs)."""
    with_margin = thresholds[:, None] * np.array(MARGINS)
    floors = with_margin.mean(axis=0)[:, None] * np.array(FLOORS)
    raised: FloatArray = np.maximum(with_margin[:, :, None], floors).reshape(len(thresholds), -1)
    return raised
