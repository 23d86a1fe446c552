"""Whole runs in the child process, and every way in which they can fail."""

from __future__ import annotations

import dataclasses
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import venv

import numpy as np
import pytest

from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, Population, Projection, build_graph
from nmdeploy.artifact.network_file import write_network
from nmdeploy.errors import ArtifactError, BackendError
from nmdeploy.lava.runner import SATURATIONS_UNKNOWN, run_on_lava
from nmdeploy.simulator import simulate

from .conftest import left_running, running
from .worked_example import FINAL_1, FINAL_2, SPIKES_1, SPIKES_2, worked_example

pytestmark = pytest.mark.usefixtures("nothing_left_behind")

SAMPLES = np.zeros((3, 1, 1, 1), dtype=np.float32)
ENDLESS = 10_000_000
PROMPT_SECONDS = 15


@pytest.fixture
def lava():
    return pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")


@pytest.fixture
def network_file(tmp_path):
    path = tmp_path / "network.h5"
    write_network(path, worked_example())
    return path


@pytest.fixture
def endless_file(tmp_path):
    """A network that runs until somebody ends it."""
    network = worked_example(timesteps=ENDLESS)
    silent = [dataclasses.replace(population, is_output=False) for population in network.populations]
    path = tmp_path / "endless.h5"
    write_network(path, dataclasses.replace(network, graph=build_graph(silent, network.projections)))
    return path


def with_bad_table(network):
    """The network with an index table that points outside its source: a worker raises in its first step."""
    projection = network.projections[0]
    rows = np.full_like(projection.connectivity.rows, 1000)
    broken = dataclasses.replace(
        projection, connectivity=dataclasses.replace(projection.connectivity, rows=rows)
    )
    return dataclasses.replace(network, graph=build_graph(network.populations, [broken]))


@pytest.mark.lava
def test_worked_example_has_exactly_its_spikes_and_potentials(lava, network_file):
    finished = []
    result = run_on_lava(network_file, SAMPLES, batch=2, record_spike_trains=True, progress=finished.append)
    for sample in range(3):
        np.testing.assert_array_equal(result.spike_trains["hidden"][sample], SPIKES_1)
        np.testing.assert_array_equal(result.spike_trains["out"][sample], SPIKES_2)
    assert result.spike_counts["hidden"].tolist() == [[4, 1, 0, 4]] * 3
    assert result.spike_counts["out"].tolist() == [[3, 3]] * 3
    assert result.potentials[:, -1].tolist() == [FINAL_1 + FINAL_2] * 3
    assert result.saturations == 0
    assert sum(finished) == 3


@pytest.mark.lava
def test_result_equals_that_of_the_simulator_in_form_too(lava, network_file):
    ours = run_on_lava(network_file, SAMPLES, timesteps=7, record_spike_trains=True)
    expected = simulate(worked_example(), SAMPLES, timesteps=7, record_spike_trains=True)
    for field in dataclasses.fields(expected):
        np.testing.assert_equal(getattr(ours, field.name), getattr(expected, field.name))
    assert ours.potentials.dtype == expected.potentials.dtype
    for name in expected.spike_counts:
        assert ours.spike_counts[name].dtype == expected.spike_counts[name].dtype
        assert ours.spike_trains[name].dtype == expected.spike_trains[name].dtype


def test_no_samples_need_no_lava(network_file):
    result = run_on_lava(network_file, SAMPLES[:0], lava_python="/nowhere")
    assert result.potentials.shape == (0, 4, 6)


@pytest.mark.lava
def test_stock_names_every_obstacle(lava, network_file):
    with pytest.raises(BackendError) as caught:
        run_on_lava(network_file, SAMPLES, stock=True)
    message = str(caught.value)
    assert "hidden: reset by subtraction" in message
    assert "out: biases or input currents that are not multiples of 64" in message
    assert "dense: weights times 2^0" in message


@pytest.mark.lava
def test_stock_runs_what_it_can_carry(lava, tmp_path):
    network = worked_example()
    hard = [
        dataclasses.replace(
            population,
            reset="zero",
            threshold=population.threshold * 64 + 1,
            initial_potential=population.initial_potential * 64,
            bias_exponent=population.bias_exponent + 6,
        )
        for population in network.populations
    ]
    network = dataclasses.replace(network, synapse_exponent=6, graph=build_graph(hard, network.projections))
    path = tmp_path / "hard.h5"
    write_network(path, network)
    result = run_on_lava(path, SAMPLES, stock=True, record_spike_trains=True)
    expected = simulate(network, SAMPLES, record_spike_trains=True)
    np.testing.assert_equal(result.spike_trains, expected.spike_trains)
    np.testing.assert_equal(result.potentials, expected.potentials)
    assert result.spike_counts["out"].any()
    assert result.saturations == SATURATIONS_UNKNOWN


@pytest.mark.lava
def test_worker_that_raises_shows_its_own_exception(lava, tmp_path):
    path = tmp_path / "broken.h5"
    write_network(path, with_bad_table(worked_example()))
    started = time.monotonic()
    with pytest.raises((BackendError, ArtifactError)) as caught:
        run_on_lava(path, SAMPLES)
    assert time.monotonic() - started < PROMPT_SECONDS
    assert "IndexError" in str(caught.value)
    assert "products.py" in str(caught.value)


def signal_a_worker(marker, number):
    """Signal one process of the Lava run once all of them are there."""
    deadline = time.monotonic() + PROMPT_SECONDS
    while time.monotonic() < deadline:
        processes = sorted(running(marker))
        if len(processes) >= 7:
            time.sleep(0.5)
            os.kill(processes[-1], number)
            return
        time.sleep(0.05)


@pytest.mark.lava
def test_killed_worker_is_an_error_at_once(lava, endless_file, marker):
    threading.Thread(target=signal_a_worker, args=(marker, signal.SIGKILL)).start()
    started = time.monotonic()
    with pytest.raises(BackendError, match="killed by SIGKILL"):
        run_on_lava(endless_file, SAMPLES[:1], time_limit_seconds=60)
    assert time.monotonic() - started < PROMPT_SECONDS


@pytest.mark.lava
def test_endless_run_meets_the_time_limit(lava, endless_file):
    started = time.monotonic()
    with pytest.raises(BackendError, match="no result within 6 s"):
        run_on_lava(endless_file, SAMPLES[:1], time_limit_seconds=6)
    assert time.monotonic() - started < 10


@pytest.fixture
def slow_file(tmp_path):
    """A network of which Lava's own convolution takes seconds for a time step, as it goes pair by pair of channels."""
    channels = 420
    one = np.zeros((1, 1), dtype=np.int32)
    table = Connectivity((channels, 1, 1), (channels, 1, 1), one, one, (0, channels), (0, channels))
    weights = np.resize(np.array([255, -255], dtype=np.int32), table.weight_shape)  # too wide for a Dense process
    zeros = np.zeros((channels, 1, 1), dtype=np.int64)
    populations = [
        Population(name, table.source_shape, reset, threshold, None, zeros, zeros, zeros[:, 0, 0], start,
                   np.ones(channels), is_output=reset == "none")
        for name, reset, threshold, start in (
            ("source", "zero", np.full(channels, 65), 0),
            ("target", "none", np.zeros(channels, dtype=np.int64), 1),
        )
    ]
    projection = Projection("between", "source", "target", table, weights, 0, 8, "mixed")
    network = ChipNetwork((1, 1, 1), 2, 6, 6, 2**23 - 1, 4095, 7, build_graph(populations, [projection]))
    path = tmp_path / "slow.h5"
    write_network(path, network)
    return path


@pytest.mark.lava
def test_slow_steps_are_no_error_by_themselves(lava, slow_file):
    started = time.monotonic()
    run_on_lava(slow_file, SAMPLES[:1], stock=True)
    assert time.monotonic() - started > 2


@pytest.mark.lava
def test_step_that_takes_too_long_is_an_error(lava, slow_file):
    with pytest.raises(BackendError, match=r"the Lava run hangs: time step [12] takes longer than .* --step-limit"):
        run_on_lava(slow_file, SAMPLES[:1], stock=True, step_limit_seconds=0.1)


@pytest.mark.lava
def test_interrupt_leaves_nothing(lava, endless_file):
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_on_lava(endless_file, SAMPLES[:1], timesteps=1, progress=interrupt)


@pytest.mark.lava
def test_run_ends_with_its_killed_parent(lava, endless_file, marker):
    program = (
        "import pathlib, sys, numpy; from nmdeploy.lava.runner import run_on_lava;"
        "run_on_lava(pathlib.Path(sys.argv[1]), numpy.zeros((1, 1, 1, 1), numpy.float32))"
    )
    environment = {**os.environ, "TMPDIR": tempfile.gettempdir()}
    parent = subprocess.Popen([sys.executable, "-c", program, str(endless_file)], env=environment)
    deadline = time.monotonic() + PROMPT_SECONDS
    while len(running(marker)) < 8 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(running(marker)) >= 8
    parent.kill()
    parent.wait()
    assert left_running(marker, 5) == []


def test_interpreter_without_lava_is_named_with_the_way_out(network_file, tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    python = str(tmp_path / "bare" / "bin" / "python")
    with pytest.raises(BackendError) as caught:
        run_on_lava(network_file, SAMPLES, lava_python=python)
    assert python in str(caught.value)
    assert "nmdeploy[lava]" in str(caught.value)
    assert "--lava-python" in str(caught.value)


def test_interpreter_with_everything_but_lava(network_file, tmp_path, monkeypatch):
    """An interpreter in which `lava` cannot be imported, chosen through the environment."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "lava.py").write_text("raise ModuleNotFoundError(\"No module named 'lava'\")\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}/hidden" exec "{sys.executable}" "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("NMDEPLOY_LAVA_PYTHON", str(python))
    with pytest.raises(BackendError, match="cannot run Lava: No module named 'lava'"):
        run_on_lava(network_file, SAMPLES)


def test_interpreter_that_does_not_exist(network_file):
    with pytest.raises(BackendError, match="cannot be started"):
        run_on_lava(network_file, SAMPLES, lava_python="/no/such/python")


def test_missing_network_file(tmp_path):
    with pytest.raises(ArtifactError):
        run_on_lava(tmp_path / "missing.h5", SAMPLES)
