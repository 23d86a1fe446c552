"""What roundings of the weights lose, and what they cost: the table of docs/conversion.md.

python -m benchmarks.weight_rounding [DATA_FOLDER] [--only NAME,...] [--bits 8,6,5,4] [--compensation bias] [--limit N]

DATA_FOLDER holds mnist/ and cifar10/; without one, a seeded network on noise shows that the command works. Networks are
converted by `channel-mse` for paced neurons, on training samples, and judged on test samples. Seconds and the peak of
the memory allocated are those of normalising and quantising, without compensation.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from benchmarks.conversion import paired_loss
from benchmarks.networks import MNIST_CNN, RESNET8, RESNET20, TINY, Case, write_case
from hw_profiles import load_profile
from nmdeploy.convert.calibration import Calibration, split_calibration
from nmdeploy.convert.convert import Converted, convert
from nmdeploy.frontend.trace import trace
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import neuron_kinds
from nmdeploy.quantize.weight_rounding import WeightRounding
from nmdeploy.search.build import Built, build, compensate
from nmdeploy.search.judge import judge
from nmdeploy.search.recipe import Compensation, Recipe, recommended_neurons
from nmdeploy.spiking.evaluate import evaluate

TARGET = load_profile("loihi2")
RECIPE = Recipe("channel-mse", recommended_neurons("paced"))
CALIBRATION_SAMPLES = 512
PERCENTILE = 99.9


@dataclass(frozen=True)
class Row:
    """One quantised network; accuracies of 0 to 1, the loss in percentage points, the error relative (l2)."""

    network: str
    weight_bits: int
    rounding: str
    samples: int
    float_accuracy: float
    accuracy: float
    loss: float
    interval: float
    agreement: float
    error: float
    seconds: float
    mebibytes: float


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--only", default="", help="parts of names of networks, separated by commas")
    parser.add_argument("--bits", default="8,6,5,4", help="widths of the weights, separated by commas")
    parser.add_argument("--timesteps", type=int, default=16)
    parser.add_argument("--compensation", choices=get_args(Compensation), default="bias")
    parser.add_argument("--limit", type=int, default=2000, help="test samples")
    parser.add_argument("--json", type=Path, help="write all rows here")
    options = parser.parse_args()
    cases = (TINY,) if options.data is None else (RESNET20, RESNET8, MNIST_CNN)
    print("| network | bits | rounding | integer % | loss (95 %) | agree % | error of outputs | seconds | MiB |")
    print("|---|---|---|---|---|---|---|---|---|")
    rows = []
    for case in cases:
        if any(part in case.name.lower() for part in options.only.lower().split(",")):
            for row in measure(case, options):
                rows.append(row)
                print(_line(row), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def measure(case: Case, options: argparse.Namespace) -> Iterator[Row]:
    """Convert a network once, and quantise it with every width and rounding."""
    with tempfile.TemporaryDirectory() as folder:
        module, samples, training = write_case(case, options.data, Path(folder), options.limit, CALIBRATION_SAMPLES)
        with np.load(Path(folder) / "samples.npz") as written:
            labels = written["labels"]
    calibration = split_calibration(training, "benchmark")
    kinds = neuron_kinds(RECIPE.neurons, TARGET)
    converted = convert(trace(module, torch.from_numpy(samples[:1])), calibration, PERCENTILE, kinds)
    reference = evaluate(converted.network, samples)
    right = reference.argmax(axis=1) == labels
    for bits in map(int, options.bits.split(",")):
        for rounding in get_args(WeightRounding):
            quantization = QuantizationOptions(options.timesteps, bits, weight_rounding=rounding)
            built, seconds, mebibytes = _build(converted, calibration, quantization)
            network = compensate(built, options.compensation, calibration, TARGET).network
            judgement = judge(network, samples, reference)
            kept = judgement.predictions == labels
            loss, interval = paired_loss(right, kept)
            yield Row(
                network=case.name,
                weight_bits=bits,
                rounding=rounding,
                samples=len(labels),
                float_accuracy=float(right.mean()),
                accuracy=float(kept.mean()),
                loss=loss,
                interval=interval,
                agreement=judgement.same / len(labels),
                error=judgement.error,
                seconds=seconds,
                mebibytes=mebibytes,
            )


def _build(
    converted: Converted, calibration: Calibration, options: QuantizationOptions
) -> tuple[Built, float, float]:
    """The network, the seconds that it took, and the peak of its memory in MiB, measured in a second run."""
    begin = time.perf_counter()
    built = build(converted, RECIPE, calibration, TARGET, options)
    seconds = time.perf_counter() - begin
    tracemalloc.start()
    build(converted, RECIPE, calibration, TARGET, options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return built, seconds, peak / 2**20


def _line(row: Row) -> str:
    cells = (
        row.network, row.weight_bits, row.rounding, f"{row.accuracy:.2%}", f"{row.loss:.2f} +- {row.interval:.2f}",
        f"{row.agreement:.2%}", f"{row.error:.3f}", f"{row.seconds:.1f}", f"{row.mebibytes:.0f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
