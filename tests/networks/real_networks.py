"""Steps that the tests of real networks share."""

from __future__ import annotations

import numpy as np
import torch
from command_line import nmdeploy

from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import convert
from nmdeploy.frontend.trace import trace
from nmdeploy.spiking.evaluate import evaluate


def compiled(weights, folder, *options):
    """Compile by the command line; the printed summary."""
    ended = nmdeploy("compile", weights, "--target", "loihi", "-o", folder, "--json", *options)
    assert ended.code == 0, ended.stderr
    return ended.json


def ran(folder, data, *options):
    """Run by the command line; the printed report."""
    ended = nmdeploy("run", folder, "--data", data, "--json", *options)
    assert ended.code == 0, ended.stderr
    return ended.json


def assert_lava_computes_the_same(folder, data, limit, scratch, granularity="layer"):
    """Equal potentials after every step and equal spike counts of every neuron, on the simulator and on Lava."""
    outputs = []
    for backend in (["simulator"], ["lava", "--granularity", granularity]):
        outputs.append(scratch / f"{backend[0]}.npz")
        ran(folder, data, "--limit", str(limit), "--output", outputs[-1], "--backend", *backend)
    with np.load(outputs[0]) as ours, np.load(outputs[1]) as lava:
        assert set(ours.files) == set(lava.files)
        assert sum(int(ours[name].sum()) for name in ours.files if name.startswith("spike_counts/")) > 10_000
        for name in ours.files:
            np.testing.assert_array_equal(ours[name], lava[name], err_msg=name)


def assert_legal(folder):
    """The independent check finds nothing."""
    ended = nmdeploy("check", folder, "--format", "json")
    assert ended.code == 0, ended.stdout
    assert ended.json["violations"] == []


def filled(module, weights):
    """The module in evaluation mode with the weights of a file, in single precision."""
    state = torch.load(weights, map_location="cpu", weights_only=True)
    module.load_state_dict({name: value.float() for name, value in state.items()})
    return module.eval()


def converted_outputs(module, samples, calibration):
    """Outputs of the converted network, evaluated as the float network that it stands for."""
    layers = trace(module, torch.from_numpy(samples[:1]))
    network = convert(layers, split_calibration(samples[:calibration], "test"), 99.9).network
    assert not network.problems()
    return evaluate(network, samples)


def torch_outputs(module, samples):
    with torch.no_grad():
        outputs = module(torch.from_numpy(samples))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return torch.cat([output.flatten(1) for output in outputs], 1).numpy()
