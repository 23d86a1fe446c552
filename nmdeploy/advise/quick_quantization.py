"""Quantise without a search: the first method that the target can hold the network with."""

from __future__ import annotations

from hw_profiles import MeshProfile
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import Converted
from nmdeploy.convert.methods import METHODS
from nmdeploy.errors import QuantizationError
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.search.build import Built, build
from nmdeploy.search.recipe import Recipe, default_neurons

FIRST = "channel-max"


def quickly_quantized(
    converted: Converted, calibration: Calibration, profile: MeshProfile, options: QuantizationOptions
) -> Built:
    """Quantise to the neurons that the target has by default.

    Raises
    ------
    QuantizationError
        The target cannot hold the network with any method.
    """
    neurons = default_neurons(profile, options.reset)
    refusals: list[QuantizationError] = []
    for method in (FIRST, *(name for name in METHODS if name != FIRST)):
        try:
            return build(converted, Recipe(method, neurons), calibration, profile, options)
        except QuantizationError as refusal:
            refusals.append(refusal)
    raise refusals[0]
