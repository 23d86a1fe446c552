"""What neurons with a count memory cost the simulator: time of an image by neuron model and engine, on one core.

python -m benchmarks.pinned 1 benchmarks.neuron_models

A network of the shape of ResNet-20 with seeded weights, and noise as images. Processor time, which other programs on
the machine change less than the time that passes; all models take turns.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.float_module import build_module
from benchmarks.networks import METHOD, PERCENTILE, SEED
from benchmarks.seeded_weights import seed_weights
from hw_profiles import parse_profile, profile_text
from mapping.network import ChipNetwork
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import apply_method, convert
from nmdeploy.frontend.trace import trace
from nmdeploy.quantize import QuantizationOptions, quantize
from nmdeploy.quantize.neuron_choice import NeuronChoice, neuron_kinds
from nmdeploy.simulator import Simulator

TIMESTEPS = 16
FACTORY = "examples.networks.resnet:resnet20"
TARGET = "loihi2"
CHOICES = {
    "if": NeuronChoice(),
    "signed": NeuronChoice("signed", release="half"),
    "paced, lead 1": NeuronChoice("paced", 1),
    "paced, lead 1, spikes of -1": NeuronChoice("paced", 1, release="half"),
    "paced, lead 1, by shifts": NeuronChoice("paced", 1, shift_only=True),
}
# Images and turns; the plain engine takes ten times as long.
ENGINES = {"torch": (32, 9), "numpy": (2, 2)}


def compiled(choice: NeuronChoice, images: NDArray[np.float32]) -> ChipNetwork:
    """The integer network with neurons of one kind."""
    module = build_module(FACTORY)
    seed_weights(module, torch.from_numpy(images), SEED)
    profile = parse_profile(profile_text(TARGET), TARGET)
    split = split_calibration(images, "benchmark")
    traced = trace(module.eval(), torch.from_numpy(images[:1]))
    converted = convert(traced, split, PERCENTILE, neuron_kinds(choice, profile))
    scaled, _ = apply_method(converted, METHOD, TIMESTEPS)
    options = QuantizationOptions(TIMESTEPS, neurons=choice)
    return quantize(scaled, converted.statistics, profile, options, split.input_max)


def milliseconds(simulators: list[Simulator], images: NDArray[np.float32], turns: int) -> list[float]:
    """Shortest processor time of an image for each simulator."""
    shortest = [np.inf] * len(simulators)
    for simulator in simulators:
        simulator.run(images[:2])  # compiles kernels
    for _ in range(turns):
        for index, simulator in enumerate(simulators):
            begin = time.process_time()
            simulator.run(images)
            shortest[index] = min(shortest[index], (time.process_time() - begin) / len(images) * 1e3)
    return shortest


def main() -> None:
    torch.set_num_threads(1)
    images = np.random.default_rng(SEED).standard_normal((32, 3, 32, 32)).astype(np.float32)
    networks = [compiled(choice, images) for choice in CHOICES.values()]
    columns = []
    for engine, (count, turns) in ENGINES.items():
        simulators = [Simulator(network, engine) for network in networks]  # type: ignore[arg-type]
        columns.append(milliseconds(simulators, images[:count], turns))
    print(f"T = {TIMESTEPS}, ms of processor time an image\n\n| neurons | {' | '.join(ENGINES)} | against if |")
    print("|---" * (2 + len(ENGINES)) + "|")
    for name, *times in zip(CHOICES, *columns, strict=True):
        print(f"| {name} | {' | '.join(f'{each:.1f}' for each in times)} | {times[0] / columns[0][0]:.2f} |")


if __name__ == "__main__":
    main()
