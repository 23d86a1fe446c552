"""Our simulator: ``python -m benchmarks.simulator_contestant CASE_FOLDER``, see `benchmarks.serve`.

Requests: ``{"batch": B}``; the reply has the seconds of B images at once and how many were classified correctly.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.serve import serve
from nmdeploy.artifact.network_file import read_network
from nmdeploy.decode import decode
from nmdeploy.simulator import Simulator


def main() -> None:
    folder = Path(sys.argv[1])
    network = read_network(folder / "network.h5")
    timesteps = json.loads((folder / "case.json").read_text())["timesteps"]
    with np.load(folder / "samples.npz") as file:
        samples, labels = file["samples"], file["labels"]
    simulator = Simulator(network, "torch")
    simulator.run(samples[:2], timesteps=timesteps)  # compiles kernels

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        batch = request["batch"]
        begin = time.perf_counter()
        result = simulator.run(samples[:batch], timesteps=timesteps)
        seconds = time.perf_counter() - begin
        outputs = decode(network, result.potentials)
        correct = int((outputs.argmax(axis=1) == labels[:batch]).sum())
        return {"seconds": seconds, "correct": correct, "mode": f"torch {torch.__version__}"}

    serve(answer)


if __name__ == "__main__":
    main()
