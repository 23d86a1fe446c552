"""How the scale of each population is chosen: the normalisation methods, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmdeploy.convert.clip_and_round import clip_and_round_thresholds
from nmdeploy.convert.count_decoding import is_counter
from nmdeploy.convert.crossed_thresholds import crossed_thresholds
from nmdeploy.convert.local_balancing import balanced_thresholds
from nmdeploy.convert.silent_channels import replace_silent
from nmdeploy.convert.statistics import ActivationStatistics
from nmdeploy.spiking.network import FloatPopulation, SpikingNetwork

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Method:
    """A data-based normalisation.

    Attributes
    ----------
    name : str
    source : str
        Where it was published.
    choose : callable
        From the statistics of one population and the steps of the window to its scale, (channels,).
    """

    name: str
    source: str
    choose: Callable[[ActivationStatistics, int], FloatArray]


def _everywhere(value: float, statistics: ActivationStatistics) -> FloatArray:
    return np.full(statistics.channel_max.shape, value)


def _floored_by_the_mean(statistics: ActivationStatistics, timesteps: int) -> FloatArray:
    thresholds = clip_and_round_thresholds(statistics.histogram, timesteps)
    return np.maximum(thresholds, thresholds.mean())


METHODS = {
    method.name: method
    for method in (
        Method(
            "layer-max",
            "Diehl et al. 2015; Spiking-YOLO (Kim et al. 2020) Eq. 4",
            lambda statistics, timesteps: _everywhere(statistics.layer_max, statistics),
        ),
        Method(
            "layer-percentile",
            "Rueckauer et al. 2017; Spiking ResNet (Hu et al. 2018)",
            lambda statistics, timesteps: _everywhere(statistics.layer_percentile, statistics),
        ),
        Method(
            "channel-max",
            "Spiking-YOLO (Kim et al. 2020) Eq. 5",
            lambda statistics, timesteps: statistics.channel_max,
        ),
        Method(
            "channel-percentile",
            "Spiking-YOLO (Kim et al. 2020) Eq. 5 with the percentile of Rueckauer et al. 2017",
            lambda statistics, timesteps: statistics.channel_percentile,
        ),
        Method(
            "channel-mse",
            "SNN Calibration (Li et al. 2021), channel-wise threshold of least squared error, rounding to nearest",
            lambda statistics, timesteps: clip_and_round_thresholds(statistics.histogram, timesteps),
        ),
        Method(
            "channel-mse-floor",
            "SNN Calibration (Li et al. 2021), no channel below the mean of its layer: few calibration samples clip "
            "the rare large activations that detectors live on",
            _floored_by_the_mean,
        ),
        Method(
            "channel-mse-crossed",
            "SNN Calibration (Li et al. 2021), raised by the margin and to the share of the layer's mean that do best "
            "on calibration samples left out in turn",
            lambda statistics, timesteps: crossed_thresholds(statistics.histogram, statistics.parts, timesteps),
        ),
        Method(
            "local-balancing",
            "Local threshold balancing (Bu et al. 2025), per channel",
            lambda statistics, timesteps: balanced_thresholds(statistics.histogram),
        ),
    )
}


def normalise(
    network: SpikingNetwork,
    statistics: dict[str, ActivationStatistics],
    method: Method,
    timesteps: int,
    headroom: float = 1.0,
) -> tuple[SpikingNetwork, list[str]]:
    """Set the scale of every population that spikes.

    Where several projections meet (a residual addition), all of them are rescaled to the scale of the one population
    that adds them, which is the shortcut normalisation of Spiking ResNet, per channel.

    Parameters
    ----------
    network : SpikingNetwork
    statistics : dict of population name to ActivationStatistics
    method : Method
    timesteps : int
        Steps of the window, which some methods take into account; at least 1.
    headroom : float
        Factor of what the method chooses.

    Returns
    -------
    SpikingNetwork
    list of str
        Notes on populations with silent or nearly silent channels.
    """
    scales: dict[str, FloatArray] = {}
    notes: list[str] = []
    # sources come before targets, so that a population can take the scales of its sources
    for population in network.populations:
        if is_counter(network, population):
            scales[population.name] = _scales_of_sources(network, population, scales)
            continue
        if population.activation == "none":
            continue
        if population.activation == "maximum":
            scales[population.name] = _scales_of_sources(network, population, scales)
            continue
        scales[population.name], found = _own_scale(
            population, statistics[population.name], method, timesteps, headroom
        )
        notes += found
    return network.with_scales(scales), notes


def _scales_of_sources(
    network: SpikingNetwork, population: FloatPopulation, scales: dict[str, FloatArray]
) -> FloatArray:
    """What counts spikes counts in the units of its sources, channel by channel; in the largest of several."""
    taken = np.zeros(population.shape[0])
    for projection in network.incoming(population.name):
        table = projection.connectivity
        channels = slice(*table.target_channels)
        taken[channels] = np.maximum(taken[channels], scales[projection.source][slice(*table.source_channels)])
    return taken


def _own_scale(
    population: FloatPopulation, statistics: ActivationStatistics, method: Method, timesteps: int, headroom: float
) -> tuple[FloatArray, list[str]]:
    """The scale chosen from the population's own activations, and notes on it."""
    chosen, notes = replace_silent(method.choose(statistics, timesteps), statistics)
    chosen = chosen * headroom
    if population.ceiling is not None:
        # at its largest rate the neuron then stands for the ceiling, which clips for free
        chosen = np.minimum(chosen, population.ceiling)
    return chosen, [f"{population.name}: {note}" for note in notes]
