"""The search for the recipe whose integer network keeps the float network's decisions best."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hw_profiles import HardwareProfile
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import Converted
from nmdeploy.errors import QuantizationError
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.search.build import Built, build, compensate
from nmdeploy.search.judge import Judgement, judge
from nmdeploy.search.recipe import Compensation, Recipe
from nmdeploy.spiking.evaluate import evaluate

# How many of the methods are worth compensating: the compensation runs every layer twice.
FINALISTS = 2


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

    A compensation is kept only if it is better on samples that it has not seen.

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
    for method in methods:
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

