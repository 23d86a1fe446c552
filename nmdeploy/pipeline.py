"""The passes of the compiler, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hw_profiles import HardwareProfile
from mapping.bounds import core_bounds
from mapping.core_graph import CoreGraph
from mapping.core_traffic import core_traffic
from mapping.network import ChipNetwork
from mapping.partition import partition
from mapping.place import place
from mapping.placement import Placement
from mapping.placement_options import PlacementOptions
from mapping.placement_quality import placement_quality
from mapping.step_weights import window_weight
from mapping.verify import verify
from mapping.violation import DoesNotFitError
from nmdeploy.best_network import best_network
from nmdeploy.compiled import Compiled
from nmdeploy.compiler_options import CompilerOptions, wanted
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import Converted, apply_method, convert
from nmdeploy.convert.lower_layers import NeuronKind
from nmdeploy.convert.split_fan_in import FanInLimit, too_wide
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.float_network import float_operations
from nmdeploy.energy.tile_spikes import tile_spikes
from nmdeploy.errors import NmdeployError
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.layers.verify import verify as verify_layers
from nmdeploy.passes import PassRunner
from nmdeploy.quantize.neuron_choice import neuron_kinds
from nmdeploy.search.recipe import check_method

PASSES = ("convert", "quantize", "partition", "place", "verify", "count")


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
    recipe = wanted(options, profile)
    kinds = neuron_kinds(recipe.neurons, profile)
    limit = FanInLimit.of(profile, options.quantization.reset)
    converted = passes.run("convert", lambda: _convert(layers, calibration, kinds, limit, options))
    chosen = passes.run("quantize", lambda: best_network(converted, recipe, calibration, profile, options))
    network, method = chosen.built.network, chosen.built.recipe.method
    _, audit = apply_method(converted, method, window_weight(network.timesteps, network.refinement_steps))
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
        recipe=chosen.built.recipe,
        audit=audit,
        float_network=chosen.built.scaled,
        network=network,
        placement=placement,
        program=None,
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
