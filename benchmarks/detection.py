"""Detectors after conversion, and what signed neurons, normalisation and decoding are worth to them.

python -m benchmarks.detection DATA_FOLDER [--only yolo|face] [--targets loihi2,loihi] [--windows 32,64]
    [--variants auto,paper] [--json FILE]

DATA_FOLDER holds detector/ and face/. Every row is one conversion, calibrated on 24 training images of COCO, and one
run of the integer network over all test images. Networks are converted and quantised for the target, not placed: the
wide layers of YOLOv3-tiny need more input axons than a core of Loihi 2 has, and placement changes no spike.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.detectors import Judged, face, yolo
from examples.detection.agreement import agreement
from examples.detection.average_precision import mean_average_precision
from hw_profiles import HardwareProfile, load_profile
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import Decoding, convert
from nmdeploy.convert.methods import METHODS
from nmdeploy.decode import decode
from nmdeploy.frontend.trace import trace
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import NeuronChoice, neuron_kinds
from nmdeploy.search.auto import search
from nmdeploy.search.build import Built
from nmdeploy.search.freedom import Freedom
from nmdeploy.search.recipe import AUTO, Recipe, default_neurons, preset
from nmdeploy.search.trials import Trials
from nmdeploy.simulator.simulate import Simulator
from nmdeploy.spiking.network import SpikingNetwork, build_spiking_network

PERCENTILE = 99.9
LOWEST_SCORE = 0.005
FOUND_AT = 0.5
# Potentials are kept for every step: of so many images at a time.
BATCH = 2


@dataclass(frozen=True)
class Variant:
    """One way to convert.

    Attributes
    ----------
    name : str
    recipe : Recipe
    signed : bool
        False: leaky activations fire for positive potentials only, as in the paper's comparison.
    decoding : {"membrane", "count"}
    """

    name: str
    recipe: Recipe
    signed: bool = True
    decoding: Decoding = "membrane"


@dataclass(frozen=True)
class Row:
    """One converted and measured detector."""

    network: str
    target: str
    variant: str
    timesteps: int
    chosen: str
    latency_steps: int
    steps_per_sample: int
    images: int
    errors: tuple[float, ...]
    float_map: float
    integer_map: float
    f1: float
    common: int
    extra: int
    missed: int
    spikes_per_neuron: float
    saturations: int
    convert_seconds: float
    run_seconds: float


def variants(profile: HardwareProfile) -> dict[str, tuple[Variant, ...]]:
    """By group: the paper's comparison, its decodings, the plain baseline, and the default."""
    paper = preset("spiking-yolo", profile)
    layer = replace(paper, method="layer-max")
    ours = Recipe(AUTO, default_neurons(profile, "subtract"))
    return {
        "paper": (
            Variant("layer maximum, no negative spikes", replace(layer, neurons=NeuronChoice("if")), signed=False),
            Variant("layer maximum, signed with imbalanced threshold", layer),
            Variant("channel maximum, no negative spikes", replace(paper, neurons=NeuronChoice("if")), signed=False),
            Variant("channel maximum, signed with imbalanced threshold (spiking-yolo)", paper),
        ),
        "decoding": (
            Variant("spiking-yolo, outputs counted", paper, decoding="count"),
            Variant("auto, outputs counted", ours, decoding="count"),
        ),
        "plain": (
            Variant(
                "plain baseline: channel maximum, potentials from 0",
                Recipe("channel-max", NeuronChoice("if"), "none", initial_potential_share=0.0),
            ),
        ),
        "auto": (Variant("auto", ours),),
    }


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", choices=("yolo", "face"))
    parser.add_argument("--targets", default="loihi2", help="with signed neurons for the paper's, separated by commas")
    parser.add_argument("--windows", default="32,64,128", help="time steps, separated by commas")
    parser.add_argument("--variants", default="paper,decoding,plain,auto", help="groups, separated by commas")
    parser.add_argument("--limit", type=int, help="test images")
    parser.add_argument("--json", type=Path, help="write all rows here")
    options = parser.parse_args()
    print("| network | target | variant | T | latency | error of each map | mAP@0.5 float / integer | F1 |"
          " boxes found, extra, missed | spikes/neuron | seconds | recipe |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    rows = []
    for read in [yolo] * (options.only != "face") + [face] * (options.only != "yolo"):
        judged = read(options.data)
        if options.limit:
            judged = replace(judged, samples=judged.samples[: options.limit], truth=judged.truth[: options.limit])
        for target in options.targets.split(","):
            profile = load_profile(target)
            groups = variants(profile)
            chosen = [one for group in groups if group in options.variants.split(",") for one in groups[group]]
            for row in measure(judged, profile, chosen, [int(steps) for steps in options.windows.split(",")]):
                rows.append(row)
                print(_line(row), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def measure(
    judged: Judged, profile: HardwareProfile, chosen: list[Variant], windows: list[int]
) -> Iterator[Row]:
    """Convert in every way and run."""
    layers = trace(judged.module, torch.from_numpy(judged.samples[:1]))
    detector = judged.detector
    reference = _float_outputs(judged)
    expected = detector.detections(reference, LOWEST_SCORE)
    float_map = mean_average_precision(expected, judged.truth)
    for variant in chosen:
        for timesteps in windows:
            begin = time.perf_counter()
            built = _built(layers, judged, profile, variant, timesteps)
            converted = time.perf_counter()
            outputs, spikes, saturations = _outputs(built, judged.samples)
            ran = time.perf_counter()
            found = detector.detections(outputs, LOWEST_SCORE)
            same = agreement(found, judged.truth, judged.score, FOUND_AT)
            pairs = zip(detector.split(outputs), detector.split(reference), strict=True)
            yield Row(
                network=judged.name,
                target=profile.name,
                variant=variant.name,
                timesteps=timesteps,
                chosen=str(built.recipe),
                latency_steps=built.network.latency_steps,
                steps_per_sample=timesteps + built.network.gap_steps,
                images=len(judged.samples),
                errors=tuple(float(np.linalg.norm(own - other) / np.linalg.norm(other)) for own, other in pairs),
                float_map=float_map,
                integer_map=mean_average_precision(found, judged.truth),
                f1=agreement(found, expected, judged.score, FOUND_AT).f1,
                common=same.common,
                extra=same.only_found,
                missed=same.only_wanted,
                spikes_per_neuron=spikes,
                saturations=saturations,
                convert_seconds=converted - begin,
                run_seconds=ran - converted,
            )


def _float_outputs(judged: Judged) -> NDArray[np.float64]:
    """Of the trained network, maps joined."""
    joined = []
    with torch.inference_mode():
        for sample in torch.from_numpy(judged.samples):
            maps = judged.module(sample[None])
            joined.append(torch.cat([one.flatten(1) for one in (maps if isinstance(maps, tuple) else (maps,))], 1))
    return torch.cat(joined).double().numpy()


def _built(
    layers: LayerGraph, judged: Judged, profile: HardwareProfile, variant: Variant, timesteps: int
) -> Built:
    recipe = variant.recipe
    calibration = split_calibration(judged.calibration, "COCO training images")
    kinds = neuron_kinds(recipe.neurons, profile)
    if not variant.signed:
        kinds |= {"leaky"}  # else two populations stand for each, which is as good as signed
    converted = convert(layers, calibration, PERCENTILE, kinds, variant.decoding)
    if not variant.signed:
        converted = replace(converted, network=without_negative_spikes(converted.network))
    trials = Trials(converted, calibration, profile, QuantizationOptions(timesteps))
    if recipe.method == AUTO:
        everything = Freedom(tuple(METHODS), refinement_steps=True, leads=True, read_out=True, headroom=True)
        found = search(trials, recipe, everything)
    else:
        found = search(trials, recipe, Freedom((recipe.method,), (recipe.compensation,)))
    return found.built


def without_negative_spikes(network: SpikingNetwork) -> SpikingNetwork:
    """Rectifiers in place of leaky activations; the weights stay those that were trained with these."""
    populations = [
        population if population.activation != "leaky" else replace(
            population, activation="rectifier", negative_slope=None
        )
        for population in network.populations
    ]
    return build_spiking_network(network.input_shape, populations, network.projections)


def _outputs(built: Built, samples: NDArray[np.float32]) -> tuple[NDArray[np.float64], float, int]:
    """Decoded outputs, (images, outputs), spikes per neuron and image, saturations."""
    network, simulator = built.network, Simulator(built.network)
    decoded, spikes, saturations = [], 0, 0
    for first in range(0, len(samples), BATCH):
        result = simulator.run(samples[first : first + BATCH])
        decoded.append(decode(network, result.potentials))
        spikes += sum(int(counts.sum()) for counts in result.spike_counts.values())
        saturations += result.saturations
    neurons = sum(population.neuron_count for population in network.populations)
    return np.concatenate(decoded), spikes / neurons / len(samples), saturations


def _line(row: Row) -> str:
    cells = (
        row.network, row.target, row.variant, row.timesteps, row.latency_steps,
        " / ".join(f"{error:.3f}" for error in row.errors),
        f"{row.float_map:.3f} / {row.integer_map:.3f}", f"{row.f1:.1%}", f"{row.common}, {row.extra}, {row.missed}",
        f"{row.spikes_per_neuron:.2f}", f"{row.convert_seconds:.0f} + {row.run_seconds:.0f}", row.chosen,
    )
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
