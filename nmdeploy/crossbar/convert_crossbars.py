"""Convert the layers of a network for a chip of crossbars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hw_profiles.crossbar_profile import Crossbar
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import Converted, convert
from nmdeploy.convert.count_decoding import with_counted_outputs
from nmdeploy.crossbar.axon_plan import Precision, ProjectionAxons, plan_network
from nmdeploy.crossbar.host_populations import host_populations, with_host_populations
from nmdeploy.crossbar.partial_sums import Split, with_partial_sums
from nmdeploy.crossbar.repeated_inputs import without_repeated_inputs
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.spiking.network import SpikingNetwork


@dataclass(frozen=True)
class ConvertedForCrossbars(Converted):
    """A converted network whose neurons have few enough inputs.

    Attributes
    ----------
    axons : mapping of projection name to ProjectionAxons
        Of all projections into populations on the chip.
    splits : tuple of Split
        What is summed in parts.
    """

    axons: Mapping[str, ProjectionAxons]
    splits: tuple[Split, ...]


def convert_for_crossbars(
    layers: LayerGraph, calibration: Calibration, percentile: float, crossbar: Crossbar, precision: Precision
) -> ConvertedForCrossbars:
    """Lower the layers, set apart what the host computes, split fan-in, and choose the axon types of all layers.

    Parameters
    ----------
    layers : LayerGraph
        As traced.
    calibration : Calibration
    percentile : float
        0 to 100.
    crossbar : Crossbar
    precision : Precision

    Raises
    ------
    UnsupportedNetworkError, NmdeployError
        See `nmdeploy.convert.convert.convert`; or nothing is left for the chip.
    mapping.violation.DoesNotFitError
        See `nmdeploy.crossbar.partial_sums.with_partial_sums`.
    """
    splits: list[Split] = []

    def rewrite(network: SpikingNetwork) -> tuple[SpikingNetwork, list[str]]:
        on_chip, notes = with_host_populations(network)
        narrow, found = with_partial_sums(without_repeated_inputs(on_chip), crossbar, precision)
        splits.extend(found)
        return with_counted_outputs(narrow, frozenset()), [*notes, *map(str, found)]

    converted = convert(layers, calibration, percentile, rewrite=rewrite)
    plan = plan_network(converted.network, host_populations(converted.network), crossbar, precision)
    return ConvertedForCrossbars(
        converted.network, converted.audit, converted.statistics, axons=plan, splits=tuple(splits)
    )
