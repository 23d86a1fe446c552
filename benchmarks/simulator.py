"""Speed of the simulator on a compiled network, every ratio from one run.

python -m benchmarks.simulator ARTIFACT DATA.npz [--samples 32]

ARTIFACT is a folder written by `nmdeploy compile`, DATA.npz its test samples. Prints milliseconds per sample of the
compiled engine, of the plain engine, and of the dense arithmetic bound: T inferences of a float network with the same
convolutions in torch, same threads and batch. Then how the time grows with T.
"""

import argparse
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from mapping.convolution_geometry import axis_geometry
from mapping.network import ChipNetwork
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.data_file import read_data
from nmdeploy.simulator import simulate
from nmdeploy.simulator.torch_engine import TorchEngine

REPEATS = 5
WINDOWS = (8, 16, 32, 64, 128, 256)


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of several runs, after one that is not counted."""
    work()
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def float_inference(network: ChipNetwork, batch: int) -> Callable[[], None]:
    """All convolutions of the network once, in float32 as torch computes them (channels last), rectified."""
    layers = []
    for projection in [*network.projections, *network.input_projections]:
        table = projection.connectivity
        rows = axis_geometry(table.rows, table.source_shape[1])
        columns = axis_geometry(table.columns, table.source_shape[2])
        if rows is None or columns is None:
            raise SystemExit(f"{projection.name} is no convolution; this benchmark cannot bound it")
        images = torch.rand(batch, table.in_channels, *table.source_shape[1:])
        kernel = torch.from_numpy(projection.weights.astype(np.float32))
        layers.append(
            (
                images.contiguous(memory_format=torch.channels_last),
                kernel.contiguous(memory_format=torch.channels_last),
                (rows.before, columns.before),
                (rows.stride, columns.stride),
                table.groups,
            )
        )

    def run() -> None:
        with torch.inference_mode():
            for images, kernel, padding, stride, groups in layers:
                F.conv2d(images, kernel, padding=padding, stride=stride, groups=groups).relu_()

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifact", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--samples", type=int, default=32)
    options = parser.parse_args()
    artifact = read_artifact(options.artifact)
    network, count = artifact.network, options.samples
    samples = artifact.manifest.preprocessing.apply(read_data(options.data, count).samples, network.input_shape)
    batch = TorchEngine(network, network.timesteps).batch * network.timesteps
    compiled = fastest(lambda: simulate(network, samples, engine="torch"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bound = fastest(float_inference(network, batch)) / batch * network.timesteps
    begin = time.perf_counter()
    simulate(network, samples[:8], engine="numpy")
    plain = (time.perf_counter() - begin) / 8
    per_sample = compiled / count
    print(f"T = {network.timesteps}, {count} samples, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print("| | ms per sample | ratio to the compiled engine |")
    print("|---|---|---|")
    print(f"| compiled engine (peak {peak:.0f} MiB) | {per_sample * 1e3:.1f} | 1 |")
    print(f"| T times the float network in torch, batch {batch} | {bound * 1e3:.1f} | {bound / per_sample:.2f} |")
    print(f"| plain engine | {plain * 1e3:.1f} | {plain / per_sample:.1f} |")
    few = samples[:8]
    times = [fastest(partial(simulate, network, few, timesteps=steps, engine="torch")) for steps in WINDOWS]
    exponent = np.polyfit(np.log(WINDOWS), np.log(times), 1)[0]
    growth = [f"T = {steps}: {seconds / len(few) * 1e3:.1f}" for steps, seconds in zip(WINDOWS, times, strict=True)]
    print("\nms per sample over T: " + ", ".join(growth) + f"; fitted exponent {exponent:.2f}")


if __name__ == "__main__":
    main()
