"""The digits network, compiled by the command line once."""

import subprocess
import sys

import pytest
from command_line import ROOT, nmdeploy


@pytest.fixture(scope="session")
def digits_data(tmp_path_factory):
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's")
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    subprocess.run([sys.executable, "-m", "examples.digits.data", str(path)], cwd=ROOT, check=True)
    return path


@pytest.fixture(scope="session")
def compiled(tmp_path_factory, digits_model):
    """What compile printed as JSON, and the folder that it wrote."""
    folder = tmp_path_factory.mktemp("compiled") / "digits.nmd"
    ended = nmdeploy("compile", digits_model, "--target", "loihi", "-T", "16", "-o", folder, "--json")
    assert ended.code == 0, ended.stderr
    return ended, folder
