"""Simulate a long window in a process of its own: `memory_probe.py ENGINE MEMORY_BYTES`.

Prints by how many bytes the process grew at most beyond what it had before, everything imported and compiled.
"""

import re
import sys
from pathlib import Path

import numpy as np
import psutil

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
from integer_networks import input_projection, network, one_to_one, population, projection, whole

from mapping.connectivity import Connectivity, tap_table
from nmdeploy.simulator import simulate

TIMESTEPS = 1000
SHAPE = (16, 32, 32)


def long_network():
    """Two maps of 16,384 neurons and ten classes; currents and spikes of one map take 80 MiB a window and sample."""
    table = tap_table(32, 32, 3, padding=1)
    inner, outer = Connectivity(SHAPE, SHAPE, table, table, (0, 16), (0, 16)), whole(SHAPE, (10, 1, 1))
    random = np.random.default_rng(0)
    out = population("out", (10, 1, 1), reset="none", threshold=np.zeros(10, np.int64), is_output=True)
    return network(
        [population("a", SHAPE), population("b", SHAPE), out],
        [
            projection("a", "b", inner, random.integers(-9, 10, inner.weight_shape)),
            projection("b", "out", outer, random.integers(-9, 10, outer.weight_shape)),
        ],
        [input_projection("a", one_to_one(SHAPE), np.ones(16))],
        input_shape=SHAPE,
        timesteps=TIMESTEPS,
    )


def peak_bytes():
    # not getrusage: its peak is handed down by the process that started this one
    return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1])


def main():
    engine, memory_bytes = sys.argv[1], int(sys.argv[2])
    net = long_network()
    samples = np.random.default_rng(1).integers(0, 6, (2, *SHAPE)).astype(np.float32)
    simulate(net, samples, engine=engine, timesteps=3, memory_bytes=memory_bytes)
    before = psutil.Process().memory_info().rss
    result = simulate(net, samples, engine=engine, memory_bytes=memory_bytes)
    assert result.spike_counts["b"].any()
    print(peak_bytes() - before)


if __name__ == "__main__":
    main()
