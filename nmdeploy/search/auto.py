"""The search for the recipe whose integer network keeps the float network's decisions best."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.step_weights import window_weight
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import Converted
from nmdeploy.errors import QuantizationError
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.search.build import Built, build, compensate
from nmdeploy.search.judge import Judgement, judge
from nmdeploy.search.recipe import Compensation, Recipe
from nmdeploy.search.screen import screened
from nmdeploy.spiking.evaluate import evaluate

# How many of the methods are worth compensating: the compensation runs every layer twice.
FINALISTS = 2
# How many are simulated where simulating all of them would take more synaptic operations than this (about a minute).
SCREENED = 3
SIMULATED_OPERATIONS = 2e12


@dataclass(frozen=True)
class Found:
    """The best network, how it does, and what was left out.

    Attributes
    ----------
    built : Built
    judgement : Judgement
    notes : tuple of str
        What was left out and why, and what else the user should know.
    """

    built: Built
    judgement: Judgement
    notes: tuple[str, ...]


def search(
    converted: Converted,
    wanted: Recipe,
    methods: tuple[str, ...],
    compensations: tuple[Compensation, ...],
    calibration: Calibration,
    profile: HardwareProfile,
    options: QuantizationOptions,
) -> Found:
    """Try methods, then compensate the errors of the best ones; what agrees best on held-out samples is taken.

    A compensation is kept only if it is better on samples that it has not seen. Where networks, samples and window are
    so large that simulating every method takes too long, those that lose most by rounding and clipping alone are left
    out.

    Parameters
    ----------
    converted : Converted
    wanted : Recipe
        All but the method and the compensation.
    methods : tuple of str
        Names of `nmdeploy.convert.methods.METHODS`.
    compensations : tuple of {"none", "bias", "gain"}
        Those allowed.
    calibration : Calibration
    profile : HardwareProfile
    options : QuantizationOptions

    Raises
    ------
    QuantizationError
        The target cannot hold the network with any of the methods.
    """
    reference = evaluate(converted.network, calibration.held_out)
    tried: list[tuple[Built, Judgement]] = []
    refusals: dict[str, QuantizationError] = {}
    ordered, enough = _worth_simulating(converted, methods, calibration, options, reference)
    for method in ordered:
        if len(tried) == enough:
            break
        try:
            built = build(converted, replace(wanted, method=method), calibration, profile, options)
        except QuantizationError as refusal:
            refusals[method] = refusal
            continue
        tried.append((built, judge(built.network, calibration.held_out, reference)))
    if not tried:
        raise list(refusals.values())[-1]
    # sort() is stable: of equals the first in the order of METHODS stays first
    tried.sort(key=lambda pair: pair[1].rank)
    results = list(tried) if "none" in compensations else []
    for built, _ in tried[:FINALISTS]:
        compensated = [compensate(built, one, calibration) for one in compensations if one != "none"]
        results += [(better, judge(better.network, calibration.held_out, reference)) for better in compensated]
    best = min(results, key=lambda pair: pair[1].rank)
    return Found(*best, tuple(f"method {name} left out: {why}" for name, why in refusals.items()))


def _worth_simulating(
    converted: Converted,
    methods: tuple[str, ...],
    calibration: Calibration,
    options: QuantizationOptions,
    reference: NDArray[np.float32],
) -> tuple[list[str], int]:
    """The methods in the order to try them, and after how many to stop: those that round and clip least, or all."""
    synapses = sum(projection.connectivity.synapse_count for projection in converted.network.projections)
    operations = len(methods) * len(calibration.held_out) * options.timesteps * synapses
    if operations <= SIMULATED_OPERATIONS or len(methods) <= SCREENED:
        return list(methods), len(methods)
    levels = window_weight(options.timesteps, options.refinement_steps)
    return screened(converted, methods, levels, calibration.held_out, reference), SCREENED
