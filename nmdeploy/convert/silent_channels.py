"""Scales of channels that are silent, or nearly so, on the calibration samples.

A scale says which activation a spike in every step stands for. Taken from activations that are almost nothing it would
be almost nothing too: other samples are clipped far below what they need, a neuron spikes all the time for what no
other one notices, and the weights into the channel, divided by its scale, take the whole width of the chip's fields.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nmdeploy.convert.statistics import ActivationStatistics

FloatArray = NDArray[np.float64]

# A channel whose largest activation, or whose scale, is below this share of the layer's largest activation is silent
# (recommended floor for data-based thresholds).
DEAD_CHANNEL_SHARE = 1e-4
# A channel whose scale is below this share of the layer's median scale is nearly silent. The faintest living channel of
# a ResNet-20 trained on CIFAR-10 has 1.7 % (channel-percentile; 4.4 % with channel-mse), its silent ones exactly 0.
NEARLY_DEAD_SHARE = 1e-2


def replace_silent(chosen: FloatArray, statistics: ActivationStatistics) -> tuple[FloatArray, list[str]]:
    """Scales that a network can be divided by.

    Parameters
    ----------
    chosen : float64 array, (channels,)
        By a method; may hold zeros.
    statistics : ActivationStatistics
        Of the same population.

    Returns
    -------
    float64 array, (channels,)
        Positive. Silent channels get the median of the others, nearly silent ones `NEARLY_DEAD_SHARE` of it.
    list of str
        A note on the silent and one on the nearly silent channels, where there are any.
    """
    floor = DEAD_CHANNEL_SHARE * statistics.layer_max
    dead = (chosen <= floor) | (statistics.channel_max <= floor)
    living = chosen[~dead]
    # a percentile can be 0 where the layer as a whole is only nearly silent
    median = float(np.median(living)) if living.size else statistics.layer_max or 1.0
    faint = ~dead & (chosen < NEARLY_DEAD_SHARE * median)
    scales: FloatArray = np.where(dead, median, np.maximum(chosen, NEARLY_DEAD_SHARE * median))
    notes = []
    if dead.any():
        notes.append(
            f"{dead.sum()} of {len(chosen)} channels are silent on the calibration samples; "
            "they get the median scale of the layer"
        )
    if faint.any():
        notes.append(
            f"{faint.sum()} of {len(chosen)} channels are nearly silent on the calibration samples; "
            f"they get {NEARLY_DEAD_SHARE:.0%} of the median scale of the layer"
        )
    return scales, notes
