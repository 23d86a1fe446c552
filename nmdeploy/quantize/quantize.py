"""Quantise a spiking network to the number formats of a chip."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hw_profiles.profile import HardwareProfile
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph
from mapping.neuron_models import PoolCounts
from mapping.pool_taps import pool_weights
from nmdeploy.bias_field import to_bias_field
from nmdeploy.convert.statistics import ActivationStatistics
from nmdeploy.errors import QuantizationError
from nmdeploy.quantize.input_moments import InputMoments
from nmdeploy.quantize.input_projection import input_projection
from nmdeploy.quantize.limits import Normalised, largest_threshold, normalised, worst_synaptic_input
from nmdeploy.quantize.neuron_choice import (
    NeuronChoice,
    check_offered,
    count_memory,
    negative_threshold,
    pool_counts,
)
from nmdeploy.quantize.population_scale import choose_output_scale, choose_thresholds
from nmdeploy.quantize.schedule import extra_delays, start_steps
from nmdeploy.quantize.synapses import Synapses, incoming_synapses
from nmdeploy.quantize.weight_rounding import WeightRounding, weight_exponent, weight_mantissas
from nmdeploy.spiking.network import INPUT, FloatPopulation, FloatProjection, SpikingNetwork

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# The weights that tell the synapses of a maximum apart go up to 64, or 128.
POOL_WEIGHT_BITS = 8


DEFAULT_WEIGHT_BITS = 8


@dataclass(frozen=True)
class QuantizationOptions:
    """What the user chooses.

    Attributes
    ----------
    timesteps : int
        T, the window.
    weight_bits : int
    thresholds : {"channel", "layer"}
        As many thresholds as a core can hold, or one a population.
    reset : {"subtract", "zero"}
    initial_potential_share : float
        Of the threshold; one half turns the floor of the spike count into rounding. Neurons with a count memory
        round by themselves and start from 0.
    neurons : NeuronChoice
    refinement_steps : int
        Of every window, see `mapping.step_weights`; for neurons with a count memory that take spikes back.
    read_out_step : int
        First step of the window from which on outputs are read.
    weight_rounding : {"nearest", "least-squares", "gptq"}
        To nearest on the finest scale that clips nothing; to nearest on the scale of least squared error; on that
        scale, one weight after another, so that the outputs on calibration samples change least.
    """

    timesteps: int
    weight_bits: int = DEFAULT_WEIGHT_BITS
    thresholds: Literal["channel", "layer"] = "channel"
    reset: Literal["subtract", "zero"] = "subtract"
    initial_potential_share: float = 0.5
    neurons: NeuronChoice = field(default_factory=NeuronChoice)
    refinement_steps: int = 0
    read_out_step: int = 0
    weight_rounding: WeightRounding = "nearest"


def quantize(
    network: SpikingNetwork,
    statistics: dict[str, ActivationStatistics],
    profile: HardwareProfile,
    options: QuantizationOptions,
    input_max: float,
    samples: NDArray[np.float32] | None = None,
) -> ChipNetwork:
    """Quantise every population and projection.

    Parameters
    ----------
    network : SpikingNetwork
        With the scales set.
    statistics : dict of population name to ActivationStatistics
        Observed ranges, which decide how much of the state is left as headroom.
    profile : HardwareProfile
    options : QuantizationOptions
    input_max : float
        Largest magnitude of a preprocessed calibration sample.
    samples : float32 array, (samples, channels, rows, columns), optional
        Preprocessed calibration samples; for rounding by "gptq".

    Raises
    ------
    QuantizationError
        The chip lacks the reset mode, the neuron model or the weight width; a value does not fit its field; rounding
        by "gptq" lacks samples.
    """
    _check_offered(profile, options)
    formats = profile.number_formats
    memories = {population.name: count_memory(population, options.neurons) for population in network.populations}
    leads = {name: 0 if memory is None else memory.lead for name, memory in memories.items()}
    starts = start_steps(network, leads)
    delays = extra_delays(network, starts, leads, profile)
    moments = _moments(network, samples, options)
    populations: list[Population] = []
    projections: list[Projection] = []
    inputs: list[InputProjection] = []
    for population in network.populations:
        pool = pool_counts(network, population, options.neurons)
        if pool is not None:
            populations.append(_pool(population, pool, starts[population.name]))
            projections += [
                _pool_projection(projection, pool, delays[projection.name], profile)
                for projection in network.incoming(population.name)
            ]
            continue
        unit = normalised(network, population, statistics[population.name])
        synapses = incoming_synapses(network, population.name, unit.projections, options.weight_bits, formats)
        scale = _membrane_scale(network, population, unit, list(synapses.values()), profile, options)
        populations.append(
            replace(
                _population(population, unit, scale, starts[population.name], profile, options),
                count_memory=memories[population.name],
            )
        )
        first = len(projections)
        for projection in network.incoming(population.name):
            if projection.source == INPUT:
                start, stop = projection.connectivity.target_channels
                delivered = unit.projections[projection.name] * scale[start:stop, None, None, None]
                inputs.append(input_projection(projection, delivered, input_max))
            else:
                one, delay = synapses[projection.name], delays[projection.name]
                projections.append(_projection(projection, one, scale, delay, moments, profile, options))
        _check_synaptic_input(population, projections[first:], profile, options.refinement_steps)
    return ChipNetwork(
        input_shape=network.input_shape,
        timesteps=options.timesteps,
        synapse_exponent=formats.synapse_exponent.value,
        threshold_exponent=formats.threshold_exponent.value,
        state_max=formats.state_max,
        bias_mantissa_max=formats.bias_mantissa_max.value,
        bias_exponent_max=formats.bias_exponent_max.value,
        graph=build_graph(populations, projections),
        input_projections=tuple(inputs),
        refinement_steps=options.refinement_steps,
        read_out_step=options.read_out_step,
    )


def _check_offered(profile: HardwareProfile, options: QuantizationOptions) -> None:
    offered = profile.number_formats.weight_bits.values
    if options.weight_bits not in offered:
        raise QuantizationError(
            f"{profile.name} has no weights of {options.weight_bits} bits; it has {', '.join(map(str, offered))}"
        )
    if options.reset not in profile.reset_modes.names:
        raise QuantizationError(
            f"{profile.name} has no reset '{options.reset}'; it has {', '.join(profile.reset_modes.names)}"
        )
    check_offered(options.neurons, profile)
    if options.neurons.has_count_memory and options.reset != "subtract":
        raise QuantizationError(f"'{options.neurons.name}' neurons are reset by subtraction, not to {options.reset}")
    _check_refinement(options)
    if options.timesteps < 1:
        raise QuantizationError(f"{options.timesteps} time steps: at least 1 is needed")
    if not 0 <= options.read_out_step < options.timesteps:
        raise QuantizationError(
            f"outputs read from step {options.read_out_step} on of a window of {options.timesteps} steps"
        )


def _check_refinement(options: QuantizationOptions) -> None:
    if not options.refinement_steps:
        return
    if not 0 < options.refinement_steps < options.timesteps:
        raise QuantizationError(
            f"{options.refinement_steps} refinement steps do not leave a step of a window of {options.timesteps}"
        )
    if not options.neurons.can_refine:
        raise QuantizationError(
            "refinement steps need paced or signed neurons that take spikes back, with products: "
            "--neurons paced --release threshold"
        )


def _grain(profile: HardwareProfile, options: QuantizationOptions) -> int:
    """Every increment of a potential is a multiple of 2 to the power of this.

    A network that resets to zero keeps to whole threshold steps, so that Lava's stock neurons compute the same.
    """
    return profile.number_formats.threshold_exponent.value if options.reset == "zero" else 0


def _moments(
    network: SpikingNetwork, samples: NDArray[np.float32] | None, options: QuantizationOptions
) -> InputMoments | None:
    if options.weight_rounding != "gptq":
        return None
    if samples is None or not len(samples):
        raise QuantizationError("weight rounding 'gptq' needs calibration samples, and there are none")
    return InputMoments(network, samples)


def _membrane_scale(
    network: SpikingNetwork,
    population: FloatPopulation,
    unit: Normalised,
    synapses: list[Synapses],
    profile: HardwareProfile,
    options: QuantizationOptions,
) -> FloatArray:
    """Membrane units that stand for 1 (the threshold), per channel."""
    limit = largest_threshold(
        network,
        population,
        unit,
        options.timesteps,
        options.weight_bits,
        profile,
        count_memory(population, options.neurons),
        options.refinement_steps,
    )
    grain = _grain(profile, options)
    least_squares = options.weight_rounding != "nearest"
    if population.is_output:
        return np.full(population.shape[0], choose_output_scale(limit, synapses, grain, profile, least_squares))
    per_channel = options.thresholds == "channel"
    mantissas = choose_thresholds(limit, synapses, options.reset, per_channel, grain, profile, least_squares)
    scale: FloatArray = (mantissas << profile.number_formats.threshold_exponent.value).astype(np.float64)
    return scale


def _population(
    population: FloatPopulation,
    unit: Normalised,
    scale: FloatArray,
    start_step: int,
    profile: HardwareProfile,
    options: QuantizationOptions,
) -> Population:
    formats = profile.number_formats
    grain = _grain(profile, options)
    try:
        mantissa, exponent = to_bias_field(
            np.rint(unit.bias * scale[:, None, None]).astype(np.int64),
            formats.bias_mantissa_max.value,
            grain,
            formats.bias_exponent_max.value,
        )
    except OverflowError as error:
        raise QuantizationError(f"{population.name}: bias {error}. Use more calibration samples.") from error
    threshold = scale.astype(np.int64)
    zeros = np.zeros_like(threshold)
    initial = np.floor(options.initial_potential_share * threshold).astype(np.int64) >> grain << grain
    if population.is_output:
        fields = {"reset": "none", "threshold": zeros, "initial_potential": zeros}
    elif options.reset == "zero":
        # potentials are multiples of the grain: those from here on are those from `threshold` on
        one_above = threshold - (1 << grain) + 1
        fields = {"reset": "zero", "threshold": one_above, "initial_potential": initial}
    else:
        rounds = count_memory(population, options.neurons) is not None
        fields = {
            "reset": "subtract",
            "threshold": threshold,
            "initial_potential": zeros if rounds else initial,
        }
    return Population(
        name=population.name,
        shape=population.shape,
        negative_threshold=negative_threshold(population, threshold, options.neurons, profile),
        bias_mantissa=mantissa,
        bias_exponent=exponent,
        start_step=start_step,
        scale=population.scale / scale if population.is_output else population.scale,
        is_output=population.is_output,
        **fields,  # type: ignore[arg-type]
    )


def _pool(population: FloatPopulation, pool: PoolCounts, start_step: int) -> Population:
    zeros = np.zeros(population.shape[0], dtype=np.int64)
    return Population(
        name=population.name,
        shape=population.shape,
        reset="subtract",
        threshold=zeros,
        negative_threshold=None,
        bias_mantissa=zeros[:, None, None],
        bias_exponent=zeros[:, None, None],
        initial_potential=zeros,
        start_step=start_step,
        scale=population.scale,
        pool_counts=pool,
    )


def _pool_projection(
    projection: FloatProjection, pool: PoolCounts, delay: int, profile: HardwareProfile
) -> Projection:
    table = projection.connectivity
    taps = (table.rows.shape[1], table.columns.shape[1])
    return Projection(
        name=projection.name,
        source=projection.source,
        target=projection.target,
        connectivity=table,
        weights=pool_weights(taps, table.out_channels, pool.base),
        weight_exponent=-profile.number_formats.synapse_exponent.value,
        weight_bits=POOL_WEIGHT_BITS,
        sign_mode="excitatory",
        delay=delay,
    )


def _projection(
    projection: FloatProjection,
    one: Synapses,
    scale: FloatArray,
    delay: int,
    moments: InputMoments | None,
    profile: HardwareProfile,
    options: QuantizationOptions,
) -> Projection:
    bits = options.weight_bits
    if one.field.level_max <= 0 and one.field.sign_mode == "mixed":
        raise QuantizationError(
            f"{projection.name}: {bits}-bit weights of both signs hold no positive value on {profile.name}. "
            "Use more --weight-bits."
        )
    exponent = weight_exponent(one, scale, options.weight_rounding, _grain(profile, options), profile)
    if exponent is None:
        largest = (one.widest * scale[one.channels]).max()
        raise QuantizationError(
            f"{projection.name}: a weight of {largest:,.0f} membrane units does not fit "
            f"{bits} bits with any exponent of {profile.name}. Use a channel-wise method."
        )
    table = projection.connectivity
    moment = None if moments is None else moments.take(projection.name)
    return Projection(
        name=projection.name,
        source=projection.source,
        target=projection.target,
        connectivity=table,
        weights=weight_mantissas(one, scale, exponent, table, moment, profile),
        weight_exponent=exponent,
        weight_bits=bits,
        sign_mode=one.field.sign_mode,
        delay=delay,
    )


def _check_synaptic_input(
    population: FloatPopulation, projections: list[Projection], profile: HardwareProfile, refinement_steps: int
) -> None:
    formats = profile.number_formats
    worst = worst_synaptic_input(population.shape[0], projections, formats) << refinement_steps
    if worst > formats.state_max:
        raise QuantizationError(
            f"{population.name}: the synaptic input of one step may reach {worst:,}, beyond the {formats.state_max:,} "
            f"of the state of {profile.name}, with the smallest threshold too. Use a channel-wise method."
        )
