"""A process that has lava-dl."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT, nmdeploy

NETX_OPTIONS = ("--reset", "zero", "--thresholds", "layer", "--initial-potential", "0")


class Netx:
    """Jobs of `netx_server`."""

    def __init__(self, log):
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("netx_server.py"))],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def __call__(self, job, **arguments):
        """Run a job to its end."""
        self._process.stdin.write(json.dumps({"job": job, **arguments}, default=str) + "\n")
        self._process.stdin.flush()
        shown = []
        for line in self._process.stderr:
            if line == "done\n":
                return
            shown.append(line)
        raise AssertionError("".join(shown))

    def end(self):
        self._process.stdin.close()
        self._process.stderr.close()
        self._process.wait(timeout=30)


@pytest.fixture(scope="session")
def netx(tmp_path_factory):
    pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")
    pytest.importorskip("lava.lib.dl.netx.utils", reason="lava-dl is not installed (Python 3.10 only)")
    with (tmp_path_factory.mktemp("netx") / "output.txt").open("w") as log:
        server = Netx(log)
        yield server
        server.end()


@pytest.fixture(scope="module")
def compiled_by_default(tmp_path_factory, digits_model):
    """The digits network, with its shortcut, compiled without any option for netx."""
    folder = tmp_path_factory.mktemp("default") / "digits.nmd"
    ended = nmdeploy("compile", digits_model, "-T", "8", "-o", folder)
    assert ended.code == 0, ended.stderr
    return folder


@pytest.fixture(scope="module")
def netx_artifact(tmp_path_factory):
    """A chain without weights of any meaning, compiled for netx."""
    import torch
    from torch import nn

    from nmdeploy import save

    torch.manual_seed(0)
    layers = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(24, 3)
    module = nn.Sequential(*layers).eval()
    folder = tmp_path_factory.mktemp("chain")
    save(module, torch.zeros(1, 1, 7, 7), str(folder / "model.pt"), calibration=torch.rand(8, 1, 7, 7).numpy())
    ended = nmdeploy("compile", folder / "model.pt", "-T", "8", *NETX_OPTIONS, "-o", folder / "chain.nmd")
    assert ended.code == 0, ended.stderr
    return folder / "chain.nmd"
