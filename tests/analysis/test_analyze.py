"""The parts of an analysis fit together."""

from dataclasses import replace

import numpy as np
import pytest
from analyzed import analyzed, unwatched
from integer_networks import network, one_to_one, population, projection
from small_networks import KINDS, samples_of, small

from mapping.network import build_graph
from nmdeploy.analysis.analyze import AnalysisOptions, analyze
from nmdeploy.errors import DataFileError, NmdeployError
from nmdeploy.simulator import simulate
from nmdeploy.spiking.network import build_spiking_network


@pytest.mark.parametrize("kind", KINDS)
def test_the_layers_are_those_of_the_whole_window(kind):
    analysis, made = analyzed(kind), small(kind)
    result = simulate(made.chip, samples_of(9), timesteps=6)
    spikes = sum(int(counts.sum()) for counts in result.spike_counts.values())
    assert analysis.spikes_per_inference == pytest.approx(spikes / 9)
    assert (analysis.samples, analysis.timesteps, analysis.saturations) == (9, 6, 0)
    whole = analysis.curve.points[-1]
    assert (analysis.accuracy, analysis.agreement, analysis.error) == (
        whole.window.accuracy,
        whole.window.agreement,
        whole.window.error,
    )
    assert analysis.layers.rows[-1].relative_error == pytest.approx(analysis.error, rel=1e-5)
    assert (analysis.latency_steps, analysis.steps_per_sample) == (whole.latency_steps, whole.steps_per_sample)
    labels = np.random.default_rng(3).integers(0, 2, 9)
    decisions = made.activations(samples_of(9))["out"][:, :, 0, 0].argmax(axis=1)
    assert analysis.float_accuracy == (decisions == labels).mean()


def test_which_windows():
    every, few = (analyzed("plain", windows=windows, timesteps=10).curve.points for windows in ("every", "landmarks"))
    assert [point.timesteps for point in every] == list(range(1, 11))
    assert [point.timesteps for point in few] == [1, 2, 3, 4, 6, 8, 10]


@pytest.mark.parametrize("wrong", [2, -1])
def test_labels_of_no_output_are_refused(wrong):
    made = small("plain")
    labels = np.array([0, 1, wrong])
    with pytest.raises(DataFileError, match=f"label {wrong}; the network has 2 outputs"):
        analyze(made.chip, made.trained, samples_of(3), labels, AnalysisOptions(4), unwatched)


def test_cycles_are_refused():
    shape = (1, 1, 1)
    one, two = population("one", shape, start_step=0), population("two", shape, start_step=1)
    table = one_to_one(shape)
    edges = [projection("one", "two", table, [3]), projection("two", "one", table, [2])]
    net = network([replace(one, is_output=True), two])
    net = replace(net, graph=build_graph([replace(one, is_output=True), two], edges))
    samples, nothing = np.zeros((1, *shape), np.float32), build_spiking_network(shape, [], [])
    with pytest.raises(NmdeployError, match="two->one closes a cycle"):
        analyze(net, nothing, samples, None, AnalysisOptions(4), unwatched)
