"""One run of our simulator in a fresh process: ``python -m benchmarks.scaling_point CASE_FOLDER TIMESTEPS BATCH``.

Prints as JSON the seconds (fastest of several runs), the memory of the process with the network and images loaded and
the kernels compiled, and its peak. The peak is the kernel's VmHWM, as that of `getrusage` starts at the parent's.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch  # noqa: F401  part of the baseline: the simulator imports it for all but short runs

from nmdeploy.artifact.network_file import read_network
from nmdeploy.simulator import simulate

ROUNDS_MAX = 5
SECONDS_MAX = 5.0


def peak_mib() -> float:
    """Peak resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("peak memory is read from /proc/self/status (Linux)")


def main() -> None:
    folder, timesteps, batch = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    network = read_network(folder / "network.h5")
    with np.load(folder / "samples.npz") as file:
        samples = np.resize(file["samples"], (batch, *file["samples"].shape[1:]))
    simulate(network, samples[:1], timesteps=1)
    baseline = peak_mib()
    times: list[float] = []
    while not times or (len(times) < ROUNDS_MAX and sum(times) < SECONDS_MAX):
        begin = time.perf_counter()
        simulate(network, samples, timesteps=timesteps)
        times.append(time.perf_counter() - begin)
    print(json.dumps({"seconds": min(times), "baseline_mib": baseline, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main()
