"""Writing a report needs no torch."""

import subprocess
import sys

import pytest
from command_line import ROOT

PROGRAM = """
import sys
sys.modules["torch"] = None  # importing it fails
from nmdeploy.cli.app import main
try:
    main()
except SystemExit as ending:
    assert not ending.code
"""


@pytest.mark.parametrize("with_analysis", [False, True])
def test_no_torch(compiled_digits, digits_analysis, tmp_path, with_analysis):
    arguments = ["report", str(compiled_digits), "-o", str(tmp_path / "report.html")]
    if with_analysis:
        arguments += ["--analysis", str(digits_analysis)]
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("Firing rates</h2>") == with_analysis
