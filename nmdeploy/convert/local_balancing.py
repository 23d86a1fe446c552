"""Local threshold balancing (Bu, Li and Yu, CVPR 2025, arXiv 2409.03368).

Thresholds start from 0 and follow, batch after batch, the gradient of the clipping error alone:

    th <- th + 2 mean(max(a - th, 0))

over the values of a channel in the batch. The step is never negative and vanishes only at the largest value, so it is
the number of batches that decides: the published code takes 1000 to 5000 batches of 100 images. For an exponential tail
the threshold after k steps leaves about one value in 2k above it.

Here every step uses all calibration values, from their histogram, instead of the next batch. After any number of steps
the threshold is within one bin's width w of the iteration with the whole calibration set as its batch. Proof: write
``f_x(t) = t + 2 mean(max(x - t, 0))`` for values x, and y for those that the histogram stands for, ``|x - y| <= w``.
The first threshold is twice a mean, which binning moves by at most w, and by Markov's inequality at most half of the
values lie above it or any later one, so from there f rises with t, as it does with x. If the two thresholds satisfy
``t_y <= t_x + w``, then ``f_y(t_y) <= f_y(t_x + w) <= f_{x + w}(t_x + w) = f_x(t_x) + w``; and the same with x and y
exchanged. Two differences to the published code remain: activations are those of the float
network, not of one clipped at the thresholds of the moment, and a threshold never passes the channel's largest
magnitude, which the first step may overshoot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nmdeploy.convert.excess import ExcessFunction
from nmdeploy.convert.histogram import MagnitudeHistogram

FloatArray = NDArray[np.float64]

# The smaller of the published numbers of batches.
BALANCING_STEPS = 1000


def balanced_thresholds(histogram: MagnitudeHistogram, steps: int = BALANCING_STEPS) -> FloatArray:
    """Thresholds after a number of steps of local threshold balancing.

    Parameters
    ----------
    histogram : MagnitudeHistogram
        Of leaky units the magnitudes are balanced.
    steps : int

    Returns
    -------
    float64 array, (channels,)
        0 for a channel of zeros.
    """
    excess = ExcessFunction(histogram)
    threshold = np.zeros(len(histogram.largest))
    for _ in range(steps):
        threshold += 2.0 * excess(threshold) / histogram.total
    balanced: FloatArray = np.minimum(threshold, histogram.largest)
    return balanced
