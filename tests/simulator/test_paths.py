"""Every path of the simulator against the loop over the chip's clock: neurons, cycles, kernels, rounds, early exit."""

import numpy as np
import pytest
import torch
from chip_clock import chip_run
from counting_networks import counting_networks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integer_networks import input_projection, network, population, projection, whole
from lava_backend.networks import samples_for
from simulated_networks import classifiers, cyclic_networks, residual_networks

from mapping.connectivity import Connectivity
from mapping.neuron_models import CountMemory, PoolCounts
from mapping.pool_taps import pool_weights
from nmdeploy.decode import decode
from nmdeploy.errors import NmdeployError
from nmdeploy.simulator import fast_products, simulate
from nmdeploy.simulator.early_exit import EarlyExit
from nmdeploy.simulator.engine import Engine
from nmdeploy.simulator.tensor_engine import TensorEngine
from nmdeploy.simulator.torch_engine import TorchEngine
from nmdeploy.simulator.window import Window


@pytest.fixture(params=["numpy", "torch", "torch without 8-bit convolution", "torch spike by spike"])
def engine(request, monkeypatch):
    if "without" in request.param:
        monkeypatch.setattr(fast_products, "int8_convolution_works", lambda _: False)
    if "by spike" in request.param:
        # as if finding one took no time, and adding its weights neither: then it always pays
        monkeypatch.setattr(fast_products, "EVENT_NANOSECONDS", 1e-6)
        monkeypatch.setattr(fast_products, "ADDITION_NANOSECONDS", 0.0)
    return request.param.split()[0]


@st.composite
def runs(draw):
    """A network, samples, a number of time steps, and the steps of a round."""
    net = draw(cyclic_networks() | residual_networks() | counting_networks() | counting_networks())
    timesteps = draw(st.sampled_from([net.timesteps, 1, 7]))
    return net, draw(samples_for(net, largest=3)), timesteps, draw(st.integers(1, timesteps))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(run=runs())
def test_every_spike_of_every_step(engine, run):
    net, samples, timesteps, round_steps = run
    spikes, potentials, saturations = chip_run(net, samples, timesteps)
    kind = Engine if engine == "numpy" else TorchEngine
    on_device = Window(TensorEngine(net, torch.device("cpu")), samples, timesteps, record_spike_trains=True)
    in_rounds = Window(kind(net), samples, timesteps, record_spike_trains=True).run(round_steps)
    at_once = simulate(net, samples, timesteps=timesteps, engine=engine, record_spike_trains=True)
    for result in (in_rounds, at_once, on_device.run(round_steps)):
        for name, train in spikes.items():
            np.testing.assert_array_equal(result.spike_trains[name], train)
            np.testing.assert_array_equal(result.spike_counts[name], np.abs(train).sum(axis=1))
        np.testing.assert_array_equal(result.potentials, outputs_of(net, potentials))
        assert result.saturations == saturations
        assert result.steps.tolist() == [timesteps] * len(samples)
    assert not simulate(net, samples, engine=engine).spike_trains, "trains cost memory and are kept on request only"


def outputs_of(net, potentials):
    return np.concatenate([potentials[one.name] for one in net.outputs], axis=2)


@st.composite
def runs_of_classifiers(draw):
    """A network, samples, and the steps between two checks."""
    net = draw(classifiers())
    return net, draw(samples_for(net, largest=3)), draw(st.integers(1, net.timesteps))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(run=runs_of_classifiers())
def test_early_exit_is_the_chip_stopped(engine, run):
    """Spikes, counts and potentials are those of a chip that is stopped when the output has done its last step."""
    check_early_exit(engine, *run)


def check_early_exit(engine, net, samples, interval):
    result = simulate(net, samples, engine=engine, check_interval=interval, record_spike_trains=True)
    whole_window = simulate(net, samples, engine=engine)
    decisions = [decode(net, one.potentials).argmax(axis=1) for one in (result, whole_window)]
    np.testing.assert_array_equal(*decisions)
    saturations = 0
    for sample, steps in enumerate(result.steps):
        assert 1 <= steps <= net.timesteps
        assert steps % interval == 0 or steps == net.timesteps
        # a sample that stays has time for every population to end its window
        stop = net.outputs[0].start_step + int(steps) if steps < net.timesteps else None
        spikes, potentials, cut_off = chip_run(net, samples[sample : sample + 1], stop=stop)
        saturations += cut_off
        for name, train in spikes.items():
            np.testing.assert_array_equal(result.spike_trains[name][sample], train[0])
            np.testing.assert_array_equal(result.spike_counts[name][sample], np.abs(train[0]).sum(axis=0))
        expected = outputs_of(net, potentials)[0]
        expected[steps:] = expected[steps - 1]
        np.testing.assert_array_equal(result.potentials[sample], expected)
    assert result.saturations == saturations
    on_device = Window(TensorEngine(net, torch.device("cpu")), samples, net.timesteps, record_spike_trains=True)
    same = on_device.run_until_decided(interval, EarlyExit(net, net.timesteps))
    for name, train in result.spike_trains.items():
        np.testing.assert_array_equal(same.spike_trains[name], train)
    np.testing.assert_array_equal(same.potentials, result.potentials)
    return result


def test_what_neurons_count_stays_with_their_sample(engine):
    """Samples leave one after another: class 0 gains x a step, class 1 what paced neurons and a maximum send."""
    shape, pooled, classes = (2, 1, 2), (2, 1, 1), (2, 1, 1)
    paced = population("paced", shape, count_memory=CountMemory(1, release="half"))
    pool = population("pool", pooled, threshold=np.zeros(2, int), pool_counts=PoolCounts(4))
    readout = population("readout", classes, reset="none", threshold=np.zeros(2, int), is_output=True)
    both = np.arange(2, dtype=np.int32)[None]
    window = Connectivity(shape, pooled, both[:, :1], both, (0, 2), (0, 2), 2)
    projections = [
        projection("paced", "pool", window, pool_weights((1, 2), 2, 4)),
        projection("pool", "readout", whole(pooled, classes), [0, 0, 4, 1]),
        projection("paced", "readout", whole(shape, classes), [0, 0, 0, 0, 1, 1, 1, -1]),
    ]
    upsampled = Connectivity((1, 1, 1), shape, both[:, :1], both[:, :1].repeat(2, axis=0), (0, 1), (0, 2))
    inputs = [
        input_projection("paced", upsampled, [3, -2]),
        input_projection("readout", whole((1, 1, 1), classes), [1, 0]),
    ]
    net = network([paced, pool, readout], projections, inputs, timesteps=12)
    samples = np.array([2, 30, 9, 18, 1], np.float32).reshape(5, 1, 1, 1)
    result = check_early_exit(engine, net, samples, 1)
    assert len(set(result.steps)) > 2
    assert all(result.spike_counts[name].any(axis=1).sum() > 2 for name in ("paced", "pool"))


def early_network():
    """The first class gains x a step, a spike of the silent source would give the second 4: final if 10 x > 4 rest."""
    silent = population("silent", (1, 1, 1), threshold=np.array([1000]), bias_mantissa=np.ones((1, 1, 1), int))
    readout = population("readout", (2, 1, 1), reset="none", threshold=np.zeros(2, int), is_output=True)
    table = whole((1, 1, 1), (2, 1, 1))
    inputs = [input_projection("readout", table, [1, 0])]
    net = network([silent, readout], [projection("silent", "readout", table, [0, 4])], inputs, timesteps=10)
    return net, np.array([1, 2, 3, 0], np.float32).reshape(4, 1, 1, 1)


@pytest.mark.parametrize(("interval", "steps"), [(1, [8, 6, 3, 10]), (4, [8, 8, 4, 10]), (7, [10, 7, 7, 10])])
def test_samples_leave_when_their_decision_is_final(engine, interval, steps):
    net, samples = early_network()
    result = simulate(net, samples, engine=engine, check_interval=interval)
    assert result.steps.tolist() == steps
    reached = [[x * min(step, end) for step in range(1, 11)] for x, end in zip([1, 2, 3, 0], steps, strict=True)]
    assert result.potentials[:, :, 0].tolist() == reached


def test_the_proof_is_made_once_for_all_parts(monkeypatch):
    made, parts, make = [], [], EarlyExit.__init__
    monkeypatch.setattr(EarlyExit, "__init__", lambda *given: made.append(given) or make(*given))
    monkeypatch.setattr(Engine, "preferred_bytes", 1)  # a sample a part
    net, samples = early_network()
    result = simulate(net, samples, engine="numpy", check_interval=1, progress=parts.append)
    assert parts == [1, 1, 1, 1]
    assert len(made) == 1
    assert result.steps.tolist() == [8, 6, 3, 10]


def test_no_output_is_no_classifier(engine):
    net, samples = early_network()
    silent = net.populations[0]
    with pytest.raises(NmdeployError, match="the network has no output"):
        simulate(network([silent]), samples, engine=engine, check_interval=1)


def test_samples_leave_on_a_device_as_well():
    net, samples = early_network()
    window = Window(TensorEngine(net, torch.device("cpu")), samples, net.timesteps, record_spike_trains=False)
    result = window.run_until_decided(1, EarlyExit(net, net.timesteps))
    assert result.steps.tolist() == [8, 6, 3, 10]


def test_a_gpu_that_is_not_there():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    net, samples = early_network()
    with pytest.raises(NmdeployError, match="GPU"):
        simulate(net, samples, engine="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@settings(max_examples=60, deadline=None)
@given(run=runs())
def test_gpu(run):
    net, samples, timesteps, _ = run
    expected = simulate(net, samples, timesteps=timesteps, engine="numpy", record_spike_trains=True)
    found = simulate(net, samples, timesteps=timesteps, engine="cuda", record_spike_trains=True)
    np.testing.assert_array_equal(found.potentials, expected.potentials)
    assert found.saturations == expected.saturations
    for name, train in expected.spike_trains.items():
        np.testing.assert_array_equal(found.spike_trains[name], train)
