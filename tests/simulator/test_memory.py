"""The memory that a simulation takes beyond its results is what it may take."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from integer_networks import network, one_to_one, population, projection
from memory_probe import SHAPE, long_network

from mapping.neuron_models import CountMemory
from nmdeploy.errors import NmdeployError
from nmdeploy.simulator import simulate
from nmdeploy.simulator.engine import Engine
from nmdeploy.simulator.memory import LEAST_ROUND, plan, round_bytes

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


def waiting_chain(lead):
    """Three maps of 32 neurons, the last two of which wait for their input."""
    shape, one = (2, 4, 4), one_to_one((2, 4, 4))
    memories = [None, CountMemory(lead), CountMemory(lead)]
    populations = [population(f"p{index}", shape, count_memory=memory) for index, memory in enumerate(memories)]
    return network(populations, [projection(f"p{i}", f"p{i + 1}", one, [3, 4]) for i in range(2)], timesteps=20)


def test_rounds_hold_what_runs_ahead():
    """With a lead of 3 the first map is 6 steps ahead of the last, the second 3, and nobody passes the window."""
    engine = Engine(waiting_chain(3))
    working = [engine.working_bytes(one) for one in engine.network.populations]
    assert round_bytes(engine, 1, 20) == 1 + max(7 * working[0], 7 * 32 + 4 * working[1], 4 * 32 + working[2])
    assert round_bytes(engine, 1, 5) == 1 + max(5 * working[0], 5 * 32 + 4 * working[1], 4 * 32 + working[2])


def test_a_map_too_large_for_the_caches_has_rounds_of_several_steps(monkeypatch):
    monkeypatch.setattr(Engine, "preferred_bytes", 1)
    engine = Engine(waiting_chain(3))
    assert plan(engine, 1, 20, None).round_steps == LEAST_ROUND
    assert plan(engine, 1, 5, None).round_steps == 5
    for steps in range(1, LEAST_ROUND):
        just_enough = engine.state_bytes + round_bytes(engine, steps, 20)
        assert plan(engine, 1, 20, just_enough).round_steps == steps
