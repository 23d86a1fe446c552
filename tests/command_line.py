"""Running the program as a user does."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from nmdeploy.cli.app import main

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self):
        return json.loads(self.stdout)


def nmdeploy(*arguments, cwd=ROOT):
    """Run a command in a process of its own; no run may ever show a traceback."""
    command = [sys.executable, "-m", "nmdeploy", *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert "Traceback" not in ended.stdout + ended.stderr, ended.stderr
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def nmdeploy_here(*arguments, cwd=ROOT):
    """Run a command in this process, which is quicker; an exception that would be a traceback comes through."""
    before = sys.argv, Path.cwd()
    stdout, stderr, code = io.StringIO(), io.StringIO(), 0
    sys.argv = ["nmdeploy", *map(str, arguments)]
    os.chdir(cwd)
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            main()
    except SystemExit as ending:
        code = ending.code or 0
    finally:
        sys.argv, _ = before
        os.chdir(before[1])
    return Ended(code, stdout.getvalue(), stderr.getvalue())


def refused(ended, *words):
    """Exit 2, an error on stderr that has these words, and nothing on stdout."""
    assert ended.code == 2, ended
    assert ended.stdout == ""
    shown = " ".join(ended.stderr.replace("│", " ").split())
    for word in words:
        assert word in shown, ended.stderr
