"""A process forked off after a run on several threads, which do not live on in it."""

import multiprocessing
import sys

import numpy as np
import pytest
from memory_probe import SHAPE, long_network

from nmdeploy.simulator.torch_engine import TorchEngine
from nmdeploy.simulator.window import Window

TIMESTEPS = 3
TIME_LIMIT_SECONDS = 60


def potentials(engine, samples):
    """In parts of one sample, so that every thread has some."""

    def of_part(engine, part):
        return Window(engine, part, TIMESTEPS, record_spike_trains=False).run(TIMESTEPS).potentials

    return np.concatenate(list(engine.run_all(of_part, np.split(samples, len(samples)))))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are forked without harm on Linux alone")
def test_several_threads_in_a_forked_process():
    engine = TorchEngine(long_network(), threads=2)
    samples = np.random.default_rng(1).integers(0, 6, (4, *SHAPE)).astype(np.float32)
    here = potentials(engine, samples)
    receiver, sender = multiprocessing.get_context("fork").Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=lambda: sender.send(potentials(engine, samples)))
    child.start()
    try:
        assert receiver.poll(TIME_LIMIT_SECONDS), "the forked process hangs"
        np.testing.assert_array_equal(receiver.recv(), here)
    finally:
        child.kill()
        child.join()
    assert here.any()
