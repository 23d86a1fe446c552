"""Our Lava processes: their time for a step of an image, start apart from run."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.networks import Prepared
from nmdeploy.lava.runner import run_on_lava

START_SAMPLES = 32


def time_our_lava(prepared: Prepared, rounds: int) -> dict[str, float]:
    """Run few and more samples; the difference is the run, the rest is the start.

    Parameters
    ----------
    prepared : Prepared
    rounds : int
        Repetitions of both runs, interleaved; the fastest count.

    Returns
    -------
    dict
        start_seconds (interpreter, imports, building, processes), step_seconds (of one image).
    """
    case = prepared.case
    counts = (START_SAMPLES, START_SAMPLES + case.lava_samples)
    fastest = dict.fromkeys(counts, float("inf"))
    for _ in range(rounds):
        for count in counts:
            samples = np.resize(prepared.samples, (count, *prepared.samples.shape[1:]))
            begin = time.perf_counter()
            run_on_lava(prepared.folder / "network.h5", samples, timesteps=case.lava_timesteps)
            fastest[count] = min(fastest[count], time.perf_counter() - begin)
    per_sample = (fastest[counts[1]] - fastest[counts[0]]) / case.lava_samples
    return {
        "start_seconds": fastest[counts[0]] - per_sample * counts[0],
        "step_seconds": per_sample / case.lava_timesteps,
    }
