"""Networks compiled for chips with programmable neurons, run by the command line on Lava and on the simulator."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from command_line import ROOT, nmdeploy

from hw_profiles import profile_text
from nmdeploy.artifact.artifact import read_artifact

pytestmark = pytest.mark.lava
pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")

# In a process of its own, as Lava's processes in this one must not inherit torch's threads.
MODEL = textwrap.dedent(
    """
    import sys, torch, nmdeploy
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.LeakyReLU(0.1))

        def forward(self, x):
            return torch.relu(self.inner(x) + x)

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.LeakyReLU(0.1), nn.MaxPool2d(3, 2, padding=1), Block(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(24, 4),
    )
    samples = torch.randn(16, 2, 8, 8)
    nmdeploy.save(network.eval(), samples[:1], sys.argv[1], calibration=samples)
    """
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, digits_artifact):
    """Models and their data, by the same name."""
    folder = tmp_path_factory.mktemp("compiled")
    command = [sys.executable, "-c", MODEL, str(folder / "pooling.pt")]
    subprocess.run(command, cwd=ROOT, check=True)
    np.savez(folder / "pooling.npz", x=np.random.default_rng(0).normal(size=(5, 2, 8, 8)).astype(np.float32))
    (folder / "digits.pt").write_bytes((ROOT / "examples" / "digits" / "model.pt").read_bytes())
    with np.load(digits_artifact.parent / "digits.npz") as file:
        np.savez(folder / "digits.npz", x=file["x"][:6], y=file["y"][:6])
    return folder


def output_of(folder, artifact, name, *options):
    command = ["run", artifact, "--data", folder / f"{name}.npz", "--output", artifact.parent / "result.npz"]
    ended = nmdeploy(*command, *options)
    assert ended.code == 0, ended.stderr
    with np.load(artifact.parent / "result.npz") as file:
        return dict(file)


@pytest.mark.parametrize(
    ("name", "target", "options", "models"),
    [
        ("pooling", "loihi2", ["--neurons", "paced"], {"paced", "max_pool", "if"}),
        ("pooling", "spinnaker2", ["--neurons", "signed", "-T", "6"], {"signed", "max_pool", "if"}),
        ("digits", "loihi2", ["--neurons", "paced", "--lead", "2", "--shift-only"], {"paced", "if"}),
        ("digits", "loihi2", ["--refinement-steps", "2"], {"paced", "if"}),
        ("digits", "narrow", ["--split-fan-in"], {"paced", "if"}),
    ],
)
def test_compiled_networks_give_what_the_simulator_gives(folder, tmp_path, name, target, options, models):
    artifact = tmp_path / "compiled.nmd"
    if target == "narrow":
        target = tmp_path / "narrow.toml"
        target.write_text(
            profile_text("loihi2").replace(
                "[core_limits.input_axons]\nvalue = 4096", "[core_limits.input_axons]\nvalue = 140"
            )
        )
    ended = nmdeploy("compile", folder / f"{name}.pt", "--target", target, "-T", "8", *options, "-o", artifact)
    assert ended.code == 0, ended.stderr
    populations = read_artifact(artifact).network.populations
    assert {population.model for population in populations} == models
    assert any(".part2" in population.name for population in populations) == ("--split-fan-in" in options)
    expected = output_of(folder, artifact, name)
    for granularity in ("layer", "core"):
        found = output_of(folder, artifact, name, "--backend", "lava", "--granularity", granularity)
        assert sorted(found) == sorted(expected)
        for key, values in expected.items():
            np.testing.assert_array_equal(found[key], values, err_msg=f"{granularity}: {key}")
    assert all(expected[f"spike_counts/{one.name}"].any() for one in populations if not one.is_output)
