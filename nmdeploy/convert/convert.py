"""From the simplified layer graph to a spiking network with its scales set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmdeploy.convert.audit import ConversionAudit
from nmdeploy.convert.batch_norm_statistics import batch_norm_statistics
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.count_decoding import with_counted_outputs
from nmdeploy.convert.lower_layers import NeuronKind, lower_layers
from nmdeploy.convert.methods import METHODS, normalise
from nmdeploy.convert.split_fan_in import FanInLimit, with_split_fan_in
from nmdeploy.convert.statistics import ActivationStatistics, collect_statistics
from nmdeploy.errors import NmdeployError
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.simplify import simplify
from nmdeploy.spiking.network import SpikingNetwork

Decoding = Literal["membrane", "count"]
Rewrite = Callable[[SpikingNetwork], tuple[SpikingNetwork, list[str]]]
"""What a chip asks of a converted network: the same function in another form, and notes for the audit."""
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Converted:
    """A converted network before its method is chosen.

    Attributes
    ----------
    network : SpikingNetwork
        Scales not yet set.
    audit : ConversionAudit
    statistics : dict of population name to ActivationStatistics
    """

    network: SpikingNetwork
    audit: ConversionAudit
    statistics: dict[str, ActivationStatistics]


def convert(
    layers: LayerGraph,
    calibration: Calibration,
    percentile: float,
    kinds: frozenset[NeuronKind] = frozenset(),
    decoding: Decoding = "membrane",
    fan_in_limit: FanInLimit | None = None,
    rewrite: Rewrite | None = None,
) -> Converted:
    """Lower the layers and collect activation statistics.

    Parameters
    ----------
    layers : LayerGraph
        As traced.
    calibration : Calibration
    percentile : float
        0 to 100.
    kinds : frozenset of {"leaky", "maximum"}
        What there are neurons for; see `nmdeploy.convert.lower_layers.lower_layers`.
    decoding : {"membrane", "count"}
        What outputs are read from; see `nmdeploy.convert.count_decoding`.
    fan_in_limit : FanInLimit or None
        What has more inputs is summed in parts; see `nmdeploy.convert.split_fan_in`.
    rewrite : callable, optional
        Done last.

    Raises
    ------
    UnsupportedNetworkError
        Lists what has no exact form.
    NmdeployError
        An activation is left unconverted (a fault of the compiler, never passed on).
    """
    network, audit = lower_layers(simplify(layers), kinds)
    if audit.activations_converted != audit.activations_total:
        raise NmdeployError(
            f"{audit.activations_total - audit.activations_converted} of {audit.activations_total} activations were "
            "left unconverted; please report this network"
        )
    if decoding == "count":
        network = with_counted_outputs(network, kinds)
    split_notes: list[str] = []
    if fan_in_limit is not None:
        network, split_notes = with_split_fan_in(network, fan_in_limit, kinds)
    if rewrite is not None:
        network, rewrite_notes = rewrite(network)
        split_notes += rewrite_notes
    problems = network.problems()
    if problems:
        raise NmdeployError("the converted network is not sound; please report it: " + "; ".join(problems))
    statistics = collect_statistics(network, calibration.samples, percentile)
    notes = [*audit.notes, *split_notes, *calibration.notes([population.shape for population in network.outputs])]
    if calibration.is_noise:
        known = batch_norm_statistics(layers, audit, network, percentile)
        statistics.update(known)
        notes.append(
            f"NO CALIBRATION DATA: scales of {len(known)} populations come from BatchNorm statistics, those of "
            f"{len(network.populations) - len(known)} from noise. Expect a loss of accuracy; pass --calibration."
        )
    return Converted(network, replace(audit, notes=tuple(notes)), statistics)


def apply_method(
    converted: Converted, method_name: str, timesteps: int, headroom: float = 1.0
) -> tuple[SpikingNetwork, ConversionAudit]:
    """Set the scales by a method of `METHODS`, for a window of `timesteps` steps, times `headroom`."""
    network, notes = normalise(converted.network, converted.statistics, METHODS[method_name], timesteps, headroom)
    return network, replace(converted.audit, notes=(*converted.audit.notes, *notes))


def agreement(decoded: NDArray[np.float64], reference: NDArray[np.float32]) -> tuple[int, float]:
    """How well decoded outputs follow those of the float network.

    Returns
    -------
    same : int
        Samples of the same largest output.
    error : float
        ``|decoded - reference| / |reference|`` (l2 over everything).
    """
    same = int((decoded.argmax(axis=1) == reference.argmax(axis=1)).sum())
    scale = float(np.linalg.norm(reference))
    return same, float(np.linalg.norm(decoded - reference)) / max(scale, TINY)
