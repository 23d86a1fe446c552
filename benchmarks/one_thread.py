"""What one image takes with all threads and with one: justifies the limit below which one is taken.

python -m benchmarks.one_thread ARTIFACT DATA.npz

Wall time of one image at a time, in turns; both depend on what else the machine does, so it prints its load too.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.simulator import Simulator, torch_engine

TURNS, RUNS = 3, 100
LIMITS = {"all threads": 0, "one thread": torch_engine.ONE_THREAD_OPERATIONS}


def milliseconds(network: ChipNetwork, samples: NDArray[np.float32]) -> dict[str, list[float]]:
    """Times of every run, by the threads that it may take."""
    simulator = Simulator(network)
    times: dict[str, list[float]] = {name: [] for name in LIMITS}
    for _ in range(TURNS):
        for name, limit in LIMITS.items():
            with patch.object(torch_engine, "ONE_THREAD_OPERATIONS", limit):
                simulator.run(samples)
                for _ in range(RUNS):
                    begin = time.perf_counter()
                    simulator.run(samples)
                    times[name].append((time.perf_counter() - begin) * 1e3)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifact", type=Path)
    parser.add_argument("data", type=Path, help=".npz with x")
    options = parser.parse_args()
    artifact = read_artifact(options.artifact)
    with np.load(options.data) as file:
        samples = artifact.manifest.preprocessing.apply(file["x"][:1], artifact.network.input_shape)
    synapses = sum(projection.connectivity.synapse_count for projection in artifact.network.projections)
    print(f"{synapses * artifact.network.timesteps:,} operations; load average {os.getloadavg()[0]:.1f}")
    for name, times in milliseconds(artifact.network, samples).items():
        least, median, ninth = np.quantile(times, (0, 0.5, 0.9))
        print(f"{name}: least {least:.2f} ms, median {median:.2f} ms, nine of ten below {ninth:.2f} ms")


if __name__ == "__main__":
    main()
