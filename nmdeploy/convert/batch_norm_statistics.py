"""Activation statistics from what BatchNorm learned, for networks that come without samples.

After a BatchNorm, a channel has mean ``beta`` and standard deviation ``|gamma|`` over the training set. Taken as normal
and independent, means and variances go on through rectifiers and additions.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from nmdeploy.convert.audit import ConversionAudit
from nmdeploy.convert.histogram import BINS, MagnitudeHistogram
from nmdeploy.convert.statistics import ActivationStatistics
from nmdeploy.layers.graph import Layer, LayerGraph
from nmdeploy.layers.operators import Add, BatchNorm, Identity, ReLU
from nmdeploy.spiking.network import SpikingNetwork

FloatArray = NDArray[np.float64]

# Where a maximum is asked of a distribution that has none: one sample in ten thousand lies above.
MAXIMUM_QUANTILE = 0.9999
# Values of a channel that its histogram is made up for.
NOMINAL_VALUES = 1e6
# The cumulative normal distribution, tabulated so finely that linear interpolation is exact to 1e-7.
DEVIATIONS = np.linspace(-8.0, 8.0, 8193)
CUMULATIVE = np.array(list(map(NormalDist().cdf, DEVIATIONS)))


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation, arrays (channels,)."""

    mean: FloatArray
    deviation: FloatArray


def batch_norm_statistics(
    layers: LayerGraph, audit: ConversionAudit, network: SpikingNetwork, percentile: float
) -> dict[str, ActivationStatistics]:
    """Statistics of the populations whose input is known through BatchNorm.

    Parameters
    ----------
    layers : LayerGraph
        As traced, with its BatchNorm layers.
    audit : ConversionAudit
        Tells which population replaces which rectifier.
    network : SpikingNetwork
    percentile : float
        0 to 100.

    Returns
    -------
    dict of population name to ActivationStatistics
        Only of the populations that are known.
    """
    moments = _propagate(layers)
    found = {}
    for entry in audit.entries:
        source = layers.layer(entry.layer).inputs[0]
        if entry.operator != "ReLU" or len(entry.replaced_by) != 1 or source not in moments:
            continue
        name = entry.replaced_by[0]
        known = moments[source]
        if len(known.mean) == network.population(name).shape[0]:
            found[name] = _statistics(known, percentile)
    return found


def _propagate(layers: LayerGraph) -> dict[str, Moments]:
    moments: dict[str, Moments] = {}
    for layer in layers.layers:
        known = _moments_of(layer, [moments.get(name) for name in layer.inputs])
        if known is not None:
            moments[layer.name] = known
    return moments


def _moments_of(layer: Layer, inputs: list[Moments | None]) -> Moments | None:
    operator = layer.operator
    if isinstance(operator, BatchNorm):
        return Moments(operator.bias.astype(np.float64), np.abs(operator.weight).astype(np.float64))
    known = [moments for moments in inputs if moments is not None]
    if len(known) != len(inputs) or not known:
        return None
    if isinstance(operator, Identity):
        return known[0]
    if isinstance(operator, ReLU):
        return _rectified(known[0])
    if isinstance(operator, Add):
        variance = sum((one.deviation**2 for one in known), np.zeros_like(known[0].mean))
        mean = sum((one.mean for one in known), np.zeros_like(known[0].mean))
        return Moments(mean, np.sqrt(variance))
    return None


def _rectified(moments: Moments) -> Moments:
    """Moments of ``max(x, 0)`` for normal x."""
    normal = NormalDist()
    deviation = np.maximum(moments.deviation, np.finfo(float).tiny)
    ratio = np.clip(moments.mean / deviation, -40.0, 40.0)  # the density is 0 beyond, and its square would overflow
    above = np.array([normal.cdf(value) for value in ratio])
    density = np.array([normal.pdf(value) for value in ratio])
    mean = moments.mean * above + deviation * density
    second = (moments.mean**2 + deviation**2) * above + moments.mean * deviation * density
    return Moments(mean, np.sqrt(np.maximum(second - mean**2, 0.0)))


def _statistics(moments: Moments, percentile: float) -> ActivationStatistics:
    reach = NormalDist().inv_cdf(MAXIMUM_QUANTILE)
    share = min(max(percentile / 100.0, 0.5), MAXIMUM_QUANTILE)
    highest = moments.mean + reach * moments.deviation
    at_percentile = np.maximum(moments.mean + NormalDist().inv_cdf(share) * moments.deviation, 0.0)
    return ActivationStatistics(
        channel_percentile=at_percentile,
        layer_percentile=float(at_percentile.max()),
        lowest=moments.mean - reach * moments.deviation,
        highest=highest,
        histogram=_histogram(moments, np.maximum(highest, 0.0)),
    )


def _histogram(moments: Moments, largest: FloatArray) -> MagnitudeHistogram:
    """Of rectified normal values, those above `largest` counted as `largest`."""
    reach = np.where(largest > 0, np.ldexp(np.ones(len(largest)), np.frexp(largest)[1]), 1.0)
    deviation = np.maximum(moments.deviation, np.finfo(float).tiny)
    edges = np.arange(BINS + 1) / BINS * reach[:, None]
    with np.errstate(over="ignore"):  # without deviation every edge is infinitely far from the mean
        place = (edges - moments.mean[:, None]) / deviation[:, None]
    below = np.interp(place, DEVIATIONS, CUMULATIVE)
    below[edges > largest[:, None]] = 1.0
    below[largest == 0] = 1.0
    return MagnitudeHistogram(reach, NOMINAL_VALUES * np.diff(below, axis=1), NOMINAL_VALUES, largest)
