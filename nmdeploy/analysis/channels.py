"""Channels under layer-wise and channel-wise normalisation (Spiking-YOLO's first and fourth figure).

Under a norm that divides channel c by lam_c, its largest activation becomes ``max a / lam_c``, which should be near 1
for a neuron that uses its whole range of rates, and its mean, ``mean |a| / lam_c``, is the mean rate to expect.
Layer-wise, lam is the largest activation of the layer, channel-wise that of the channel, both on the samples analysed;
the third norm is what the network was compiled with. Activations of leaky units count by their magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from nmdeploy.analysis.observe import Observed

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class NormalisedChannels:
    """Each channel under one norm; 0 where the norm is 0, of a channel or layer of zeros.

    Attributes
    ----------
    maximum, mean : tuple of float
    """

    maximum: tuple[float, ...]
    mean: tuple[float, ...]


@dataclass(frozen=True)
class ChannelActivations:
    """The channels of one population.

    Attributes
    ----------
    name : str
    maximum, mean : tuple of float
        Largest and mean magnitude of the float network's activations of each channel, in its units.
    scale : tuple of float
        What the network was compiled with.
    layer_norm, channel_norm, compiled : NormalisedChannels
    """

    name: str
    maximum: tuple[float, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    layer_norm: NormalisedChannels
    channel_norm: NormalisedChannels
    compiled: NormalisedChannels


class ChannelTally:
    """Adds observations up to the channels of all populations that spike and that the float network has.

    Parameters
    ----------
    network : ChipNetwork
    """

    def __init__(self, network: ChipNetwork) -> None:
        self._scales = {
            population.name: population.scale for population in network.populations if population.reset != "none"
        }
        self._maxima: dict[str, FloatArray] = {}
        self._sums: dict[str, FloatArray] = {}
        self._values: dict[str, int] = {}

    def add(self, observed: Observed) -> None:
        """Count a population of a batch of samples."""
        name = observed.population.name
        if name not in self._scales or observed.activations is None:
            return
        magnitudes = np.abs(observed.activations)
        samples, channels, positions = magnitudes.shape
        self._maxima[name] = np.maximum(self._maxima.get(name, np.zeros(channels)), magnitudes.max(axis=(0, 2)))
        self._sums[name] = self._sums.get(name, np.zeros(channels)) + magnitudes.sum(axis=(0, 2))
        self._values[name] = self._values.get(name, 0) + samples * positions

    def result(self) -> tuple[ChannelActivations, ...]:
        """One entry a population, in the order of the network."""
        return tuple(
            _channels(name, maxima, self._sums[name] / self._values[name], self._scales[name])
            for name, maxima in self._maxima.items()
        )


def _channels(name: str, maximum: FloatArray, mean: FloatArray, scale: FloatArray) -> ChannelActivations:
    def under(norm: FloatArray) -> NormalisedChannels:
        normalised = (np.divide(values, norm, out=np.zeros_like(values), where=norm > 0) for values in (maximum, mean))
        return NormalisedChannels(*(tuple(values.tolist()) for values in normalised))

    return ChannelActivations(
        name=name,
        maximum=tuple(maximum.tolist()),
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        layer_norm=under(np.full_like(maximum, maximum.max())),
        channel_norm=under(maximum),
        compiled=under(scale),
    )
