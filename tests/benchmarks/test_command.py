"""The command itself, on the tiny network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.comparison import FLOAT_BOUND, SIMULATOR

ROOT = Path(__file__).parents[2]


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.simulator", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True
    )


def test_quick_bound(tmp_path):
    ended = command("--quick", "--only", "bound", "--json", tmp_path / "figures.json")
    assert ended.returncode == 0, ended.stderr
    results = json.loads((tmp_path / "figures.json").read_text())
    assert [one["batch"] for one in results["comparisons"]] == [1, 8]
    for one in results["comparisons"]:
        ours, dense = one["contestants"][SIMULATOR], one["contestants"][FLOAT_BOUND]
        assert len(ours["seconds"]) == len(dense["seconds"]) == 2
        ratio = min(ours["seconds"]) / min(dense["seconds"])
        assert f"| (b) ours / T x float | {ratio:.2f} |" in ended.stdout


@pytest.mark.slow
@pytest.mark.lava
def test_quick_everything(tmp_path):
    pytest.importorskip("lava.magma", reason="Lava is not installed")
    ended = command("--quick", "--json", tmp_path / "figures.json")
    assert ended.returncode == 0, ended.stderr
    results = json.loads((tmp_path / "figures.json").read_text())
    (lava,) = results["lava"]
    assert lava["stock"]["step_seconds"] > lava["lava_step_seconds"] > 0
    assert [len(series["points"]) for series in results["scaling"]["series"]] == [2, 2, 2]
    largest = results["scaling"]["largest"]
    assert largest["peak_mib"] > largest["baseline_mib"] > 50


@pytest.mark.parametrize(
    ("arguments", "message"), [((), "folder of data is missing"), (("--quick", "--only", "speed"), "not one of bound")]
)
def test_wrong_options(arguments, message):
    ended = command(*arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
