"""Read-out and counts alike for every peer; the peers themselves where their environments exist."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks.networks import RESNET8, write_case
from benchmarks.peer_environment import INSTALLED
from benchmarks.peers import PEERS, peer_rows
from benchmarks.peers_answer import Spiking, run

ROOT = Path(__file__).parents[2]


class Firing(nn.Module):
    """Two neurons: the first fires in steps 0 and 1, the second from step 1 on."""

    def __init__(self):
        super().__init__()
        self.step = 0

    def reset(self):
        self.step = 0

    def forward(self, x):
        spikes = torch.tensor([float(self.step < 2), float(self.step > 0)])
        self.step += 1
        return spikes.expand(len(x), 2)


class FiringNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.neurons = Firing()

    def forward(self, x):
        return self.neurons(x)


def test_windows_are_read_from_one_run_and_delays_leave_steps_out():
    network = FiringNetwork()
    spiking = Spiking(network, Firing, network.neurons.reset, lambda window: 1 if window > 2 else 0)
    for _ in range(2):  # the reset makes the second run like the first
        reply = run(spiking, torch.zeros(3, 1), [1, 4])
        assert reply["decisions"]["all"] == {1: [0, 0, 0], 4: [1, 1, 1]}  # sums (1, 0) and (2, 3)
        assert reply["neurons"] == 2
        assert reply["spikes"] == 3 * (2 + 3)
    spiking.delay = lambda window: window - 1
    assert run(spiking, torch.zeros(3, 1), [2, 3])["decisions"]["delayed"] == {2: [0, 0, 0], 3: [1, 1, 1]}


def test_a_peer_without_environment_is_a_row_that_says_so(tiny_case, monkeypatch):
    monkeypatch.setattr("benchmarks.peer_environment.PYTHONS", ())
    (row,) = peer_rows("tiny", tiny_case, PEERS["sinabs"], [8], 1, tiny_case / "environments")
    assert row.note.startswith("no environment")
    assert row.accuracy == {}


@pytest.fixture
def tiny_case(tmp_path, tiny):
    for name in ("weights.pt", "samples.npz", "case.json"):
        (tmp_path / name).write_bytes((tiny.folder / name).read_bytes())
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("name", PEERS)
def test_peers_convert_a_residual_network(name, shared_data, tmp_path):
    peer = PEERS[name]
    if not (ROOT / peer.folder / INSTALLED).exists():
        pytest.skip(f"no environment {peer.folder}; python -m benchmarks.peers DATA makes it")
    write_case(RESNET8, shared_data, tmp_path, 20, 64)
    rows = list(peer_rows(RESNET8.name, tmp_path, peer, [4, 64], 1, ROOT))
    assert {row.converter.partition(", delayed")[0] for row in rows} == set(peer.recipes)
    for row in rows:
        assert row.note == ""
        assert set(row.accuracy) == {4, 64}
        assert row.spikes_per_neuron[64] > 0
    assert max(row.agreement[64] for row in rows) >= 0.9


def test_help():
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0
    assert "--windows" in ended.stdout
