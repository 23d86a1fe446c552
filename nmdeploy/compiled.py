"""What the compiler makes."""

from __future__ import annotations

from dataclasses import dataclass

from mapping.bounds import CoreBounds
from mapping.crossbar_program import CrossbarProgram
from mapping.network import ChipNetwork
from mapping.placement import Placement
from mapping.placement_quality import PlacementQuality
from mapping.violation import Violation
from nmdeploy.convert.audit import ConversionAudit
from nmdeploy.energy.counts import OperationCounts
from nmdeploy.search.recipe import Recipe
from nmdeploy.spiking.network import SpikingNetwork


@dataclass(frozen=True)
class Compiled:
    """Everything that the passes made.

    Attributes
    ----------
    recipe : Recipe
        The one used.
    audit : ConversionAudit
    float_network : SpikingNetwork
    network : ChipNetwork
    placement : Placement
    program : CrossbarProgram or None
        Of a chip of crossbars.
    core_bounds : CoreBounds
        No placement has fewer cores.
    quality : PlacementQuality
        With the mean spikes of an inference on the held-out calibration samples.
    violations : tuple of Violation
        What the independent verifier found; empty for a legal placement.
    counts : OperationCounts
        On the held-out calibration samples.
    seconds : dict of pass name to float
    """

    recipe: Recipe
    audit: ConversionAudit
    float_network: SpikingNetwork
    network: ChipNetwork
    placement: Placement
    program: CrossbarProgram | None
    core_bounds: CoreBounds
    quality: PlacementQuality
    violations: tuple[Violation, ...]
    counts: OperationCounts
    seconds: dict[str, float]
