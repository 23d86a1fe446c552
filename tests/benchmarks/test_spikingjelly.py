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
from benchmarks.networks import MNIST_CNN, RESNET8, RESNET20, prepare
from benchmarks.peer_environment import INSTALLED, SPIKINGJELLY, peer_python
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


@pytest.mark.parametrize(
    ("case", "rectifiers"),
    [(RESNET20, 19), (RESNET8, 7), (MNIST_CNN, 3)],
    ids=["ResNet-20", "ResNet-8", "MNIST"],
)
def test_rewritten_trained_networks(case, rectifiers, shared_data, tmp_path):
    prepared = prepare(case, shared_data, tmp_path)
    rewritten = assert_same_outputs(prepared.folder, prepared.samples[:16])
    assert sum(isinstance(part, nn.ReLU) for part in rewritten.modules()) == rectifiers


class Padded(nn.Module):
    def __init__(self, *pads):
        super().__init__()
        self.pads = pads

    def forward(self, x):
        return F.pad(x, self.pads)


@pytest.mark.parametrize("pads", [(0, 1, 0, 2), (1, 0), (2, 1, 0, 1, 1, 2)])
def test_padding_becomes_concatenations(pads):
    x = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    rewritten = convertible(Padded(*pads))
    assert not any(node.target is F.pad for node in rewritten.graph.nodes)
    torch.testing.assert_close(rewritten(x), F.pad(x, pads))


def test_padding_of_the_batch_is_refused():
    with pytest.raises(ValueError, match="padding of the batch"):
        convertible(Padded(0, 0, 0, 0, 0, 0, 1, 1))


@pytest.mark.slow
def test_converted_network_agrees_with_the_float_network(shared_data, tmp_path):
    if not (ENVIRONMENT / INSTALLED).exists():
        pytest.skip(f"no environment {ENVIRONMENT}; python -m benchmarks.simulator DATA --only spikingjelly makes it")
    prepared = prepare(MNIST_CNN, shared_data, tmp_path)
    python = peer_python(ENVIRONMENT, SPIKINGJELLY)
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
