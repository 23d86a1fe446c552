"""Programs that the machine cannot hold are refused before Lava starts."""

from __future__ import annotations

import resource
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
from command_line import ROOT

from nmdeploy.errors import BackendError
from nmdeploy.lava.machine_limits import BYTES_PER_PROCESS, Needs, require_machine


def needs_without_one_limit():
    """What no machine has."""
    return Needs(processes=10**9, connections=10**9)


def test_every_lacking_limit_is_named_with_the_way_out():
    with pytest.raises(BackendError) as caught:
        require_machine(needs_without_one_limit(), "Do something else.")
    message = str(caught.value)
    assert message.startswith("1,000,000,000 Lava processes with 3,000,000,002 channels need ")
    for what in (" threads", "(ulimit -u, pids.max)", "(ulimit -n)", " MiB of memory"):
        assert what in message
    assert message.endswith("Do something else.")


def test_free_memory_is_enough_or_not(monkeypatch):
    available = SimpleNamespace(available=2 * BYTES_PER_PROCESS)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: available)
    require_machine(Needs(processes=2, connections=1), "")
    with pytest.raises(BackendError, match="need about 60 MiB of memory, of which 40 are free"):
        require_machine(Needs(processes=3, connections=2), "")


def test_soft_limit_of_open_files_is_raised():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    needs = Needs(10, 20)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needs.open_files - 50, before[1]))
        require_machine(needs, "")
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (needs.open_files, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.lava
def test_command_line_refuses_and_names_the_coarser_granularity(digits_artifact):
    pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")
    command = [sys.executable, "-m", "nmdeploy", "run", digits_artifact, "--backend", "lava", "--granularity", "core"]
    options = ["--data", digits_artifact.parent / "digits.npz", "--limit", "1"]
    few = 150  # a core a process: 6 processes with 21 channels
    ended = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (few, few)),
    )
    assert "Traceback" not in ended.stderr
    assert ended.returncode == 2, ended.stderr
    assert "6 Lava processes with 21 channels need 178 open files, of which 150 are allowed (ulimit -n)" in ended.stderr
    assert "Granularity layer takes 8 processes." in ended.stderr
