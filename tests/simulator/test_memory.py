"""The memory that a simulation takes beyond its results is what it may take."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from memory_probe import SHAPE, long_network

from nmdeploy.errors import NmdeployError
from nmdeploy.simulator import simulate

MIB = 2**20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_a_long_window_stays_within_its_memory(engine):
    """8 MiB are allowed; half of that and 8 MiB more are left to the allocator, which keeps what was freed.

    The window's spikes and currents take ten times as much; without a limit either engine takes more than allowed.
    """
    command = [sys.executable, Path(__file__).parent / "memory_probe.py", engine, str(8 * MIB)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) < 20 * MIB


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_too_little_memory_for_one_step(engine):
    samples = np.zeros((1, *SHAPE), np.float32)
    with pytest.raises(NmdeployError, match="--memory"):
        simulate(long_network(), samples, engine=engine, memory_bytes=1000)


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_little_memory_gives_the_same_results(engine):
    """In rounds of a few steps, one sample at a time."""
    samples = np.random.default_rng(2).integers(0, 6, (3, *SHAPE)).astype(np.float32)
    net = long_network()
    little, much = (
        simulate(net, samples, engine=engine, timesteps=12, memory_bytes=size * MIB) for size in (4, 1000)
    )
    np.testing.assert_array_equal(little.potentials, much.potentials)
    for name in ("a", "b"):
        np.testing.assert_array_equal(little.spike_counts[name], much.spike_counts[name])
    assert much.spike_counts["b"].any()
