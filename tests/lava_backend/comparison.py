"""Runs networks on Lava in this process and compares every spike, potential and saturation with the simulator."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from nmdeploy.lava.batches import window_currents
from nmdeploy.lava.recording import recordings_of
from nmdeploy.simulator import simulate


def run(emit, network, samples, batches):
    """Results by population: spike trains, counts, saturations, and the outputs' potentials."""
    from nmdeploy.lava.execution import execute

    extent = (batches.batch, batches.windows, network.timesteps)
    with tempfile.TemporaryDirectory() as folder:
        recordings = recordings_of(network, Path(folder), extent, True)
        program = emit(
            network,
            window_currents(network, samples, batches),
            batch=batches.batch,
            windows=batches.windows,
            recordings=recordings,
        )
        execute(program.processes, program.steps_for(batches.windows))
        assert all(recording.windows_finished == batches.windows for recording in recordings.values())
        count = len(samples)
        return {
            what: {
                name: np.array(recording.read(what)[:count])
                for name, recording in recordings.items()
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
