"""The processes in a Lava program that a user writes: stock sources, Lava's own run and Vars."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from command_line import ROOT

import nmdeploy.lava
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.decode import decode
from nmdeploy.errors import ArtifactError
from nmdeploy.simulator import simulate

pytestmark = pytest.mark.lava
pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")

from .own_program import BATCH  # noqa: E402 - imports Lava
from .programmable_example import samples_of_example, write_example  # noqa: E402

PROGRAM = textwrap.dedent(
    """
    import numpy as np
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.io.source import RingBuffer
    from nmdeploy.lava.processes.dense import Dense
    from nmdeploy.lava.processes.integrate_and_fire import IntegrateAndFire
    from nmdeploy.lava.window_clock import WindowClock

    source = RingBuffer(data=np.ones((1, 1, 1, 2, 3), dtype=np.int32))
    dense = Dense(weights=np.array([[2, 1], [-4, 1]]).reshape(2, 2, 1, 1), shift=1)
    neurons = IntegrateAndFire(
        shape=(1, 1, 1, 2), clock=WindowClock(1, 4, 1), current=np.zeros((1, 1, 1, 1, 2), int),
        reset="subtract", threshold=np.array([12, 99]), initial_potential=np.zeros(2, int), state_max=15,
    )
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(neurons.a_in)
    neurons.run(RunSteps(5), Loihi2SimCfg(select_tag="fixed_pt"))
    print(neurons.potential.get().ravel(), neurons.spikes.get(), neurons.saturations.get())
    dense.weights.set(np.zeros((2, 2, 1, 1)))
    neurons.stop()
    """
)


def test_vars_hold_potentials_spikes_and_saturations(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    # 6, 12 (a spike), 6, 12 (a spike); -6, -12, -18 cut to -15, -21 cut to -15
    assert ran.stdout.split("\n")[-2] == "[  0. -15.] [2.] [2.]", ran.stdout + ran.stderr


def ran(*arguments):
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="session")
def programmable_artifact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programmable")
    write_example(folder / "example.nmd")
    return folder / "example.nmd"


@pytest.mark.parametrize("granularity", ["layer", "core"])
@pytest.mark.parametrize("feeding", ["samples", "injected"])
@pytest.mark.parametrize("compiled", ["digits", "programmable"])
def test_ports_and_vars_over_several_runs(request, tmp_path, granularity, feeding, compiled):
    """Potentials and spikes of every step at the ports; Vars after every run; samples built in, or sent to a_in."""
    folder = request.getfixturevalue(f"{compiled}_artifact")
    shown = samples_of_example(4) if compiled == "programmable" else request.getfixturevalue("digits_images")[:4]
    data, result = tmp_path / "data.npz", tmp_path / "result.npz"
    np.savez(data, x=shown)
    program = Path(__file__).with_name("own_program.py")
    ended = ran(program, folder, data, granularity, feeding, result)
    assert ended.returncode == 0, ended.stderr

    artifact = read_artifact(folder)
    network, batch = artifact.network, BATCH[feeding]
    samples = artifact.manifest.preprocessing.apply(shown, network.input_shape)
    every = network.populations
    expected = simulate(network, samples, record_spike_trains=True)
    with np.load(result) as found:
        for window in range(len(samples) // batch):
            of_window = slice(window * batch, (window + 1) * batch)
            potentials = expected.potentials[of_window]
            np.testing.assert_array_equal(found[f"potential {window}"].reshape(batch, -1), potentials[:, -1])
            output = found[f"v_out {network.outputs[0].name} {window}"]
            np.testing.assert_array_equal(output.reshape(potentials.shape), potentials)
            first = found[f"s_out {every[0].name} {window}"]
            train = expected.spike_trains[every[0].name][of_window]
            np.testing.assert_array_equal(first.reshape(train.shape), train)
        if feeding == "samples":  # else windows have no end, and the first population is in the next one already
            counts = expected.spike_counts[every[0].name]
            last = found[f"counts {every[0].name}"].reshape(batch, -1)
            np.testing.assert_array_equal(last, counts[-batch:])
            net = found[f"net {every[0].name}"].reshape(batch, -1)
            np.testing.assert_array_equal(net, expected.spike_trains[every[0].name][-batch:].sum(axis=1))
            assert found[f"totals {every[0].name}"].tolist() == [counts.sum(), 0]
            assert last.sum() > 100


def test_example(digits_artifact, digits_images, tmp_path):
    data = tmp_path / "data.npz"
    with np.load(digits_artifact.parent / "digits.npz") as file:
        np.savez(data, x=file["x"], y=file["y"])
    ended = ran("-m", "examples.digits.own_lava_program", digits_artifact, data)
    assert ended.returncode == 0, ended.stderr
    predicted, labels = (line.split()[1:] for line in ended.stdout.splitlines()[-2:])
    artifact = read_artifact(digits_artifact)
    samples = artifact.manifest.preprocessing.apply(digits_images[:5], artifact.network.input_shape)
    expected = decode(artifact.network, simulate(artifact.network, samples).potentials).argmax(axis=1)
    assert [int(one) for one in predicted] == expected.tolist()
    assert len(labels) == 5


def test_errors_of_build(digits_artifact, tmp_path):
    with pytest.raises(ArtifactError):
        nmdeploy.lava.build(tmp_path)
    with pytest.raises(AttributeError, match="no attribute 'unbuild'"):
        _ = nmdeploy.lava.unbuild


def test_python_without_lava_is_told_so(digits_artifact, tmp_path):
    (tmp_path / "lava.py").write_text("raise ModuleNotFoundError(\"No module named 'lava'\")\n")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import nmdeploy.lava, nmdeploy.errors\n"
        f"try: nmdeploy.lava.build({str(digits_artifact)!r})\n"
        "except nmdeploy.errors.BackendError as error: print(error)"
    )
    ended = ran("-c", program)
    assert "nmdeploy[lava]" in ended.stdout, ended.stderr
