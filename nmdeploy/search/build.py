"""From a converted network and a recipe to the integer network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hw_profiles import HardwareProfile, MeshProfile
from mapping.network import ChipNetwork
from mapping.step_weights import window_weight
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import Converted, apply_method
from nmdeploy.convert.shortcuts import without_shortcut_normalisation
from nmdeploy.crossbar.convert_crossbars import ConvertedForCrossbars
from nmdeploy.crossbar.partial_sums import with_tied_scales
from nmdeploy.crossbar.quantize_crossbars import quantize_crossbars
from nmdeploy.quantize import QuantizationOptions, quantize
from nmdeploy.quantize.bias_correction import correct_biases
from nmdeploy.quantize.gain_search import search_gains
from nmdeploy.search.recipe import Compensation, Recipe
from nmdeploy.spiking.network import SpikingNetwork

COMPENSATION_SAMPLES = 128


@dataclass(frozen=True)
class Built:
    """A network as a recipe makes it.

    Attributes
    ----------
    recipe : Recipe
    scaled : SpikingNetwork
        The float network with the recipe's scales.
    network : ChipNetwork
    """

    recipe: Recipe
    scaled: SpikingNetwork
    network: ChipNetwork


def build(
    converted: Converted,
    recipe: Recipe,
    calibration: Calibration,
    profile: MeshProfile,
    options: QuantizationOptions,
) -> Built:
    """Normalise and quantise; errors are compensated by `compensate`.

    Parameters
    ----------
    converted : Converted
        With the neuron kinds of the recipe; a `ConvertedForCrossbars` for a chip of crossbars.
    recipe : Recipe
    calibration : Calibration
    profile : MeshProfile
    options : QuantizationOptions
        What the recipe decides is replaced.

    Raises
    ------
    QuantizationError
        The target cannot hold the network so.
    """
    levels = window_weight(options.timesteps, recipe.refinement_steps)
    scaled, _ = apply_method(converted, recipe.method, levels, recipe.headroom)
    source = scaled if recipe.shortcut_normalisation else without_shortcut_normalisation(scaled)
    chosen = replace(
        options,
        neurons=recipe.neurons,
        initial_potential_share=recipe.initial_potential_share,
        refinement_steps=recipe.refinement_steps,
        read_out_step=recipe.read_out_step,
    )
    if isinstance(profile, HardwareProfile):
        network = quantize(
            source, converted.statistics, profile, chosen, calibration.input_max, calibration.samples
        )
        return Built(replace(recipe, compensation="none"), scaled, network)
    if not isinstance(converted, ConvertedForCrossbars):
        raise TypeError(f"a network for {profile.name} must be converted for crossbars")
    tied = with_tied_scales(source)
    network = quantize_crossbars(
        tied, converted.statistics, converted.axons, profile, chosen, calibration.input_max, calibration.samples
    )
    return Built(replace(recipe, compensation="none"), with_tied_scales(scaled), network)


def compensate(
    built: Built,
    compensation: Compensation,
    calibration: Calibration,
    profile: MeshProfile,
    progress: Callable[[int], None] | None = None,
) -> Built:
    """The network with its errors compensated layer by layer."""
    samples = calibration.samples[:COMPENSATION_SAMPLES]
    if compensation == "none":
        return built
    if compensation == "bias":
        leak_max = None if isinstance(profile, HardwareProfile) else profile.number_formats.leak_max
        network = correct_biases(built.network, built.scaled, samples, progress, leak_max)
    else:
        network = search_gains(built.network, built.scaled, samples, progress)
    return Built(replace(built.recipe, compensation=compensation), built.scaled, network)
