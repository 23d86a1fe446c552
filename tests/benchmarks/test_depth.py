"""The command, on the shallowest network."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.depth import OURS, WITH, WITHOUT
from benchmarks.narrow_resnet import trained

ROOT = Path(__file__).parents[2]


def test_shortcut_normalisation_keeps_more_decisions(tmp_path):
    ended = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.depth", "--depths", "8", "--seeds", "0", "--timesteps", "64",
            "--auto-timesteps", "16", "--epochs", "3", "--limit", "200", "--target", "loihi",
            "--json", str(tmp_path / "rows.json"),
        ],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    rows = {row["recipe"]: row for row in json.loads((tmp_path / "rows.json").read_text())}
    assert list(rows) == [WITHOUT, WITH, OURS]
    assert ended.stdout.count("\n| 8 | 0 |") == 3
    losses = [f"{row['loss']:.1f}" for row in rows.values()]
    assert ended.stdout.splitlines()[-1] == f"| 8 | 1 | {' | '.join(losses)} |"
    assert rows[WITH]["float_accuracy"] > 0.7
    assert rows[WITH]["agreement"] > rows[WITHOUT]["agreement"]
    assert rows[WITH]["error"] < rows[WITHOUT]["error"] / 2


@pytest.mark.parametrize("depth", [2, 9, 21])
def test_depths_that_no_such_network_has(depth):
    with pytest.raises(ValueError, match=r"6 n \+ 2"):
        trained(depth, np.zeros((1, 1, 8, 8), np.float32), np.zeros(1, np.int64), 1, 0)
