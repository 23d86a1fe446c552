"""Activations of every population on calibration samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmdeploy.spiking.evaluate import activations
from nmdeploy.spiking.network import SpikingNetwork

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ActivationStatistics:
    """What the scales of one population are chosen from; arrays (channels,).

    Attributes
    ----------
    channel_max, channel_percentile : float64 array
        Largest activation, and the percentile over samples and positions, of each channel.
    layer_max, layer_percentile : float
        The same over all channels.
    lowest, highest : float64 array
        Range of the values before the activation function.
    """

    channel_max: FloatArray
    channel_percentile: FloatArray
    layer_max: float
    layer_percentile: float
    lowest: FloatArray
    highest: FloatArray


def collect_statistics(
    network: SpikingNetwork, samples: NDArray[np.float32], percentile: float
) -> dict[str, ActivationStatistics]:
    """Run the calibration samples through the float network.

    Parameters
    ----------
    network : SpikingNetwork
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed; at least one.
    percentile : float
        Of the activations, 0 to 100 (99.9 in Rueckauer et al. 2017 and Spiking ResNet).

    Returns
    -------
    dict of population name to ActivationStatistics
    """
    found = {}
    for population, values in activations(network, samples):
        by_channel = values.reshape(-1, values.shape[-1])
        active = np.maximum(by_channel, 0.0)
        found[population.name] = ActivationStatistics(
            channel_max=active.max(axis=0).astype(np.float64),
            channel_percentile=np.percentile(active, percentile, axis=0).astype(np.float64),
            layer_max=float(active.max()),
            layer_percentile=float(np.percentile(active, percentile)),
            lowest=by_channel.min(axis=0).astype(np.float64),
            highest=by_channel.max(axis=0).astype(np.float64),
        )
    return found
