"""The passes of the compiler for chips of crossbars, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_bounds import crossbar_core_bounds
from mapping.crossbar_mapping import MappedCrossbars, map_crossbars
from mapping.network import ChipNetwork, build_graph
from mapping.placement_options import PlacementOptions
from mapping.placement_quality import placement_quality
from mapping.verify_crossbars import verify_crossbars
from nmdeploy.best_network import best_network
from nmdeploy.compiled import Compiled
from nmdeploy.compiler_options import CompilerOptions, wanted
from nmdeploy.convert.audit import ConversionAudit
from nmdeploy.convert.calibration import Calibration
from nmdeploy.convert.convert import apply_method
from nmdeploy.crossbar.axon_plan import Precision
from nmdeploy.crossbar.bias_axons import with_bias_axons
from nmdeploy.crossbar.convert_crossbars import ConvertedForCrossbars, convert_for_crossbars
from nmdeploy.crossbar.deviation import sums_of_inputs
from nmdeploy.crossbar.initial_potentials import with_loadable_potentials
from nmdeploy.energy.count_operations import count_operations
from nmdeploy.energy.float_network import float_operations
from nmdeploy.energy.tile_spikes import tile_spikes
from nmdeploy.errors import NmdeployError, QuantizationError
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.layers.verify import verify as verify_layers
from nmdeploy.passes import PassRunner
from nmdeploy.search.auto import Found
from nmdeploy.search.judge import judge
from nmdeploy.search.recipe import check_method
from nmdeploy.spiking.evaluate import evaluate

CROSSBAR_PASSES = ("convert", "quantize", "lower", "verify", "count")


def compile_for_crossbars(
    layers: LayerGraph,
    calibration: Calibration,
    profile: CrossbarProfile,
    options: CompilerOptions,
    precision: Precision,
    passes: PassRunner,
) -> Compiled:
    """Run all passes from the layer graph to the verified program.

    Parameters
    ----------
    layers : LayerGraph
        From the frontend.
    calibration : Calibration
    profile : CrossbarProfile
    options : CompilerOptions
    precision : Precision
        Of weights; `options` does not say it.
    passes : PassRunner

    Raises
    ------
    UnsupportedNetworkError, QuantizationError, NmdeployError
        See the passes.
    mapping.violation.DoesNotFitError
        No placement exists within the limits; lists all reasons.
    """
    check_method(options.method)
    problems = verify_layers(layers)
    if problems:
        raise NmdeployError("the layer graph is not sound: " + "; ".join(problems))
    recipe = wanted(options, profile)
    if recipe.neurons.name != "if":
        raise QuantizationError(f"{profile.name} has no '{recipe.neurons.name}' neurons; it has if")
    converted = passes.run(
        "convert",
        lambda: convert_for_crossbars(layers, calibration, options.percentile, profile.crossbar, precision),
    )
    chosen = passes.run("quantize", lambda: best_network(converted, recipe, calibration, profile, options))
    mapped = passes.run(
        "lower", lambda: lower(chosen.built.network, profile, options.placement, chosen.judgement.spike_counts)
    )
    network, placement, program = mapped.network, mapped.placement, mapped.program
    violations = passes.run("verify", lambda: verify_crossbars(network, placement, program, profile))
    reference = evaluate(converted.network, calibration.held_out)
    # relays and loaded potentials have changed the network since it was chosen: what is told of it is measured anew
    judgement = judge(network, calibration.held_out, reference)
    counts = passes.run(
        "count",
        lambda: count_operations(
            network,
            placement,
            profile,
            calibration.held_out,
            judgement.spike_counts,
            float_layers=float_operations(layers),
            program=program,
        ),
    )
    return Compiled(
        recipe=chosen.built.recipe,
        audit=_audit(converted, chosen, network, judgement.spike_counts),
        float_network=chosen.built.scaled,
        network=network,
        placement=placement,
        program=program,
        core_bounds=crossbar_core_bounds(network, profile),
        quality=placement_quality(
            network, placement, profile, tile_spikes(network, placement, judgement.spike_counts)
        ),
        violations=tuple(violations),
        counts=counts,
        seconds=passes.seconds,
    )


def lower(
    network: ChipNetwork,
    profile: CrossbarProfile,
    options: PlacementOptions,
    spike_counts: Mapping[str, NDArray[np.int64]],
) -> MappedCrossbars:
    """Rewrite a quantised network as the chip needs it, and map it: biases by axons, relays, tiles, cores, potentials.

    Parameters
    ----------
    network : ChipNetwork
        From `nmdeploy.crossbar.quantize_crossbars`.
    profile : CrossbarProfile
    options : PlacementOptions
    spike_counts : mapping of population name to int64 array, (samples, neurons)
        By which cores are placed.

    Raises
    ------
    DoesNotFitError
        Lists all reasons.
    """
    spikes = {name: float(counts.mean(axis=0).sum()) for name, counts in spike_counts.items()}
    biased = with_bias_axons(network, profile)
    spikes |= {one.name: float(network.timesteps) for one in biased.populations if one.name not in spikes}
    mapped = map_crossbars(biased, profile, None if options.effort == "none" else options, spikes)
    return replace(mapped, network=with_loadable_potentials(mapped.network))


def _audit(
    converted: ConvertedForCrossbars,
    chosen: Found,
    network: ChipNetwork,
    spike_counts: Mapping[str, NDArray[np.int64]],
) -> ConversionAudit:
    """What was converted how, with the bound and the measured deviation of everything that is summed in parts."""
    _, audit = apply_method(converted, chosen.built.recipe.method, network.timesteps)
    quantized = chosen.built.network
    # relays change no spikes, and would only stand between partial sums and their readers
    placed = [network.population(population.name) for population in quantized.populations]
    without_relays = replace(quantized, graph=build_graph(placed, quantized.projections))
    sums = sums_of_inputs(without_relays, converted.splits, spike_counts)
    return replace(audit, notes=(*audit.notes, *chosen.notes), sums=tuple(sums))
