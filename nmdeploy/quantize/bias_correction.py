"""Layer-wise error compensation: biases corrected on the integer network, one population after another.

Spiking ResNet names the compensation of errors that add up with depth; the sequential form with per-channel means is
that of SNN Calibration (Li et al. 2021), here measured on the integers that the chip will compute, so that it takes out
the mean of every error at once: rounding of weights, thresholds and biases, clipping, and uneven spikes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, build_graph
from mapping.step_weights import levels_from
from nmdeploy.bias_field import to_bias_field
from nmdeploy.simulator.layer_by_layer import LayerByLayer
from nmdeploy.spiking.evaluate import activations
from nmdeploy.spiking.network import FloatPopulation, SpikingNetwork

FloatArray = NDArray[np.float64]


def correct_biases(
    network: ChipNetwork,
    float_network: SpikingNetwork,
    samples: NDArray[np.float32],
    progress: Callable[[int], None] | None = None,
    leak_max: int | None = None,
) -> ChipNetwork:
    """Shift the bias of every channel by the mean error of its rate from the read-out step on, sources first.

    Parameters
    ----------
    network : ChipNetwork
    float_network : SpikingNetwork
        The one that `network` was quantised from.
    samples : float32 array, (samples, channels, rows, columns)
        Preprocessed calibration samples; fewer are used where their spikes would take too much memory.
    progress : callable, optional
        Called with the number of populations just finished.
    leak_max : int, optional
        Largest bias that a chip of crossbars holds, to which those of its populations are limited; partial sums get
        none, since they would send it on as input.

    Returns
    -------
    ChipNetwork
        The same but for biases. A shift that the bias field cannot hold is left out.
    """
    layers = LayerByLayer(network, samples)
    corrected: dict[str, Population] = {}
    begin = network.read_out_step
    levels = levels_from(begin, network.timesteps, network.refinement_steps)
    for float_population, values in activations(float_network, layers.samples):
        population = network.population(float_population.name)
        counts, potentials = layers.run(population, begin)
        if population.pool_counts is None and not float_population.is_partial_sum:
            shift = _shift(population, float_population, values, counts, potentials, levels)
            shifted = _shifted(population, shift, network, None if population.on_host else leak_max)
            if shifted is not None:
                population = shifted
                layers.run(population)
        corrected[population.name] = population
        layers.release(population)
        if progress is not None:
            progress(1)
    populations = [corrected[population.name] for population in network.populations]
    return replace(network, graph=build_graph(populations, network.projections))


def _shift(
    population: Population,
    float_population: FloatPopulation,
    values: NDArray[np.float32],
    counts: NDArray[np.int64],
    potentials: NDArray[np.int64],
    levels: int,
) -> FloatArray:
    """What the bias of each channel lacks in every step, in membrane units, (channels,).

    ``mean(a / scale - N / T) * threshold``, divided by the mean slope of the activation where it is leaky: there a
    change of the input changes the rate by less.
    """
    channels = population.shape[0]
    if population.is_output:
        wanted = values.astype(np.float64).mean(axis=(0, 1, 2)) / population.scale
        reached = potentials.reshape(len(potentials), channels, -1).mean(axis=(0, 2)) / levels
        return np.asarray(wanted - reached)
    activated = float_population.activate(values).astype(np.float64).mean(axis=(0, 1, 2))
    rate = counts.reshape(len(counts), channels, -1).mean(axis=(0, 2)) / levels
    shift = (activated / population.scale - rate) * population.threshold
    if float_population.negative_slope is not None:
        negative = (values < 0).mean(axis=(0, 1, 2))
        shift = shift / (1.0 - negative * (1.0 - float_population.negative_slope))
    return np.asarray(shift)


def _shifted(
    population: Population, shift: FloatArray, network: ChipNetwork, leak_max: int | None
) -> Population | None:
    # networks that reset to zero keep to whole threshold steps
    whole_steps = any(other.reset == "zero" for other in network.populations)
    grain = network.threshold_exponent if whole_steps else 0
    wanted = population.bias + np.rint(shift)[:, None, None].astype(np.int64)
    if leak_max is not None:
        wanted = np.clip(wanted, -leak_max, leak_max)
    try:
        mantissa, exponent = to_bias_field(wanted, network.bias_mantissa_max, grain, network.bias_exponent_max)
    except OverflowError:
        return None
    return replace(population, bias_mantissa=mantissa, bias_exponent=exponent)
