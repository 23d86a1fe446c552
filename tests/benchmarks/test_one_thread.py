"""The benchmark of one thread times both ways of every turn, and leaves the limit as it was."""

import numpy as np

from benchmarks import one_thread
from benchmarks.mapping_networks import convolution_stack
from hw_profiles import load_profile
from nmdeploy.simulator import torch_engine


def test_times_of_both_ways(monkeypatch):
    monkeypatch.setattr(one_thread, "TURNS", 1)
    monkeypatch.setattr(one_thread, "RUNS", 2)
    limit = torch_engine.ONE_THREAD_OPERATIONS
    network = convolution_stack(load_profile("loihi2"), 2)
    times = one_thread.milliseconds(network, np.zeros((1, *network.input_shape), dtype=np.float32))
    assert {name: len(runs) for name, runs in times.items()} == {"all threads": 2, "one thread": 2}
    assert limit == torch_engine.ONE_THREAD_OPERATIONS
