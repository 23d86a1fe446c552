"""A torch module compiled for crossbars by our own passes, with samples for it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from benchmarks.crossbar_comparison import CrossbarCase
from benchmarks.networks import METHOD, PERCENTILE, Case, write_case
from hw_profiles import load_target
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_mapping import map_crossbars
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import apply_method
from nmdeploy.crossbar.axon_plan import Precision
from nmdeploy.crossbar.bias_axons import with_bias_axons
from nmdeploy.crossbar.convert_crossbars import convert_for_crossbars
from nmdeploy.crossbar.initial_potentials import with_loadable_potentials
from nmdeploy.crossbar.partial_sums import with_tied_scales
from nmdeploy.crossbar.quantize_crossbars import quantize_crossbars
from nmdeploy.frontend.trace import trace
from nmdeploy.quantize import QuantizationOptions

CALIBRATION_SAMPLES = 128


def map_to_crossbars(case: Case, data: Path | None, samples: int, options: QuantizationOptions) -> CrossbarCase:
    """Compile a case for TrueNorth and map it.

    Parameters
    ----------
    case : Case
    data : Path or None
        Folder of weights and images; not needed by a case without any.
    samples : int
    options : QuantizationOptions
    """
    profile = load_target("truenorth")
    assert isinstance(profile, CrossbarProfile)
    with tempfile.TemporaryDirectory() as folder:
        module, inputs, calibration = write_case(case, data, Path(folder), samples, CALIBRATION_SAMPLES)
    split = split_calibration(calibration, "benchmark")
    layers = trace(module, torch.from_numpy(calibration[:1]))
    converted = convert_for_crossbars(layers, split, PERCENTILE, profile.crossbar, Precision())
    scaled, _ = apply_method(converted, METHOD, options.timesteps)
    network = quantize_crossbars(
        with_tied_scales(scaled),
        converted.statistics,
        converted.axons,
        profile,
        options,
        split.input_max,
        split.samples,
    )
    mapped = map_crossbars(with_bias_axons(network, profile), profile)
    # once start steps are known: what leaks before the windows must not bring neurons to the threshold
    network = with_loadable_potentials(mapped.network)
    name = f"{case.name}, reset '{options.reset}'"
    return CrossbarCase(name, network, mapped.program, len(mapped.placement.cores), profile, inputs)
