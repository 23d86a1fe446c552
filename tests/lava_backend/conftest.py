from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import ROOT, nmdeploy

SHARED_MEMORY = Path("/dev/shm")


def running(marker):
    """Process ids, zombies left out, whose environment holds the marker."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            ours = marker in (folder / "environ").read_bytes() and int(folder.name) != os.getpid()
            if ours and state != "Z":
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def left_running(marker, seconds):
    """Processes that are still there after that time; one that starts another and ends may hide both from one look."""
    deadline = time.monotonic() + seconds
    looks = [[None], [None]]
    while any(looks[-2:]) and time.monotonic() < deadline:
        time.sleep(0.05)
        looks.append(running(marker))
    return looks[-1]


def in_use(path):
    """Whether a process has mapped a file, such as another run on this machine."""
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            if str(path) in maps.read_text():
                return True
        except OSError:
            continue
    return not path.exists()


@pytest.fixture
def marker(monkeypatch):
    """Something in the environment by which the descendants of this test are found."""
    value = f"{os.getpid()}-{time.monotonic_ns()}"
    monkeypatch.setenv("NMDEPLOY_TEST_MARKER", value)
    return f"NMDEPLOY_TEST_MARKER={value}".encode()


@pytest.fixture
def nothing_left_behind(tmp_path, monkeypatch, marker):  # `tmp_path` so that it lies elsewhere
    """After the test: no process, no temporary file, no shared memory that was not there before."""
    temporary = Path(tempfile.mkdtemp())
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = set(SHARED_MEMORY.iterdir()) if SHARED_MEMORY.is_dir() else set()
    yield
    assert left_running(marker, 2) == []
    temporary.rmdir()  # fails if something is in it
    if SHARED_MEMORY.is_dir():
        assert [path for path in set(SHARED_MEMORY.iterdir()) - before if not in_use(path)] == []


@pytest.fixture(scope="session")
def digits_artifact(tmp_path_factory, digits_model):
    """The compiled digits network; beside it lie its test images, digits.npz."""
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's")
    folder = tmp_path_factory.mktemp("digits")
    data = folder / "digits.npz"
    subprocess.run([sys.executable, "-m", "examples.digits.data", str(data)], cwd=ROOT, check=True)
    ended = nmdeploy("compile", digits_model, "--target", "loihi", "-T", "16", "-o", folder / "digits.nmd")
    assert ended.code == 0, ended.stderr
    return folder / "digits.nmd"


@pytest.fixture(scope="session")
def digits_images(digits_artifact):
    """Test images, (450, 8, 8)."""
    with np.load(digits_artifact.parent / "digits.npz") as file:
        return file["x"]
