"""Lava processes against the simulator: every spike, every potential, every saturation."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from nmdeploy.errors import DataFileError
from nmdeploy.lava.batches import Batches, window_currents
from nmdeploy.simulator import simulate

from .networks import networks, samples_for, stock_networks

pytestmark = pytest.mark.lava
pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")

EXPENSIVE = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def run(builder, network, samples, batches):
    """Results by population: spike trains, counts, saturations, and the outputs' potentials."""
    from nmdeploy.lava.execution import execute

    with tempfile.TemporaryDirectory() as folder:
        emission = builder(
            network,
            window_currents(network, samples, batches),
            batch=batches.batch,
            windows=batches.windows,
            record_folder=Path(folder),
            record_spike_trains=True,
        )
        execute([*emission.populations.values(), *emission.projections.values()], emission.total_steps)
        assert all(r.windows_finished == batches.windows for r in emission.recordings.values())
        count = len(samples)
        return {
            what: {
                name: np.array(recording.read(what)[:count])
                for name, recording in emission.recordings.items()
                if what != "potentials" or recording.potentials
            }
            for what in ("trains", "counts", "saturations", "potentials")
        }


def assert_equal_to_simulator(network, samples, lava, *, saturations=True):
    expected = simulate(network, samples, record_spike_trains=True)
    for population in network.populations:
        name = population.name
        np.testing.assert_array_equal(lava["trains"][name], expected.spike_trains[name], err_msg=name)
        np.testing.assert_array_equal(lava["counts"][name], expected.spike_counts[name], err_msg=name)
    joined = np.concatenate([lava["potentials"][output.name] for output in network.outputs], axis=2)
    np.testing.assert_array_equal(joined, expected.potentials)
    if saturations:
        assert sum(int(values.sum()) for values in lava["saturations"].values()) == expected.saturations


@EXPENSIVE
@given(data=st.data())
def test_processes_equal_simulator(data):
    from nmdeploy.lava.build import build

    network = data.draw(networks())
    samples = data.draw(samples_for(network))
    batches = Batches.of(len(samples), data.draw(st.integers(1, 3)))
    try:
        simulate(network, samples)
    except DataFileError:  # a sample larger than the random bias field
        reject()
    assert_equal_to_simulator(network, samples, run(build, network, samples, batches))


@EXPENSIVE
@given(data=st.data())
def test_stock_processes_equal_simulator_and_ours(data):
    from nmdeploy.lava.stock import build_stock, stock_obstacles

    network = data.draw(stock_networks())
    samples = np.rint(data.draw(samples_for(network, largest=3)))
    batches = Batches(len(samples), 1, len(samples))
    assert stock_obstacles(network, window_currents(network, samples, batches)) == []
    lava = run(build_stock, network, samples, batches)
    assert_equal_to_simulator(network, samples, lava, saturations=False)
