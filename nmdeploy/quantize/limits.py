"""How large a threshold may be, per channel, so that no field of the chip overflows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_profiles.profile import HardwareProfile, NumberFormats
from mapping.network import Projection
from mapping.neuron_models import CountMemory
from mapping.step_weights import window_weight
from nmdeploy.convert.statistics import ActivationStatistics
from nmdeploy.quantize.weight_format import largest_weight, weight_field
from nmdeploy.spiking.network import INPUT, FloatPopulation, SpikingNetwork

FloatArray = NDArray[np.float64]

# Room left above what calibration showed: membrane potentials and input currents of other samples may be larger.
OBSERVED_RANGE_MARGIN = 2.0
# Rounding to levels at most doubles a weight, from half a level to a whole one.
ROUNDING_MARGIN = 2.0
# Stands in for a demand of zero, which sets no limit.
NEGLIGIBLE = 1e-200


@dataclass(frozen=True)
class Normalised:
    """A population with thresholds of 1: what its projections, bias and observed range are in units of its scale.

    Attributes
    ----------
    projections : dict of name to float64 array, (O, I/groups, K_rows, K_columns)
        All incoming ones, from the input too.
    bias : float64 array, (channels, 1, 1) or the population's shape
    lowest, highest : float64 array, (channels,)
        Mean input of one step on the calibration samples, smallest and largest.
    """

    projections: dict[str, FloatArray]
    bias: FloatArray
    lowest: FloatArray
    highest: FloatArray


def normalised(network: SpikingNetwork, population: FloatPopulation, observed: ActivationStatistics) -> Normalised:
    """Express a population in units of its scale."""
    return Normalised(
        projections={
            projection.name: network.normalised_weights(projection)
            for projection in network.incoming(population.name)
        },
        bias=population.bias / population.scale[:, None, None],
        lowest=observed.lowest / population.scale,
        highest=observed.highest / population.scale,
    )


def largest_threshold(
    network: SpikingNetwork,
    population: FloatPopulation,
    unit: Normalised,
    timesteps: int,
    weight_bits: int,
    profile: HardwareProfile,
    memory: CountMemory | None,
    refinement_steps: int = 0,
) -> FloatArray:
    """Upper limit of the value that stands for 1, in membrane units, per channel.

    The smallest of four limits: every weight fits its field with the largest exponent; the worst-case synaptic input of
    one step stays within the state (both never exceeded, whatever the data); bias plus input current stay within the
    bias field; the potential over the window stays within the state (both on calibration data, times
    `OBSERVED_RANGE_MARGIN`). Neurons with a count memory hold the sum of what their spikes took, and multiply: both
    must fit whatever the data (`mapping.neuron_models`). Refinement steps shift all input to the left.

    Returns
    -------
    float64 array, (channels,)
    """
    formats = profile.number_formats
    channels = population.shape[0]
    synaptic, widest = np.zeros(channels), np.zeros(channels)
    current = np.abs(unit.bias).reshape(channels, -1).max(axis=1)
    for projection in network.incoming(population.name):
        start, stop = projection.connectivity.target_channels
        weights = unit.projections[projection.name]
        if projection.source == INPUT:
            # what the host writes is part of the mean input, since the input is constant
            largest = np.maximum(np.abs(unit.lowest), np.abs(unit.highest))
            current = np.maximum(current, OBSERVED_RANGE_MARGIN * largest)
        else:
            synaptic[start:stop] += np.abs(weights).sum(axis=(1, 2, 3))
            share = np.abs(weights) / largest_weight(weight_field(weights, weight_bits, formats), formats)
            widest[start:stop] = np.maximum(widest[start:stop], share.max(axis=(1, 2, 3)))
    drift = np.maximum(-unit.lowest, unit.highest if population.is_output else unit.highest - 1.0)
    steps = window_weight(timesteps, refinement_steps)
    potential = OBSERVED_RANGE_MARGIN * (steps * np.maximum(drift, 0.0) + (1 << refinement_steps))
    bias_max = formats.bias_mantissa_max.value << formats.bias_exponent_max.value
    arriving = synaptic * (1 << refinement_steps)
    state = np.maximum(arriving * ROUNDING_MARGIN, potential) / formats.state_max
    demand = np.maximum(np.maximum(state, current / bias_max), widest)
    if memory is not None:
        demand = np.maximum(demand, steps / formats.state_max)
    if memory is not None and formats.product_max is not None:
        products = _products(memory, potential, timesteps, refinement_steps)
        demand = np.maximum(demand, products / formats.product_max)
    limit: FloatArray = 1.0 / np.maximum(demand, NEGLIGIBLE)
    return limit


def _products(
    memory: CountMemory, potential: FloatArray, timesteps: int, refinement_steps: int
) -> FloatArray:
    """Largest product of a neuron in units of its threshold, (channels,).

    Of the bounded residue and the step, and of the high part of the input and the slope (`mapping.neuron_models`).
    """
    largest: FloatArray = np.zeros_like(potential)
    if memory.paced and not memory.shift_only:
        largest += float((1 + memory.lead) * (timesteps - refinement_steps) << refinement_steps)
    if memory.slope_mantissa is not None:
        slope = np.abs(memory.slope_mantissa) / 2.0**memory.slope_bits
        largest = np.maximum(largest, potential * slope)
    return largest


def worst_synaptic_input(channels: int, projections: list[Projection], formats: NumberFormats) -> int:
    """Magnitude that the synaptic input of one step can reach, whatever spikes arrive.

    Parameters
    ----------
    channels : int
        Of the population.
    projections : list of Projection
        All that come from populations.
    formats : NumberFormats

    Returns
    -------
    int
        In membrane units.
    """
    reach = np.zeros((2, channels), dtype=np.int64)
    for projection in projections:
        start, stop = projection.connectivity.target_channels
        weights = projection.weights.astype(np.int64).reshape(stop - start, -1)
        shift = formats.synapse_exponent.value + projection.weight_exponent
        reach[0, start:stop] += np.maximum(weights, 0).sum(axis=1) << shift
        reach[1, start:stop] += np.maximum(-weights, 0).sum(axis=1) << shift
    return int(reach.max())
