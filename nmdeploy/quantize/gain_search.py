"""Layer-wise error compensation by one gain a layer, searched on the integer network.

Spike counts fall short of activations, and what a layer lacks the next one inherits. Spiking ResNet (Hu et al. 2018)
compensates by a factor slightly above 1 for each layer, chosen by trial. Here the factor divides the thresholds, which
is the same as multiplying all weights and biases, and the one with the least squared error of the rates is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, build_graph
from mapping.step_weights import levels_from
from nmdeploy.simulator.layer_by_layer import LayerByLayer
from nmdeploy.spiking.evaluate import activations
from nmdeploy.spiking.network import SpikingNetwork

GAINS = (1.0, 1.01, 1.02, 1.03, 1.04, 1.05)


def search_gains(
    network: ChipNetwork,
    float_network: SpikingNetwork,
    samples: NDArray[np.float32],
    progress: Callable[[int], None] | None = None,
) -> ChipNetwork:
    """Choose a gain for every layer, sources first; parameters as for `nmdeploy.quantize.bias_correction`.

    Returns
    -------
    ChipNetwork
        The same but for thresholds.
    """
    layers = LayerByLayer(network, samples)
    chosen: dict[str, Population] = {}
    begin = network.read_out_step
    levels = levels_from(begin, network.timesteps, network.refinement_steps)
    for float_population, values in activations(float_network, layers.samples):
        population = network.population(float_population.name)
        if population.reset == "subtract" and population.pool_counts is None:
            wanted = float_population.activate(values).transpose(0, 3, 1, 2).reshape(len(values), -1)
            scale = np.repeat(population.scale, population.neuron_count // population.shape[0])
            errors = {}
            for gain in GAINS:
                candidate = _with_gain(population, gain, 1 << network.threshold_exponent)
                counts, _ = layers.run(candidate, begin)
                errors[gain] = float(((counts * scale / levels - wanted) ** 2).sum())
            population = _with_gain(population, min(errors, key=errors.__getitem__), 1 << network.threshold_exponent)
        layers.run(population)
        chosen[population.name] = population
        layers.release(population)
        if progress is not None:
            progress(1)
    populations = [chosen[population.name] for population in network.populations]
    return replace(network, graph=build_graph(populations, network.projections))


def _with_gain(population: Population, gain: float, step: int) -> Population:
    """Thresholds divided by the gain, in whole threshold steps; thresholds only fall, so they fit their fields."""
    thresholds = np.maximum(np.rint(population.threshold / gain / step), 1).astype(np.int64) * step
    return replace(population, threshold=thresholds)
