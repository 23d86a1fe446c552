"""What the user chooses, as a recipe and what is left open of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from hw_profiles import MeshProfile
from mapping.placement_options import PlacementOptions
from nmdeploy.convert.convert import Decoding
from nmdeploy.convert.methods import METHODS
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import NeuronChoice
from nmdeploy.search.freedom import Freedom
from nmdeploy.search.recipe import AUTO, PRESETS, Compensation, Recipe, default_neurons, preset


@dataclass(frozen=True)
class CompilerOptions:
    """What the user chooses.

    Attributes
    ----------
    quantization : QuantizationOptions
        Its neurons, initial potential, refinement steps and read-out step are replaced by those chosen here.
    method : str
        A name of `nmdeploy.convert.methods.METHODS`, one of `nmdeploy.search.recipe.PRESETS`, or "auto": the one whose
        integer network agrees best with the float network on held-out calibration samples.
    percentile : float
        For the percentile methods, 0 to 100.
    neurons : NeuronChoice or None
        None for the most accurate that the target has, or those of the preset.
    compensation : {"auto", "none", "bias", "gain"}
        "auto" keeps the correction of biases where it does better on held-out samples; a preset is not compensated.
    initial_potential_share : float or None
        Of the threshold; None for one half, or that of the preset.
    shortcut_normalisation : bool
    max_loss_points : float or None
        Take the shortest window, up to that of `quantization`, that loses at most so many percentage points of
        accuracy on held-out calibration samples.
    decoding : {"membrane", "count"}
        What outputs are read from.
    refinement_steps : int or None
        None: as many as agree best on held-out samples, where the neurons can refine; a preset has none.
    choose_leads : bool
        Whether the lead may be longer than that of the neurons, and populations that can do without it lose it.
    read_out_step : int or None
        First step of the window from which on outputs are read. None: the one that agrees best, for neurons without a
        count memory, else 0; a preset reads from 0.
    headroom : float or None
        Factor of the scales. None: the one that agrees best where the method is "auto", else 1.
    placement : PlacementOptions
    split_fan_in : bool
        Whether populations whose neurons have more inputs than a core has input axons are summed in parts, which is
        approximate; else they are refused.
    """

    quantization: QuantizationOptions
    method: str = AUTO
    percentile: float = 99.9
    neurons: NeuronChoice | None = None
    compensation: Compensation | Literal["auto"] = AUTO
    initial_potential_share: float | None = None
    shortcut_normalisation: bool = True
    max_loss_points: float | None = None
    decoding: Decoding = "membrane"
    refinement_steps: int | None = None
    choose_leads: bool = True
    read_out_step: int | None = None
    headroom: float | None = None
    placement: PlacementOptions = field(default_factory=PlacementOptions)
    split_fan_in: bool = False


def wanted(options: CompilerOptions, profile: MeshProfile) -> Recipe:
    """What the user asks for; its method may still be "auto"."""
    if options.method in PRESETS:
        recipe = preset(options.method, profile)
    else:
        recipe = Recipe(options.method, default_neurons(profile, options.quantization.reset))
    if options.initial_potential_share is not None:
        recipe = replace(recipe, initial_potential_share=options.initial_potential_share)
    return replace(
        recipe,
        neurons=options.neurons or recipe.neurons,
        shortcut_normalisation=options.shortcut_normalisation,
        refinement_steps=options.refinement_steps or 0,
        read_out_step=options.read_out_step or 0,
        headroom=options.headroom or 1.0,
    )


def freedom(recipe: Recipe, options: CompilerOptions) -> Freedom:
    """What the user leaves open."""
    is_preset = options.method in PRESETS
    compensations: tuple[Compensation, ...]
    if options.compensation == AUTO:
        compensations = ("none",) if is_preset else ("none", "bias")
    else:
        compensations = (options.compensation,)
    return Freedom(
        methods=tuple(METHODS) if recipe.method == AUTO else (recipe.method,),
        compensations=compensations,
        refinement_steps=options.refinement_steps is None and not is_preset,
        leads=options.choose_leads and not is_preset,
        read_out=options.read_out_step is None and not is_preset,
        headroom=options.headroom is None and options.method == AUTO,
    )
