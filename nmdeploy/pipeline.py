"""The passes of the compiler, in order."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.bounds import cores_lower_bound
from mapping.network import ChipNetwork
from mapping.partition import partition
from mapping.place import place
from mapping.placement import Placement
from mapping.verify import verify
from mapping.violation import Violation
from nmdeploy.convert.audit import ConversionAudit
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import Converted, agreement, apply_method, convert
from nmdeploy.convert.methods import METHODS
from nmdeploy.decode import decode
from nmdeploy.energy.counts import OperationCounts, count_operations
from nmdeploy.energy.float_network import float_multiply_accumulates
from nmdeploy.errors import NmdeployError, QuantizationError
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.layers.verify import verify as verify_layers
from nmdeploy.quantize import QuantizationOptions, quantize
from nmdeploy.quantize.neuron_choice import neuron_kinds
from nmdeploy.simulator import simulate
from nmdeploy.spiking.evaluate import evaluate
from nmdeploy.spiking.network import SpikingNetwork

AUTO = "auto"
PASSES = ("convert", "quantize", "partition", "place", "verify", "count")
T = TypeVar("T")


@dataclass(frozen=True)
class CompilerOptions:
    """What the user chooses.

    Attributes
    ----------
    method : str
        A name of `nmdeploy.convert.methods.METHODS`, or "auto": the one whose integer network agrees best with the
        float network on held-out calibration samples.
    percentile : float
        For the percentile methods, 0 to 100.
    quantization : QuantizationOptions
    """

    quantization: QuantizationOptions
    method: str = AUTO
    percentile: float = 99.9


@dataclass(frozen=True)
class Compiled:
    """Everything that the passes made.

    Attributes
    ----------
    method : str
        The one used.
    audit : ConversionAudit
    float_network : SpikingNetwork
    network : ChipNetwork
    placement : Placement
    cores_bound : int
        No placement has fewer cores.
    violations : tuple of Violation
        What the independent verifier found; empty for a legal placement.
    counts : OperationCounts
        On the held-out calibration samples.
    seconds : dict of pass name to float
    """

    method: str
    audit: ConversionAudit
    float_network: SpikingNetwork
    network: ChipNetwork
    placement: Placement
    cores_bound: int
    violations: tuple[Violation, ...]
    counts: OperationCounts
    seconds: dict[str, float]


class StoppedAfterPassError(Exception):
    """The user asked to stop after a pass; holds the seconds of the passes that ran."""

    def __init__(self, name: str, seconds: dict[str, float]) -> None:
        super().__init__(name)
        self.seconds = seconds


class PassRunner:
    """Runs, announces and times passes, and stops after one if asked to.

    Parameters
    ----------
    announce : callable
        Called with the name of each pass before it runs.
    stop_after : str, optional
        One of `PASSES`.
    """

    def __init__(self, announce: Callable[[str], None], stop_after: str | None = None) -> None:
        self._announce = announce
        self._stop_after = stop_after
        self.seconds: dict[str, float] = {}

    def run(self, name: str, work: Callable[[], T]) -> T:
        """Run one pass.

        Raises
        ------
        StoppedAfterPassError
            It was the last one asked for.
        """
        self._announce(name)
        begin = time.perf_counter()
        result = work()
        self.seconds[name] = time.perf_counter() - begin
        if name == self._stop_after:
            raise StoppedAfterPassError(name, self.seconds)
        return result


def compile_layers(
    layers: LayerGraph,
    calibration: Calibration,
    profile: HardwareProfile,
    options: CompilerOptions,
    passes: PassRunner,
) -> Compiled:
    """Run all passes from the layer graph to the verified placement.

    Parameters
    ----------
    layers : LayerGraph
        From the frontend.
    calibration : Calibration
    profile : HardwareProfile
    options : CompilerOptions
    passes : PassRunner

    Raises
    ------
    UnsupportedNetworkError, QuantizationError, NmdeployError
        See the passes.
    mapping.violation.DoesNotFitError
        No placement exists within the limits; lists all reasons.
    """
    if options.method not in (AUTO, *METHODS):
        raise NmdeployError(f"unknown method '{options.method}'. Known: {AUTO}, {', '.join(METHODS)}")
    problems = verify_layers(layers)
    if problems:
        raise NmdeployError("the layer graph is not sound: " + "; ".join(problems))
    kinds = neuron_kinds(options.quantization.neurons, profile)
    converted = passes.run("convert", lambda: convert(layers, calibration, options.percentile, kinds))
    chosen = passes.run("quantize", lambda: _quantize(converted, calibration, profile, options))
    network = chosen.network
    float_network, audit = apply_method(converted, chosen.method, network.timesteps)
    audit = replace(audit, notes=(*audit.notes, *chosen.refused))
    core_graph = passes.run("partition", lambda: partition(network, profile))
    placement = passes.run("place", lambda: place(core_graph, profile))
    violations = passes.run("verify", lambda: verify(network, placement, profile))
    macs = float_multiply_accumulates(layers)
    counts = passes.run(
        "count",
        lambda: count_operations(
            network, placement, calibration.held_out, chosen.spike_counts, network.timesteps, macs
        ),
    )
    return Compiled(
        method=chosen.method,
        audit=audit,
        float_network=float_network,
        network=network,
        placement=placement,
        cores_bound=cores_lower_bound(network, profile),
        violations=tuple(violations),
        counts=counts,
        seconds=passes.seconds,
    )


@dataclass(frozen=True)
class _Chosen:
    """A method, its integer network, the spikes of it on the held-out samples, and why others were left out."""

    method: str
    network: ChipNetwork
    spike_counts: dict[str, NDArray[np.int64]]
    refused: tuple[str, ...] = ()


def _quantize(
    converted: Converted, calibration: Calibration, profile: HardwareProfile, options: CompilerOptions
) -> _Chosen:
    """Quantise with the method asked for, or with the one that agrees best."""
    methods = list(METHODS) if options.method == AUTO else [options.method]
    reference = evaluate(converted.network, calibration.held_out)
    candidates: list[tuple[tuple[int, float], _Chosen]] = []
    refusals: dict[str, QuantizationError] = {}
    for method in methods:
        scaled, _ = apply_method(converted, method, options.quantization.timesteps)
        try:
            network = quantize(scaled, converted.statistics, profile, options.quantization, calibration.input_max)
        except QuantizationError as refusal:
            refusals[method] = refusal
            continue
        result = simulate(network, calibration.held_out)
        decoded = decode(network, result.potentials[:, -1], network.timesteps)
        same, error = agreement(decoded, reference)
        candidates.append(((-same, error), _Chosen(method, network, result.spike_counts)))
    if not candidates:
        raise refusals[methods[-1]]
    # min() keeps the first of equals: the order of METHODS
    best = min(candidates, key=lambda candidate: candidate[0])[1]
    return replace(best, refused=tuple(f"method {name} left out: {why}" for name, why in refusals.items()))
