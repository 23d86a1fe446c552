"""The passes of the compiler, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.bounds import CoreBounds, core_bounds
from mapping.core_graph import CoreGraph
from mapping.core_traffic import core_traffic
from mapping.network import ChipNetwork
from mapping.partition import partition
from mapping.place import place
from mapping.placement import Placement
from mapping.placement_options import PlacementOptions
from mapping.placement_quality import PlacementQuality, placement_quality
from mapping.step_weights import window_weight
from mapping.verify import verify
from mapping.violation import DoesNotFitError, Violation
from nmdeploy.convert.audit import ConversionAudit
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import Converted, Decoding, apply_method, convert
from nmdeploy.convert.lower_layers import NeuronKind
from nmdeploy.convert.methods import METHODS
from nmdeploy.convert.split_fan_in import FanInLimit, too_wide
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.counts import OperationCounts
from nmdeploy.energy.float_network import float_operations
from nmdeploy.energy.tile_spikes import tile_spikes
from nmdeploy.errors import NmdeployError
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.layers.verify import verify as verify_layers
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import NeuronChoice, neuron_kinds
from nmdeploy.search.auto import Found, search
from nmdeploy.search.freedom import Freedom
from nmdeploy.search.recipe import AUTO, PRESETS, Compensation, Recipe, check_method, default_neurons, preset
from nmdeploy.search.smallest_window import loss, smallest_window
from nmdeploy.search.trials import Trials
from nmdeploy.spiking.evaluate import evaluate
from nmdeploy.spiking.network import SpikingNetwork

PASSES = ("convert", "quantize", "partition", "place", "verify", "count")
T = TypeVar("T")


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
    core_bounds: CoreBounds
    quality: PlacementQuality
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
    check_method(options.method)
    if options.placement.objective == "congestion" and profile.multicast is not None:
        raise NmdeployError(
            f"--objective congestion: {profile.name} routes along multicast trees, and only the loads of routes to "
            "single cores can be minimised. Use --objective hops, which shortens the trees, too."
        )
    problems = verify_layers(layers)
    if problems:
        raise NmdeployError("the layer graph is not sound: " + "; ".join(problems))
    wanted = _wanted(options, profile)
    kinds = neuron_kinds(wanted.neurons, profile)
    limit = FanInLimit.of(profile, options.quantization.reset)
    converted = passes.run("convert", lambda: _convert(layers, calibration, kinds, limit, options))
    chosen = passes.run("quantize", lambda: _quantize(converted, wanted, calibration, profile, options))
    network, recipe = chosen.built.network, chosen.built.recipe
    _, audit = apply_method(converted, recipe.method, window_weight(network.timesteps, network.refinement_steps))
    audit = replace(audit, notes=(*audit.notes, *chosen.notes))
    core_graph = passes.run("partition", lambda: partition(network, profile))
    spike_counts = chosen.judgement.spike_counts
    placement = passes.run("place", lambda: _place(core_graph, network, profile, spike_counts, options.placement))
    violations = passes.run("verify", lambda: verify(network, placement, profile))
    counts = passes.run(
        "count",
        lambda: count_operations(
            network,
            placement,
            profile,
            calibration.held_out,
            spike_counts,
            float_layers=float_operations(layers),
        ),
    )
    return Compiled(
        recipe=recipe,
        audit=audit,
        float_network=chosen.built.scaled,
        network=network,
        placement=placement,
        core_bounds=core_bounds(network, profile),
        quality=placement_quality(network, placement, profile, tile_spikes(network, placement, spike_counts)),
        violations=tuple(violations),
        counts=counts,
        seconds=passes.seconds,
    )


def _convert(
    layers: LayerGraph,
    calibration: Calibration,
    kinds: frozenset[NeuronKind],
    limit: FanInLimit | None,
    options: CompilerOptions,
) -> Converted:
    """Convert, and refuse what no core has axons for before the long search for the best quantisation begins."""
    split = limit if options.split_fan_in else None
    converted = convert(layers, calibration, options.percentile, kinds, options.decoding, split)
    violations = [] if limit is None else too_wide(converted.network, limit)
    if violations:
        raise DoesNotFitError(violations)
    return converted


def _place(
    core_graph: CoreGraph,
    network: ChipNetwork,
    profile: HardwareProfile,
    spike_counts: Mapping[str, NDArray[np.int64]],
    options: PlacementOptions,
) -> Placement:
    """Give every core an address by the messages that the held-out calibration samples cause."""
    placement = place(core_graph, profile)
    if options.effort == "none":
        return placement
    from mapping.optimise_placement import optimise_placement  # Numba and SciPy take a second to import

    traffic = core_traffic(
        network, [core.tiles for core in placement.cores], tile_spikes(network, placement, spike_counts)
    )
    return optimise_placement(placement, traffic, profile, options)


def _wanted(options: CompilerOptions, profile: HardwareProfile) -> Recipe:
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


def _freedom(wanted: Recipe, options: CompilerOptions) -> Freedom:
    """What the user leaves open."""
    is_preset = options.method in PRESETS
    compensations: tuple[Compensation, ...]
    if options.compensation == AUTO:
        compensations = ("none",) if is_preset else ("none", "bias")
    else:
        compensations = (options.compensation,)
    return Freedom(
        methods=tuple(METHODS) if wanted.method == AUTO else (wanted.method,),
        compensations=compensations,
        refinement_steps=options.refinement_steps is None and not is_preset,
        leads=options.choose_leads and not is_preset,
        read_out=options.read_out_step is None and not is_preset,
        headroom=options.headroom is None and options.method == AUTO,
    )


def _quantize(
    converted: Converted,
    wanted: Recipe,
    calibration: Calibration,
    profile: HardwareProfile,
    options: CompilerOptions,
) -> Found:
    """Quantise as asked, or as agrees best, for the window asked for or the shortest that will do."""
    freedom = _freedom(wanted, options)
    if options.max_loss_points is None:
        return search(Trials(converted, calibration, profile, options.quantization), wanted, freedom)
    if any(population.shape[1:] != (1, 1) for population in converted.network.outputs):
        raise NmdeployError("--max-loss counts decisions; the outputs of this network are maps, which decide nothing")

    def for_window(steps: int) -> Found:
        trials = Trials(converted, calibration, profile, replace(options.quantization, timesteps=steps))
        return search(trials, wanted, freedom)

    reference = evaluate(converted.network, calibration.held_out)
    found, lost = smallest_window(
        options.quantization.timesteps,
        options.max_loss_points,
        for_window,
        lambda candidate: loss(candidate, reference, calibration.held_out_labels),
    )
    note = f"a window of {found.built.network.timesteps} steps loses {lost}"
    return replace(found, notes=(*found.notes, note))
