"""An artifact of neurons with count memories and maxima, run by the command line on Lava and on the simulator."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from command_line import nmdeploy

from mapping.network import build_graph
from mapping.neuron_models import CountMemory
from nmdeploy.artifact.network_file import write_network
from nmdeploy.errors import BackendError
from nmdeploy.lava.batches import Batches
from nmdeploy.lava.recording import recordings_of
from nmdeploy.lava.runner import _Progress, run_on_lava
from nmdeploy.simulator import simulate

from .comparison import assert_equal_to_simulator, run
from .programmable_example import programmable_example, samples_of_example, write_example

pytestmark = pytest.mark.lava
pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programmable")
    write_example(folder / "example.nmd")
    np.savez(folder / "data.npz", x=samples_of_example(), y=np.arange(5) % 3)
    return folder


def ran(folder, output, *options):
    """What the command prints as JSON, and what it writes."""
    command = ["run", folder / "example.nmd", "--data", folder / "data.npz", "--output", output, "--json"]
    ended = nmdeploy(*command, *options)
    assert ended.code == 0, ended.stderr
    with np.load(output) as file:
        return ended.json, dict(file)


@pytest.mark.parametrize("timesteps", [8, 3])
@pytest.mark.parametrize("granularity", ["layer", "core"])
def test_command_line_gives_what_the_simulator_gives(folder, tmp_path, granularity, timesteps):
    window = ["-T", timesteps]
    on_lava = ["--backend", "lava", "--granularity", granularity, *window]
    shown, lava = ran(folder, tmp_path / "lava.npz", *on_lava)
    expected_shown, expected = ran(folder, tmp_path / "simulator.npz", *window)
    assert sorted(lava) == sorted(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(lava[name], values, err_msg=name)
    assert all(expected[f"spike_counts/{name}"].any() for name in ("edges", "largest", "paced"))
    del shown["backend"], shown["seconds"], expected_shown["backend"], expected_shown["seconds"]
    assert shown == expected_shown
    assert shown["latency_steps"] == timesteps + 11


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_every_spike_of_samples_side_by_side_and_back_to_back(folder, batch):
    ours = run_on_lava(
        folder / "example.nmd" / "network.h5", samples_of_example(), batch=batch, record_spike_trains=True
    )
    expected = simulate(programmable_example(), samples_of_example(), record_spike_trains=True)
    for field in dataclasses.fields(expected):
        np.testing.assert_equal(getattr(ours, field.name), getattr(expected, field.name))
    for name in ("edges", "largest", "paced", "signed"):
        train = expected.spike_trains[name]
        assert (train > 0).any(), name
        assert (train < 0).any(), name


@pytest.mark.parametrize("granularity", ["layer", "core"])
def test_refinement_steps(folder, tmp_path, granularity):
    """The last three spikes of a window weigh 4, 2 and 1, all others 8."""
    refined = with_population("shifted", count_memory=CountMemory(3, release="half"))
    network = dataclasses.replace(refined, refinement_steps=3)
    write_network(tmp_path / "network.h5", network)
    ours = run_on_lava(
        tmp_path / "network.h5",
        samples_of_example(),
        batch=2,
        record_spike_trains=True,
        placement_file=folder / "example.nmd" / "placement.json" if granularity == "core" else None,
    )
    expected = simulate(network, samples_of_example(), record_spike_trains=True)
    for field in dataclasses.fields(expected):
        np.testing.assert_equal(getattr(ours, field.name), getattr(expected, field.name))
    unrefined = simulate(refined, samples_of_example(), record_spike_trains=True)
    assert all((expected.spike_trains[name] != unrefined.spike_trains[name]).any() for name in ("edges", "largest"))


def test_kernels_of_long_runs_tell_synapses_apart(monkeypatch):
    """Those of torch, some of which take weights of 8 bits only."""
    from nmdeploy.lava import emit_layers

    monkeypatch.setattr(emit_layers, "COMPILED_OPERATIONS", -1)
    network, samples = programmable_example(), samples_of_example()
    lava = run(emit_layers.emit_layers, network, samples, Batches(5, 3, 2))
    assert_equal_to_simulator(network, samples, lava)


def with_population(name, **changes):
    network = programmable_example()
    populations = [
        dataclasses.replace(one, **changes) if one.name == name else one for one in network.populations
    ]
    return dataclasses.replace(network, graph=build_graph(populations, network.projections))


def test_progress_follows_the_population_that_fires_last(tmp_path):
    """The first to start here, as its lead is longer than all others start after it."""
    network = with_population("edges", count_memory=CountMemory(20))
    recordings = recordings_of(network, tmp_path, (2, 1, network.timesteps), False)
    reported = []
    progress = _Progress(network, recordings, Batches(2, 2, 1), reported.append)
    for recording in recordings.values():
        recording.create()
    for name in ("out", "edges"):
        assert reported == []
        np.load(recordings[name].path("saturations"), mmap_mode="r+")[:] = 0
        progress()
    assert reported == [2]


def test_stock_processes_name_what_they_lack(folder):
    with pytest.raises(BackendError) as caught:
        run_on_lava(folder / "example.nmd" / "network.h5", samples_of_example(), stock=True)
    message = str(caught.value)
    for name, model in (("edges", "paced"), ("largest", "max_pool"), ("shifted", "paced"), ("signed", "signed")):
        assert f"{name}: neurons of model '{model}'" in message


def test_saturation_in_steps_before_the_first_firing_step_is_counted(tmp_path):
    """With a lead of two steps, potentials are cut off in steps of the window that record nothing."""
    network = dataclasses.replace(with_population("edges", bias_exponent=np.full((3, 1, 1), 4)), state_max=500)
    path = tmp_path / "network.h5"
    write_network(path, network)
    ours = run_on_lava(path, samples_of_example(2), batch=1, record_spike_trains=True)
    expected = simulate(network, samples_of_example(2), record_spike_trains=True)
    assert expected.saturations > 2 * 8 * 36
    assert ours.saturations == expected.saturations
    np.testing.assert_equal(ours.spike_trains, expected.spike_trains)
