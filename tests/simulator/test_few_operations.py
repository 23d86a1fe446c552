"""Few operations run on one thread; more, and parts side by side, as before; the results are the same."""

import threading

import numpy as np
import pytest
import torch
from memory_probe import SHAPE, long_network

from nmdeploy.simulator.torch_engine import ONE_THREAD_OPERATIONS, TorchEngine
from nmdeploy.simulator.window import Window

TIMESTEPS = 3


@pytest.fixture
def two_threads():
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(usual)


@pytest.mark.parametrize(
    ("operations", "parts", "alone"),
    [(ONE_THREAD_OPERATIONS - 1, 1, True), (ONE_THREAD_OPERATIONS, 1, False), (None, 1, False), (None, 2, True)],
)
def test_threads_that_a_part_may_take(two_threads, operations, parts, alone):
    engine = TorchEngine(long_network(), threads=2)
    samples = np.random.default_rng(1).integers(0, 6, (2, *SHAPE)).astype(np.float32)
    seen = []

    def of_part(engine, part):
        seen.append((threading.current_thread() is threading.main_thread(), torch.get_num_threads()))
        return Window(engine, part, TIMESTEPS, record_spike_trains=False).run(TIMESTEPS).potentials

    found = np.concatenate(list(engine.run_all(of_part, np.split(samples, parts), operations)))
    assert seen == [(not alone, 1 if alone else 2)] * parts
    assert torch.get_num_threads() == 2
    wanted = Window(engine, samples, TIMESTEPS, record_spike_trains=False).run(TIMESTEPS).potentials
    np.testing.assert_array_equal(found, wanted)
