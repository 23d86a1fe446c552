"""How the scale of each population is chosen: the normalisation methods, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmdeploy.convert.statistics import ActivationStatistics
from nmdeploy.spiking.network import FloatPopulation, SpikingNetwork

FloatArray = NDArray[np.float64]

# A channel whose scale would be below this share of the layer's maximum is as good as dead on the calibration samples:
# dividing by its scale would make absurd weights (recommended floor for data-based thresholds).
DEAD_CHANNEL_SHARE = 1e-4


@dataclass(frozen=True)
class Method:
    """A data-based normalisation.

    Attributes
    ----------
    name : str
    source : str
        Where it was published.
    choose : callable
        From the statistics of one population to its scale, (channels,).
    """

    name: str
    source: str
    choose: Callable[[ActivationStatistics], FloatArray]


def _everywhere(value: float, statistics: ActivationStatistics) -> FloatArray:
    return np.full(statistics.channel_max.shape, value)


METHODS = {
    method.name: method
    for method in (
        Method(
            "layer-max",
            "Diehl et al. 2015; Spiking-YOLO (Kim et al. 2020) Eq. 4",
            lambda statistics: _everywhere(statistics.layer_max, statistics),
        ),
        Method(
            "layer-percentile",
            "Rueckauer et al. 2017; Spiking ResNet (Hu et al. 2018)",
            lambda statistics: _everywhere(statistics.layer_percentile, statistics),
        ),
        Method(
            "channel-max",
            "Spiking-YOLO (Kim et al. 2020) Eq. 5",
            lambda statistics: statistics.channel_max,
        ),
        Method(
            "channel-percentile",
            "Spiking-YOLO (Kim et al. 2020) Eq. 5 with the percentile of Rueckauer et al. 2017",
            lambda statistics: statistics.channel_percentile,
        ),
    )
}


def normalise(
    network: SpikingNetwork, statistics: dict[str, ActivationStatistics], method: Method
) -> tuple[SpikingNetwork, list[str]]:
    """Set the scale of every population that spikes.

    Where several projections meet (a residual addition), all of them are rescaled to the scale of the one population
    that adds them, which is the shortcut normalisation of Spiking ResNet, per channel.

    Returns
    -------
    SpikingNetwork
    list of str
        A note for each population with dead channels.
    """
    scales, notes = {}, []
    for population in network.populations:
        if population.activation == "none":
            continue
        chosen, dead = _scale(population, statistics[population.name], method)
        scales[population.name] = chosen
        if dead:
            notes.append(
                f"{population.name}: {dead} of {len(chosen)} channels are silent on the calibration samples; "
                "they get the median scale of the layer"
            )
    return network.with_scales(scales), notes


def _scale(
    population: FloatPopulation, statistics: ActivationStatistics, method: Method
) -> tuple[FloatArray, int]:
    chosen = method.choose(statistics).astype(np.float64)
    floor = DEAD_CHANNEL_SHARE * statistics.layer_max
    dead = chosen <= floor
    living = chosen[~dead]
    # a percentile can be 0 where the layer as a whole is only nearly silent
    substitute = float(np.median(living)) if living.size else statistics.layer_max or 1.0
    chosen = np.where(dead, substitute, chosen)
    if population.ceiling is not None:
        # at its largest rate the neuron then stands for the ceiling, which clips for free
        chosen = np.minimum(chosen, population.ceiling)
    return chosen, int(dead.sum())
