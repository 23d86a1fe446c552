"""The command, on a seeded network without data."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_row_for_each_rounding(tmp_path):
    ended = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.weight_rounding", "--bits", "3", "--limit", "64",
            "--json", str(tmp_path / "rows.json"),
        ],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    rows = {row["rounding"]: row for row in json.loads((tmp_path / "rows.json").read_text())}
    assert list(rows) == ["nearest", "least-squares", "gptq"]
    assert ended.stdout.count("| 3 |") == 3
    assert rows["gptq"]["error"] < rows["nearest"]["error"]
    assert rows["gptq"]["samples"] == 64
    assert all(row["seconds"] > 0 and row["mebibytes"] > 0 for row in rows.values())
