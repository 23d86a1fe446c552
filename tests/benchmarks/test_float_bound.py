import os
import sys

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.contestant import Contestant
from benchmarks.float_contestant import FloatBound
from benchmarks.float_module import folded, load_module


def outputs(module, images):
    with torch.inference_mode():
        return module(torch.from_numpy(images)).numpy()


def test_folding_keeps_the_outputs_of_the_users_network(tiny):
    module = load_module(tiny.folder)
    bound = folded(module)
    assert any(isinstance(part, nn.BatchNorm2d) for part in module.modules())
    assert not any(isinstance(part, nn.BatchNorm2d) for part in bound.modules())
    expected = outputs(module, tiny.samples)
    assert expected.std() > 0.1
    np.testing.assert_allclose(outputs(bound, tiny.samples), expected, atol=1e-4)


def test_every_mode_computes_the_network(tiny):
    module = folded(load_module(tiny.folder))
    modes = FloatBound(module, torch.from_numpy(tiny.samples), timesteps=4).modes(batch=8)
    assert {mode.chunk for mode in modes} == {1, 8, 16, 32}
    assert {mode.layout for mode in modes} == {"contiguous", "channels last"}
    expected = outputs(module, tiny.samples)
    for mode in modes:
        with torch.inference_mode():
            found = mode.module(mode.images).numpy()
        np.testing.assert_allclose(found, expected[: mode.chunk], atol=1e-4)


def test_bound_is_t_times_the_batch(tiny):
    bound = FloatBound(folded(load_module(tiny.folder)), torch.from_numpy(tiny.samples), timesteps=50)
    per_image = min(bound.screen(2).values()) / 1e3
    assert bound.run(2)["seconds"] == pytest.approx(per_image * 2 * 50, rel=0.9)  # another measurement


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not bind processes to cores")
def test_contestants_have_one_core_and_answer(tiny):
    with Contestant(sys.executable, 1, "benchmarks.float_contestant", str(tiny.folder)) as contestant:
        assert len(os.sched_getaffinity(contestant.process_id)) == 1
        screened = contestant.ask(batch=2, screen=True)
        answer = contestant.ask(batch=2)
    assert min(screened.values()) > 0
    assert answer["seconds"] > 0
    assert answer["mode"].split(", torch")[0] in screened
