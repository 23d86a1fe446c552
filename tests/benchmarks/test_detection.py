"""Detectors: rectifiers in place of leaky activations, and the whole way of a real one."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.detection import without_negative_spikes
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import convert
from nmdeploy.frontend.trace import trace
from nmdeploy.spiking.evaluate import evaluate

ROOT = Path(__file__).parents[2]


def test_without_negative_spikes_the_network_is_that_of_rectifiers():
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 4, 3), nn.LeakyReLU(0.1), nn.Conv2d(4, 3, 1)]
    samples = torch.randn(8, 2, 6, 6)
    graph = trace(nn.Sequential(*layers).eval(), samples[:1])
    network = convert(graph, split_calibration(samples.numpy(), "test"), 99.9, frozenset({"leaky"})).network
    found = evaluate(without_negative_spikes(network), samples.numpy())
    rectified = nn.Sequential(layers[0], nn.ReLU(), layers[2])
    with torch.no_grad():
        np.testing.assert_allclose(found, rectified(samples).flatten(1).numpy(), atol=1e-5)
        assert np.abs(found - nn.Sequential(*layers)(samples).flatten(1).numpy()).max() > 0.01


@pytest.mark.slow
def test_face_detector_finds_every_box(shared_data, tmp_path):
    """All 21 boxes that the detector's authors' program finds, and no other, at T = 128."""
    command = [sys.executable, "-m", "benchmarks.detection", str(shared_data), "--only", "face", "--windows", "128"]
    command += ["--variants", "auto", "--json", str(tmp_path / "rows.json")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    (row,) = json.loads((tmp_path / "rows.json").read_text())
    assert (row["common"], row["extra"], row["missed"]) == (21, 0, 0)
