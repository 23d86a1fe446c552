"""The digits network, compiled for neurons of both kinds; and the chip's clock of the simulator's tests as oracle."""

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT, nmdeploy_here

sys.path.append(str(Path(__file__).parents[1] / "simulator"))


@pytest.fixture(scope="session")
def digits_data(tmp_path_factory):
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's")
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    subprocess.run([sys.executable, "-m", "examples.digits.data", str(path)], cwd=ROOT, check=True)
    return path


@pytest.fixture(scope="session")
def plain_artifact(tmp_path_factory, digits_model):
    return compiled(digits_model, tmp_path_factory.mktemp("plain"), "loihi", "channel-percentile")


@pytest.fixture(scope="session")
def paced_artifact(tmp_path_factory, digits_model):
    options = ("--compensation", "none", "--neurons", "paced", "--lead", "1", "--refinement-steps", "0")
    return compiled(digits_model, tmp_path_factory.mktemp("paced"), "loihi2", "channel-mse", *options)


@pytest.fixture(scope="session")
def refined_artifact(tmp_path_factory, digits_model):
    options = ("--compensation", "none", "--neurons", "paced", "--lead", "1", "--refinement-steps", "2")
    return compiled(digits_model, tmp_path_factory.mktemp("refined"), "loihi2", "channel-mse", *options)


def compiled(model, folder, target, method, *options):
    arguments = ("--target", target, "--method", method, "-T", "12", "-o", "digits.nmd", *options)
    ended = nmdeploy_here("compile", model, *arguments, cwd=folder)
    assert ended.code == 0, ended.stderr
    return folder / "digits.nmd"
