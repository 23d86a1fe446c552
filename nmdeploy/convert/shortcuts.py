"""Shortcut normalisation, switched off to show what it is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmdeploy.spiking.network import INPUT, FloatProjection, SpikingNetwork, build_spiking_network


def without_shortcut_normalisation(network: SpikingNetwork) -> SpikingNetwork:
    """Shortcuts keep the weights of the trained network whatever the scales of their ends are.

    Spiking ResNet (Hu et al. 2018) gives an identity shortcut the weight ``scale(source) / scale(target)`` and compares
    with the weight 1. In a network with scales that is a shortcut whose float weights are wrong by the inverse ratio.
    A projection shortcut keeps its trained weights likewise; its bias has become part of the one bias of the population
    that adds, and stays normalised with it.

    Parameters
    ----------
    network : SpikingNetwork
        With its scales set.
    """
    depths = _depths(network)
    projections = [
        _unscaled(network, projection) if depths[projection.target] > depths[projection.source] + 1 else projection
        for projection in network.projections
    ]
    return build_spiking_network(network.input_shape, network.populations, projections)


def _depths(network: SpikingNetwork) -> dict[str, int]:
    """Populations on the longest path from the input."""
    depths = {INPUT: 0}
    for population in network.populations:
        sources = [projection.source for projection in network.incoming(population.name)]
        depths[population.name] = 1 + max((depths[name] for name in sources), default=0)
    return depths


def _unscaled(network: SpikingNetwork, projection: FloatProjection) -> FloatProjection:
    normalised = network.normalised_weights(projection)
    ratio = np.divide(
        projection.weights, normalised, out=np.ones_like(normalised), where=normalised != 0
    )
    return replace(projection, weights=projection.weights * ratio)
