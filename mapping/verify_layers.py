"""Prove a matching of layers to cores legal, as `mapping.verify` does for placements of tiles."""

from __future__ import annotations

from collections.abc import Iterable

from hw_profiles.layer_core_profile import LayerCoreProfile
from mapping.layer_cores import ConvolutionLayer
from mapping.layer_rules import LAYER_LIMIT_RULES, PLACED_LAYER_RULES, LayerEvidence, LayerRule
from mapping.violation import Violation

LAYER_RULES: dict[str, LayerRule] = {rule.code: rule for rule in (*PLACED_LAYER_RULES, *LAYER_LIMIT_RULES)}
"""All rules by code, in the order in which they are checked."""


def verify_layers(
    layers: Iterable[ConvolutionLayer], cores: dict[str, int], profile: LayerCoreProfile
) -> list[Violation]:
    """Check layers and the cores they lie on against every rule.

    Parameters
    ----------
    layers : iterable of ConvolutionLayer
        Sources before targets.
    cores : dict of str to int
        Core by name of the layer.
    profile : LayerCoreProfile

    Returns
    -------
    list of Violation
        Every violation found, in order of the rules; empty if all is legal.
    """
    return _check(LAYER_RULES.values(), LayerEvidence(tuple(layers), cores, profile))


def verify_layer_limits(layers: Iterable[ConvolutionLayer], profile: LayerCoreProfile) -> list[Violation]:
    """Check what a layer must keep whichever core computes it, before there are any."""
    return _check(LAYER_LIMIT_RULES, LayerEvidence(tuple(layers), {}, profile))


def _check(rules: Iterable[LayerRule], evidence: LayerEvidence) -> list[Violation]:
    return [violation for rule in rules for violation in rule.check(evidence)]
