"""Its network before conversion is the user's; after conversion, where its environment exists, it still is."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.contestant import Contestant
from benchmarks.float_module import load_module
from benchmarks.networks import MNIST_CNN, RESNET20, prepare
from benchmarks.spikingjelly_environment import INSTALLED, spikingjelly_python
from benchmarks.spikingjelly_graph import convertible

ENVIRONMENT = Path(__file__).parents[2] / ".venv-spikingjelly"


def assert_same_outputs(folder, samples):
    module = load_module(folder)
    rewritten = convertible(module)
    functions = {node.target for node in rewritten.graph.nodes if node.op != "call_module"}
    assert not functions & {F.relu, torch.relu, "relu", F.pad}
    with torch.inference_mode():
        images = torch.from_numpy(samples)
        np.testing.assert_allclose(rewritten(images).numpy(), module(images).numpy(), atol=1e-5)
    return rewritten


def test_rewritten_network_has_the_outputs_of_the_users(tiny):
    rewritten = assert_same_outputs(tiny.folder, tiny.samples)
    assert sum(isinstance(part, nn.ReLU) for part in rewritten.modules()) == 7


@pytest.mark.parametrize(("case", "rectifiers"), [(RESNET20, 19), (MNIST_CNN, 3)], ids=["ResNet-20", "MNIST"])
def test_rewritten_trained_networks(case, rectifiers, shared_data, tmp_path):
    prepared = prepare(case, shared_data, tmp_path)
    rewritten = assert_same_outputs(prepared.folder, prepared.samples[:16])
    assert sum(isinstance(part, nn.ReLU) for part in rewritten.modules()) == rectifiers


def test_padding_of_space_is_refused():
    class Padded(nn.Module):
        def forward(self, x):
            return F.pad(x, (1, 1, 1, 1, 0, 0))

    with pytest.raises(ValueError, match="only padding of channels"):
        convertible(Padded())


@pytest.mark.slow
def test_converted_network_agrees_with_the_float_network(shared_data, tmp_path):
    if not (ENVIRONMENT / INSTALLED).exists():
        pytest.skip(f"no environment {ENVIRONMENT}; python -m benchmarks.simulator DATA --only spikingjelly makes it")
    prepared = prepare(MNIST_CNN, shared_data, tmp_path)
    python = spikingjelly_python(ENVIRONMENT)
    with (
        Contestant(python, 1, "benchmarks.spikingjelly_contestant", str(tmp_path)) as theirs,
        Contestant(sys.executable, 1, "benchmarks.simulator_contestant", str(tmp_path)) as ours,
    ):
        modes = theirs.ask(batch=128, screen=True)
        assert len(modes) == 4
        answers = [theirs.ask(batch=128, mode=mode) for mode in modes]
        own = ours.ask(batch=128)
    assert len({answer["correct"] for answer in answers}) == 1  # all modes are one network
    assert answers[0]["measured_steps"] == prepared.case.timesteps
    assert min(answers[0]["correct"], own["correct"]) >= 124
