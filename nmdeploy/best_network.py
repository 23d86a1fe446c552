"""The integer network that agrees best with the float network, within what the user leaves open."""

from __future__ import annotations

from dataclasses import replace

from hw_profiles import MeshProfile
from nmdeploy.compiler_options import CompilerOptions, freedom
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import Converted
from nmdeploy.errors import NmdeployError
from nmdeploy.search.auto import Found, search
from nmdeploy.search.recipe import Recipe
from nmdeploy.search.smallest_window import loss, smallest_window
from nmdeploy.search.trials import Trials
from nmdeploy.spiking.evaluate import evaluate


def best_network(
    converted: Converted,
    recipe: Recipe,
    calibration: Calibration,
    profile: MeshProfile,
    options: CompilerOptions,
) -> Found:
    """Quantise as asked, or as agrees best, for the window asked for or the shortest that will do.

    Parameters
    ----------
    converted : Converted
    recipe : Recipe
        What the user asks for, from `nmdeploy.compiler_options.wanted`.
    calibration : Calibration
    profile : MeshProfile
    options : CompilerOptions

    Raises
    ------
    QuantizationError, NmdeployError
        The target cannot hold the network so; decisions are to be kept of outputs that decide nothing.
    """
    open_choices = freedom(recipe, options)
    if options.max_loss_points is None:
        return search(Trials(converted, calibration, profile, options.quantization), recipe, open_choices)
    if any(population.shape[1:] != (1, 1) for population in converted.network.outputs):
        raise NmdeployError("--max-loss counts decisions; the outputs of this network are maps, which decide nothing")

    def for_window(steps: int) -> Found:
        trials = Trials(converted, calibration, profile, replace(options.quantization, timesteps=steps))
        return search(trials, recipe, open_choices)

    reference = evaluate(converted.network, calibration.held_out)
    found, lost = smallest_window(
        options.quantization.timesteps,
        options.max_loss_points,
        for_window,
        lambda candidate: loss(candidate, reference, calibration.held_out_labels),
    )
    note = f"a window of {found.built.network.timesteps} steps loses {lost}"
    return replace(found, notes=(*found.notes, note))
