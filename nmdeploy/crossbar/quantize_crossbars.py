"""Quantise a spiking network for crossbars: integers that axon types, thresholds and leaks can hold.

On the chip, the weights of channel c are ``multiplier * level`` with the levels of its axon scheme, and its threshold
is ``multiplier / unit`` rounded, where `unit` is the weight (in thresholds) that one level stands for. The multiplier
is the largest with which weights, leak, threshold and potential fit their fields: it sets how finely threshold and
leak resolve, at no cost, since the weights for the types are the neuron's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hw_profiles.crossbar_profile import CrossbarFormats, CrossbarProfile
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph
from nmdeploy.convert.statistics import ActivationStatistics
from nmdeploy.crossbar.axon_plan import ProjectionAxons, by_channel
from nmdeploy.crossbar.axon_schemes import channel_units
from nmdeploy.crossbar.bias_axons import biased_by_axon
from nmdeploy.crossbar.host_populations import host_populations
from nmdeploy.crossbar.initial_potentials import with_loadable_potentials
from nmdeploy.crossbar.level_rounding import rounded_levels
from nmdeploy.errors import QuantizationError
from nmdeploy.quantize.input_moments import InputMoments
from nmdeploy.quantize.input_projection import input_projection
from nmdeploy.quantize.limits import OBSERVED_RANGE_MARGIN, Normalised, normalised
from nmdeploy.quantize.quantize import QuantizationOptions
from nmdeploy.quantize.schedule import start_steps
from nmdeploy.spiking.network import FloatPopulation, FloatProjection, SpikingNetwork

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Left in the leak field for the compensation of errors.
LEAK_MARGIN = 1.5
# Thresholds of host populations: their input is not quantised, so this is how finely they integrate.
HOST_THRESHOLD = 1 << 14
# Weights of one spike at a counter, which the host holds: how finely scales of outputs are told apart.
COUNTER_WEIGHT = 1 << 10


def quantize_crossbars(
    network: SpikingNetwork,
    statistics: Mapping[str, ActivationStatistics],
    plan: Mapping[str, ProjectionAxons],
    profile: CrossbarProfile,
    options: QuantizationOptions,
    input_max: float,
    samples: NDArray[np.float32] | None,
) -> ChipNetwork:
    """Quantise every population and projection.

    Parameters
    ----------
    network : SpikingNetwork
        With the scales set, those of partial sums tied.
    statistics : mapping of population name to ActivationStatistics
    plan : mapping of projection name to ProjectionAxons
        Of all projections into populations on the chip.
    profile : CrossbarProfile
    options : QuantizationOptions
        Its time steps, reset, initial potential, read-out step and weight rounding.
    input_max : float
        Largest magnitude of a preprocessed calibration sample.
    samples : float32 array, (samples, channels, rows, columns), or None
        Preprocessed calibration samples, for rounding by "gptq".

    Returns
    -------
    ChipNetwork
        Start steps and delays are those of a network without relays and without a longest delay; mapping sets those
        of the placed network.

    Raises
    ------
    QuantizationError
        The chip lacks the reset mode; a value does not fit its field.
    """
    if options.reset not in profile.reset_modes.names:
        raise QuantizationError(
            f"{profile.name} has no reset '{options.reset}'; it has {', '.join(profile.reset_modes.names)}"
        )
    if options.timesteps < 1:
        raise QuantizationError(f"{options.timesteps} time steps: at least 1 is needed")
    moments = None
    if options.weight_rounding == "gptq":
        if samples is None or not len(samples):
            raise QuantizationError("weight rounding 'gptq' needs calibration samples, and there are none")
        moments = InputMoments(network, samples)
    on_host = host_populations(network)
    populations: list[Population] = []
    projections: list[Projection] = []
    inputs: list[InputProjection] = []
    for population in network.populations:
        unit = normalised(network, population, statistics[population.name])
        incoming = list(network.incoming(population.name))
        if population.is_output:
            counter, into = _counter(population, incoming, unit, options, profile)
            populations.append(counter)
            projections += into
        elif population.name in on_host:
            scale = _host_scale(unit, options, profile)
            populations.append(_neurons(population, unit, scale, options, on_host=True))
            for one in incoming:
                start, stop = one.connectivity.target_channels
                delivered = unit.projections[one.name] * scale[start:stop, None, None, None]
                inputs.append(input_projection(one, delivered, input_max))
        else:
            made, into = _on_chip(population, incoming, unit, plan, moments, profile, options)
            populations.append(made)
            projections += into
    starts = start_steps(network, dict.fromkeys((one.name for one in network.populations), 0))
    populations = [replace(one, start_step=starts[one.name]) for one in populations]
    projections = [replace(one, delay=starts[one.target] - starts[one.source] - 1) for one in projections]
    quantized = ChipNetwork(
        input_shape=network.input_shape,
        timesteps=options.timesteps,
        synapse_exponent=0,
        threshold_exponent=0,
        state_max=profile.number_formats.potential_max,
        bias_mantissa_max=profile.number_formats.potential_max,
        bias_exponent_max=0,
        graph=build_graph(populations, projections),
        input_projections=tuple(inputs),
        read_out_step=options.read_out_step,
    )
    return with_loadable_potentials(quantized, frozenset(biased_by_axon(quantized, profile)))


def _counter(
    population: FloatPopulation,
    incoming: list[FloatProjection],
    unit: Normalised,
    options: QuantizationOptions,
    profile: CrossbarProfile,
) -> tuple[Population, list[Projection]]:
    """An output: what its spikes are worth, added up by the host."""
    widest = max(np.abs(unit.projections[one.name]).max() for one in incoming)
    room = profile.number_formats.potential_max // (2 * options.timesteps * len(incoming))
    scale = min(COUNTER_WEIGHT, room) / widest
    if scale * widest < 1:
        raise QuantizationError(f"{population.name}: {options.timesteps} time steps overflow the counters")
    zeros = np.zeros(population.shape[0], dtype=np.int64)
    counter = Population(
        name=population.name,
        shape=population.shape,
        reset="none",
        threshold=zeros,
        negative_threshold=None,
        bias_mantissa=np.rint(unit.bias * scale).astype(np.int64),
        bias_exponent=np.zeros(unit.bias.shape, dtype=np.int64),
        initial_potential=zeros,
        start_step=0,
        scale=population.scale / scale,
        is_output=True,
        on_host=True,
    )
    weights = {one.name: np.rint(unit.projections[one.name] * scale).astype(np.int32) for one in incoming}
    return counter, [_projection(one, weights[one.name], ()) for one in incoming]


def _host_scale(unit: Normalised, options: QuantizationOptions, profile: CrossbarProfile) -> FloatArray:
    """Thresholds of a population that reads the sample, (channels,)."""
    drift = np.maximum(np.maximum(-unit.lowest, unit.highest - 1.0), 0.0)
    room = profile.number_formats.potential_max / (OBSERVED_RANGE_MARGIN * (options.timesteps * drift + 1.0))
    scale: FloatArray = np.maximum(np.floor(np.minimum(room, HOST_THRESHOLD)), 1.0)
    return scale


def _on_chip(
    population: FloatPopulation,
    incoming: list[FloatProjection],
    unit: Normalised,
    plan: Mapping[str, ProjectionAxons],
    moments: InputMoments | None,
    profile: CrossbarProfile,
    options: QuantizationOptions,
) -> tuple[Population, list[Projection]]:
    formats = profile.number_formats
    channels = population.shape[0]
    shared = [one for one in incoming if plan[one.name].scheme is not None]
    alone = [one for one in incoming if plan[one.name].scheme is None]
    normalised_shared = [replace(one, weights=unit.projections[one.name]) for one in shared]
    scheme = plan[shared[0].name].scheme if shared else None
    demand = _demand(population, incoming, unit, options.timesteps, formats)
    units = np.ones(channels)
    if scheme is not None:
        units = channel_units(by_channel(population, normalised_shared), scheme).unit
        # beside wide weights, or where the threshold must be small, small ones are told apart less finely
        least = np.maximum(_widest(population, alone, unit) / formats.weight_max, 1 / demand)
        units = np.copysign(np.maximum(np.abs(units), least), units)
    # in units of the scheme, or of the threshold where there is none, by type
    ratios = np.zeros((channels, profile.crossbar.axon_types.value))
    if scheme is not None:
        ratios[:, : len(scheme.ratios)] = np.sign(units)[:, None] * np.array(scheme.ratios)
    for one in alone:
        start, stop = one.connectivity.target_channels
        weight = unit.projections[one.name].reshape(stop - start, -1)[:, 0]
        ratios[start:stop, plan[one.name].types[0]] = weight / np.abs(units[start:stop])
    levels = {
        one.name: rounded_levels(one, units, scheme, None if moments is None else moments.take(one.name))
        for one in normalised_shared
        if scheme is not None
    }
    multiplier, threshold = _multipliers(population.name, np.abs(units), ratios, demand, formats)
    type_weights = np.rint(ratios * multiplier[:, None]).astype(np.int64)
    made = _neurons(population, unit, threshold.astype(np.float64), options, on_host=False)
    made = replace(
        made,
        type_weights=type_weights,
        bias_mantissa=np.clip(made.bias_mantissa, -formats.leak_max, formats.leak_max),
    )
    projections = []
    for one in incoming:
        start, stop = one.connectivity.target_channels
        if one.name in levels:
            delivered = levels[one.name] * multiplier[start:stop, None, None, None]
        else:
            of_type = type_weights[start:stop, plan[one.name].types[0]]
            delivered = np.broadcast_to(of_type[:, None, None, None], one.weights.shape)
        projections.append(_projection(one, delivered.astype(np.int32), plan[one.name].types))
    return made, projections


def _demand(
    population: FloatPopulation,
    incoming: list[FloatProjection],
    unit: Normalised,
    timesteps: int,
    formats: CrossbarFormats,
) -> FloatArray:
    """Upper limits of the threshold, (channels,): potential, leak and threshold fit their fields.

    Inputs of one step never exceed the potential, whatever the data; those of the window do not on calibration data,
    with a margin.

    Raises
    ------
    QuantizationError
        No threshold is small enough.
    """
    arriving = np.zeros(population.shape[0])
    for one in incoming:
        start, stop = one.connectivity.target_channels
        arriving[start:stop] += np.abs(unit.projections[one.name]).sum(axis=(1, 2, 3))
    drift = np.maximum(np.maximum(-unit.lowest, unit.highest - 1.0), 0.0)
    potential = np.maximum(2.0 * arriving, OBSERVED_RANGE_MARGIN * (timesteps * drift + 1.0))
    leak = np.abs(unit.bias).reshape(len(arriving), -1).max(axis=1)
    limits = np.minimum(formats.potential_max / potential, float(formats.threshold_max))
    limit: FloatArray = np.minimum(limits, formats.leak_max / (LEAK_MARGIN * np.maximum(leak, 1e-9)))
    if (limit < 1).any():
        raise QuantizationError(
            f"{population.name}: channel {np.argmin(limit)} takes in up to {potential.max():.3g} thresholds and leaks "
            f"{leak.max():.3g} in a step, which potentials of {formats.potential_bits.value} bits and leaks of "
            f"{formats.leak_bits.value} bits cannot hold. Use a channel-wise method, or more calibration samples"
        )
    return limit


def _widest(population: FloatPopulation, projections: list[FloatProjection], unit: Normalised) -> FloatArray:
    """Largest weights of some projections, (channels,)."""
    widest = np.zeros(population.shape[0])
    for one in projections:
        channels = slice(*one.connectivity.target_channels)
        of_one = np.abs(unit.projections[one.name]).max(axis=(1, 2, 3))
        widest[channels] = np.maximum(widest[channels], of_one)
    return widest


def _multipliers(
    name: str, units: FloatArray, ratios: FloatArray, limit: FloatArray, formats: CrossbarFormats
) -> tuple[IntArray, IntArray]:
    """Multiplier of the ratios, a whole number so that levels stay exact, and the threshold, of every channel."""
    widest = np.maximum(np.abs(ratios).max(axis=1), 1e-12)
    largest = np.minimum(formats.weight_max / widest, limit * units)
    multiplier = np.floor(largest + 1e-9).astype(np.int64)
    if (multiplier < 1).any():
        channel = int(np.argmin(largest))
        raise QuantizationError(
            f"{name}: channel {channel} does not fit weights of {formats.weight_bits.value} bits with any threshold. "
            "Use a channel-wise method, or more calibration samples"
        )
    threshold = np.maximum(np.rint(multiplier / units), 1.0).astype(np.int64)
    return multiplier, threshold


def _neurons(
    population: FloatPopulation,
    unit: Normalised,
    scale: FloatArray,
    options: QuantizationOptions,
    *,
    on_host: bool,
) -> Population:
    threshold = scale.astype(np.int64)
    return Population(
        name=population.name,
        shape=population.shape,
        # a partial sum keeps what is left over, or it would be none
        reset="subtract" if on_host or population.is_partial_sum else options.reset,
        threshold=threshold,
        negative_threshold=None,
        bias_mantissa=np.rint(unit.bias * scale[:, None, None]).astype(np.int64),
        bias_exponent=np.zeros(unit.bias.shape, dtype=np.int64),
        initial_potential=np.floor(options.initial_potential_share * threshold).astype(np.int64),
        start_step=0,
        scale=population.scale,
        on_host=on_host,
    )


def _projection(projection: FloatProjection, weights: NDArray[np.int32], axon_types: tuple[int, ...]) -> Projection:
    return Projection(
        name=projection.name,
        source=projection.source,
        target=projection.target,
        connectivity=projection.connectivity,
        weights=weights,
        weight_exponent=0,
        weight_bits=int(np.abs(weights).max(initial=1)).bit_length() + 1,
        sign_mode="mixed",
        axon_types=axon_types,
    )
