"""What shortcut normalisation is worth as residual networks get deeper: the shape of Table 2 of Spiking ResNet.

python -m benchmarks.depth [--depths 20,32,44,56,110] [--seeds 0,1,2] [--timesteps 256] [--auto-timesteps 32]
                           [--ways preset|auto|all] [--limit N] [--json FILE]

Trains narrow CIFAR ResNets on scikit-learn's digits with noise (seeded) and converts each with the preset
`spiking-resnet` (one scale a layer by the 99.9th percentile, plain integrate-and-fire), without and with shortcut
normalisation, and as `--method auto` does for programmable neurons, in fewer steps (the paper itself takes 350). What
one network loses varies with its training, so several seeds are trained; the last table has their means.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.conversion import paired_loss
from benchmarks.narrow_resnet import trained
from examples.digits.data import digits
from hw_profiles import HardwareProfile, load_profile
from nmdeploy.convert.calibration import Calibration, split_calibration
from nmdeploy.convert.convert import convert
from nmdeploy.convert.methods import METHODS
from nmdeploy.frontend.trace import trace
from nmdeploy.layers.graph import LayerGraph
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import neuron_kinds
from nmdeploy.search.auto import search
from nmdeploy.search.build import Built, build
from nmdeploy.search.freedom import Freedom
from nmdeploy.search.judge import judge
from nmdeploy.search.recipe import AUTO, Recipe, default_neurons, preset
from nmdeploy.search.trials import Trials

WITHOUT = "spiking-resnet, shortcuts not normalised"
WITH = "spiking-resnet"
OURS = "auto"
PIXEL_MAX = 16
NOISE = 0.3
"""Standard deviation, of the range of a pixel: without it the digits are so easy that little can be lost."""
CALIBRATION_SAMPLES = 512
PERCENTILE = 99.9
NOISE_SEED = 0


@dataclass(frozen=True)
class Way:
    """How a network is converted, for which chip and how long a window."""

    name: str
    recipe: Recipe
    profile: HardwareProfile
    timesteps: int


@dataclass(frozen=True)
class Row:
    """One converted network; accuracies of 0 to 1, the loss in percentage points."""

    depth: int
    seed: int
    recipe: str
    target: str
    chosen: str
    timesteps: int
    latency_steps: int
    samples: int
    float_accuracy: float
    accuracy: float
    loss: float
    interval: float
    agreement: float
    error: float


@dataclass(frozen=True)
class Labelled:
    """Samples (samples, 1, rows, columns) and their labels."""

    samples: NDArray[np.float32]
    labels: NDArray[np.int64]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--depths", default="20,32,44,56,110", help="6 n + 2, separated by commas")
    parser.add_argument("--seeds", default="0,1,2", help="of training, separated by commas")
    parser.add_argument("--ways", choices=("preset", "auto", "all"), default="all", help="of conversion")
    parser.add_argument("--timesteps", type=int, default=256, help="window of the preset")
    parser.add_argument("--auto-timesteps", type=int, default=32, help="window of 'auto'")
    parser.add_argument("--epochs", type=int, default=12, help="of training")
    parser.add_argument("--limit", type=int, default=450, help="test samples")
    parser.add_argument("--target", default="loihi2", help="profile for 'auto', a name or a .toml file")
    parser.add_argument("--json", type=Path, help="write all rows here")
    options = parser.parse_args()
    print("| depth | seed | recipe | target | T | latency | float % | integer % | loss (95 %) | agree % | error |"
          " chosen |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    fixed, programmable = load_profile("loihi"), load_profile(options.target)
    published = preset("spiking-resnet", fixed)
    papers = (
        Way(WITHOUT, replace(published, shortcut_normalisation=False), fixed, options.timesteps),
        Way(WITH, published, fixed, options.timesteps),
    )
    ours = (Way(OURS, Recipe(AUTO, default_neurons(programmable, "subtract")), programmable, options.auto_timesteps),)
    ways = {"preset": papers, "auto": ours, "all": (*papers, *ours)}[options.ways]
    rows = []
    for depth in map(int, options.depths.split(",")):
        for seed in map(int, options.seeds.split(",")):
            for row in measure(depth, seed, options.epochs, options.limit, ways):
                rows.append(row)
                print(_line(row), flush=True)
    print(*_means(rows), sep="\n")
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def measure(depth: int, seed: int, epochs: int, limit: int, ways: tuple[Way, ...]) -> Iterator[Row]:
    """Train one network and convert it in every way."""
    training, test = _data(limit)
    module = trained(depth, training.samples, training.labels, epochs, seed)
    layers = trace(module, torch.from_numpy(test.samples[:1]))
    with torch.inference_mode():
        reference = module(torch.from_numpy(test.samples)).numpy()
    calibration = split_calibration(training.samples[:CALIBRATION_SAMPLES], "noisy digits")
    right = reference.argmax(axis=1) == test.labels
    for way in ways:
        built = _build(layers, way, calibration)
        judgement = judge(built.network, test.samples, reference)
        kept = judgement.predictions == test.labels
        loss, interval = paired_loss(right, kept)
        yield Row(
            depth=depth,
            seed=seed,
            recipe=way.name,
            target=way.profile.name,
            chosen=str(built.recipe),
            timesteps=way.timesteps,
            latency_steps=built.network.latency_steps,
            samples=len(test.labels),
            float_accuracy=float(right.mean()),
            accuracy=float(kept.mean()),
            loss=loss,
            interval=interval,
            agreement=judgement.same / len(test.labels),
            error=judgement.error,
        )


def _build(layers: LayerGraph, way: Way, calibration: Calibration) -> Built:
    """As `nmdeploy compile` does, up to the integer network: placement does not change what is computed."""
    recipe, profile, options = way.recipe, way.profile, QuantizationOptions(way.timesteps)
    converted = convert(layers, calibration, PERCENTILE, neuron_kinds(recipe.neurons, profile))
    if recipe.method == AUTO:
        freedom = Freedom(tuple(METHODS), refinement_steps=True, leads=True, read_out=True, headroom=True)
        return search(Trials(converted, calibration, profile, options), recipe, freedom).built
    return build(converted, recipe, calibration, profile, options)


def _data(limit: int) -> tuple[Labelled, Labelled]:
    """Training and test samples."""
    samples, labels, test_samples, test_labels = digits()
    noise = np.random.default_rng(NOISE_SEED)

    def noisy(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = images[:, None] / PIXEL_MAX
        return (pixels + NOISE * noise.standard_normal(pixels.shape)).astype(np.float32)

    return Labelled(noisy(samples), labels), Labelled(noisy(test_samples)[:limit], test_labels[:limit])


def _means(rows: list[Row]) -> Iterator[str]:
    """Mean loss over the seeds, one line a depth, one column a recipe."""
    recipes = list(dict.fromkeys(row.recipe for row in rows))
    yield "\n| depth | networks | " + " | ".join(f"{recipe}: mean loss" for recipe in recipes) + " |"
    yield "|---" * (2 + len(recipes)) + "|"
    for depth in dict.fromkeys(row.depth for row in rows):
        same = [row for row in rows if row.depth == depth]
        means = [np.mean([row.loss for row in same if row.recipe == recipe]) for recipe in recipes]
        seeds = len({row.seed for row in same})
        yield f"| {depth} | {seeds} | " + " | ".join(f"{mean:.1f}" for mean in means) + " |"


def _line(row: Row) -> str:
    cells = (
        row.depth, row.seed, row.recipe, row.target, row.timesteps, row.latency_steps, f"{row.float_accuracy:.1%}",
        f"{row.accuracy:.1%}", f"{row.loss:.1f} +- {row.interval:.1f}", f"{row.agreement:.1%}", f"{row.error:.2f}",
        row.chosen,
    )
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
