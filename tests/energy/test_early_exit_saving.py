"""Steps and energy saved by early exit, against figures worked out by hand."""

import numpy as np
import pytest

from hw_profiles import load_profile
from hw_profiles.energy import energy_presets
from mapping.connectivity import Connectivity
from mapping.network import ChipNetwork, InputProjection, Population, Projection, build_graph
from mapping.placement import CoreAddress, CoreRecord, Placement
from mapping.tiles import Demands, Tile
from nmdeploy.energy.early_exit import early_exit_saving, population_steps
from nmdeploy.simulator import simulate

SAMPLES = np.array([1, 2, 3, 0], np.float32).reshape(4, 1, 1, 1)


def dense(sources, targets):
    here = np.zeros((1, 1), np.int32)
    return Connectivity((sources, 1, 1), (targets, 1, 1), here, here, (0, sources), (0, targets))


def population(name, neurons, bias, threshold, start_step, **fields):
    given = {"reset": "subtract", "negative_threshold": None, "scale": np.ones(neurons), **fields}
    return Population(
        name=name,
        shape=(neurons, 1, 1),
        threshold=np.full(neurons, threshold),
        bias_mantissa=np.full((neurons, 1, 1), bias),
        bias_exponent=np.zeros((neurons, 1, 1), np.int64),
        initial_potential=np.zeros(neurons, np.int64),
        start_step=start_step,
        **given,
    )


def projection(source, target, weights):
    weights = np.array(weights, np.int32).reshape(-1, 1, 1, 1)
    return Projection(f"{source}->{target}", source, target, dense(1, len(weights)), weights, 0, 8, "mixed")


def network():
    """Two classes, of which the first gains x a step; T = 10.

    "tick" spikes in every step and adds as much to both; "silent" never spikes, but might add 4 to the second class.
    "late" reads the tick, too, and starts when the output does.
    """
    populations = [
        population("tick", 1, 1, 1, 0),
        population("silent", 1, 1, 1000, 0),
        population("late", 1, 0, 1000, 1),
        population("out", 2, 0, 0, 1, reset="none", is_output=True),
    ]
    projections = [
        projection("tick", "late", [1]),
        projection("tick", "out", [5, 5]),
        projection("silent", "out", [0, 4]),
    ]
    inputs = (InputProjection("x", "out", dense(1, 2), np.array([1, 0]).reshape(2, 1, 1, 1), 0, 0),)
    return ChipNetwork((1, 1, 1), 10, 0, 0, 2**23 - 1, 4095, 7, build_graph(populations, projections), inputs)


def placement(net):
    tiles = tuple(Tile(one.name, (0, one.shape[0]), (0, 1), (0, 1)) for one in net.populations)
    return Placement((CoreRecord(CoreAddress(0, 0, 0, 0), tiles, (), Demands(*[0] * 11)),))


def test_saving():
    """The samples leave after 8, 6, 3 and 10 steps, the tick being one step ahead: 9, 7, 4 and 10 spikes.

    A spike costs three accumulates, and each output neuron adds its current in each of its steps:
    (3 * 30 + 2 * 27) / 4 = 36 AC of 0.1 pJ, and 2 MAC of 3.2 pJ, instead of 3 * 10 + 2 * 10 = 50 AC.
    """
    net = network()
    early, whole = simulate(net, SAMPLES, check_interval=1), simulate(net, SAMPLES)
    assert early.steps.tolist() == [8, 6, 3, 10]
    saving = early_exit_saving(
        net, placement(net), load_profile("loihi"), SAMPLES, whole, early, 1, energy_presets()["int32"]
    )
    assert (saving.samples, saving.timesteps, saving.check_interval, saving.left_early) == (4, 10, 1, 3)
    assert (saving.mean_steps, saving.mean_latency_steps, saving.whole_latency_steps) == (6.75, 7.75, 11)
    assert (saving.spikes_per_inference, saving.whole_spikes_per_inference) == (7.5, 10)
    assert saving.energy_pj == pytest.approx(3.6 + 6.4, rel=1e-12)
    assert saving.whole_energy_pj == pytest.approx(5.0 + 6.4, rel=1e-12)
    assert saving.latency_saved == pytest.approx(1 - 7.75 / 11)
    assert saving.as_dict()["energy_saved"] == pytest.approx(1.4 / 11.4)


def test_populations_run_as_far_as_the_clock_has():
    """One that starts 3 steps before the output is 3 steps ahead, but has no more than 10; a later one has less."""
    populations = [
        population("early", 1, 0, 1, 0),
        population("out", 1, 0, 0, 3, reset="none", is_output=True),
        population("later", 1, 0, 1, 8),
    ]
    net = ChipNetwork((1, 1, 1), 10, 0, 0, 2**23 - 1, 4095, 7, build_graph(populations, []))
    steps = population_steps(net, np.array([1, 6, 9, 10]), 10)
    assert steps["early"].tolist() == [4, 9, 10, 10]
    assert steps["out"].tolist() == [1, 6, 9, 10]
    assert steps["later"].tolist() == [0, 1, 4, 10]
