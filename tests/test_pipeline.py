"""All passes together: the method chosen, what is said, what is stopped, and that results repeat."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from hw_profiles import load_profile
from nmdeploy.compiler_options import CompilerOptions
from nmdeploy.convert.calibration import noise_calibration, split_calibration
from nmdeploy.convert.methods import METHODS
from nmdeploy.decode import decode
from nmdeploy.errors import NmdeployError, QuantizationError
from nmdeploy.frontend.trace import trace
from nmdeploy.layers import operators as op
from nmdeploy.layers.graph import Layer, build_layer_graph
from nmdeploy.passes import PassRunner, StoppedAfterPassError
from nmdeploy.pipeline import PASSES, compile_layers
from nmdeploy.preprocessing import Preprocessing
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.simulator import simulate

LOIHI = load_profile("loihi")


def compiled(
    layers,
    calibration,
    method="auto",
    timesteps=16,
    stop_after=None,
    announced=None,
    compensation="auto",
    **quantization,
):
    options = CompilerOptions(QuantizationOptions(timesteps, **quantization), method, compensation=compensation)
    announced = [] if announced is None else announced
    return compile_layers(layers, calibration, LOIHI, options, PassRunner(announced.append, stop_after))


def two_layers(weight, bias, readout):
    """Linear, rectified, linear; the graph and the same function in float64."""
    hidden, outputs = np.float32(weight), np.float32(readout)
    zeros = np.zeros(len(outputs), np.float32)
    layers = build_layer_graph(
        [
            Layer("input", op.Input(), (), (hidden.shape[1], 1, 1)),
            Layer("hidden", op.Linear(hidden, np.float32(bias)), ("input",), (len(hidden), 1, 1)),
            Layer("relu", op.ReLU(), ("hidden",), (len(hidden), 1, 1)),
            Layer("out", op.Linear(outputs, zeros), ("relu",), (len(outputs), 1, 1)),
        ],
        ("out",),
    )
    return layers, lambda x: np.maximum(x @ hidden.T.astype(float) + bias, 0) @ outputs.T


def loud_channel(loudness=1000.0):
    """Four quiet channels decide; a fifth is loud and nobody listens to it."""
    weight = np.vstack([np.eye(4), np.full((1, 4), loudness)])
    return two_layers(weight, np.zeros(5), np.hstack([np.eye(4), np.full((4, 1), 1e-6)]))


def uniform(features, count=64, seed=1):
    samples = np.random.default_rng(seed).random((count, features, 1, 1)).astype(np.float32)
    return split_calibration(samples, "uniform samples")


def agreement_of(made, function, samples):
    """Share of samples whose largest output is that of the float function."""
    decoded = decode(made.network, simulate(made.network, samples).potentials)
    return float((decoded.argmax(axis=1) == function(samples[:, :, 0, 0]).argmax(axis=1)).mean())


def test_auto_takes_the_method_that_agrees_best():
    (layers, function), calibration = loud_channel(), uniform(4)
    networks = {name: compiled(layers, calibration, name, compensation="none") for name in METHODS}
    found = {name: agreement_of(made, function, calibration.held_out) for name, made in networks.items()}
    assert found["layer-max"] < 0.5 < found["channel-max"], "layer-max should lose clearly here"
    chosen = compiled(layers, calibration)
    assert found[chosen.recipe.method] == max(found.values())
    assert agreement_of(chosen, function, calibration.held_out) >= max(found.values())


def test_auto_leaves_out_a_method_that_does_not_fit_the_chip():
    """Beside a unit of 5000, layer-max gives the weight of 10 from a unit of 1 the size of 50,000 thresholds."""
    layers = []

    def add(name, operator):
        before = (layers[-1].name,) if layers else ()
        layers.append(Layer(name, operator, before, (2, 1, 1)))

    add("input", op.Input())
    add("loud", op.Linear(np.float32([[5000, 0], [0, 1]]), np.float32([0, 0])))
    add("relu", op.ReLU())
    add("narrow", op.Linear(np.float32([[1 / 5000, 0], [0, 10]]), np.float32([-0.1, -9.0])))
    add("relu2", op.ReLU())
    add("out", op.Linear(np.eye(2, dtype=np.float32), np.zeros(2, np.float32)))
    graph, calibration = build_layer_graph(layers, ("out",)), uniform(2)
    with pytest.raises(QuantizationError, match="loud->narrow"):
        compiled(graph, calibration, "layer-max")
    made = compiled(graph, calibration)
    assert made.recipe.method.startswith("channel")
    assert any(note.startswith("method layer-max left out: loud->narrow") for note in made.audit.notes)


def test_a_demand_that_no_method_can_meet_is_an_error():
    with pytest.raises(QuantizationError, match="7 bits"):
        compiled(loud_channel()[0], uniform(4), weight_bits=7)


def test_unknown_method_lists_the_known_ones():
    with pytest.raises(NmdeployError, match="unknown method 'best'") as refusal:
        compiled(loud_channel()[0], uniform(4), "best")
    for name in ("auto", *METHODS):
        assert name in str(refusal.value)


def test_an_unsound_graph_is_refused():
    layers, _ = loud_channel()
    broken = [Layer("out", op.Linear(np.ones((4, 3), np.float32), np.zeros(4, np.float32)), ("relu",), (4, 1, 1))]
    with pytest.raises(NmdeployError, match="not sound: out"):
        compiled(build_layer_graph(layers.layers[:-1] + broken, ("out",)), uniform(4))


@pytest.mark.parametrize("name", PASSES)
def test_stop_after_each_pass(name):
    announced = []
    with pytest.raises(StoppedAfterPassError) as stop:
        compiled(loud_channel()[0], uniform(4), "channel-max", stop_after=name, announced=announced)
    assert tuple(announced) == PASSES[: PASSES.index(name) + 1]
    assert tuple(stop.value.seconds) == tuple(announced)
    assert str(stop.value) == name


def test_every_pass_is_announced_and_timed():
    announced = []
    made = compiled(loud_channel()[0], uniform(4), announced=announced)
    assert tuple(announced) == tuple(made.seconds) == PASSES
    assert made.violations == ()
    assert len(made.placement.cores) >= made.core_bounds.of_any_mapping >= 1


def test_no_calibration_data_is_said_loudly():
    layers, _ = loud_channel()
    noise = noise_calibration((4, 1, 1), Preprocessing(), seed=0)
    made = compiled(layers, noise)
    assert any(note.startswith("NO CALIBRATION DATA") for note in made.audit.notes)
    assert compiled(layers, uniform(4)).audit.notes == ()


@pytest.fixture(scope="module")
def digits():
    """A small convolutional network trained for seconds on the digits of scikit-learn, and data it has not seen."""
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
    y = torch.tensor(labels)
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 3, padding=1),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(48, 10),
    )
    optimiser = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(12):
        for batch in torch.randperm(1200).split(100):
            optimiser.zero_grad()
            nn.functional.cross_entropy(module(x[batch]), y[batch]).backward()
            optimiser.step()
    return module.eval(), x[:160].numpy(), x[1200:1500], y[1200:1500].numpy()


@pytest.mark.parametrize("quantization", [{}, {"reset": "zero"}, {"thresholds": "layer"}, {"weight_bits": 5}], ids=str)
def test_a_trained_network_stays_accurate(digits, quantization):
    module, calibration, x, y = digits
    with torch.no_grad():
        logits = module(x).numpy()
    float_accuracy = (logits.argmax(axis=1) == y).mean()
    assert float_accuracy > 0.9
    made = compiled(trace(module, x[:1]), split_calibration(calibration, "digits"), timesteps=64, **quantization)
    assert made.violations == ()
    assert made.audit.activations_converted == made.audit.activations_total == 3
    result = simulate(made.network, x.numpy())
    assert result.saturations == 0
    predictions = decode(made.network, result.potentials).argmax(axis=1)
    allowed = 0.02 if quantization.get("reset") != "zero" else 0.08  # what a spike leaves behind is lost
    assert (predictions == y).mean() >= float_accuracy - allowed


def test_decoded_outputs_approach_the_logits(digits):
    """Membrane decoding gives the network's own units, and a longer window comes closer."""
    module, calibration, x, _ = digits
    with torch.no_grad():
        logits = module(x[:100]).numpy()
    graph, errors = trace(module, x[:1]), []
    for timesteps in (8, 64, 512):
        made = compiled(graph, split_calibration(calibration, "digits"), "channel-max", timesteps)
        decoded = decode(made.network, simulate(made.network, x[:100].numpy()).potentials)
        errors.append(np.linalg.norm(decoded - logits) / np.linalg.norm(logits))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.05


@pytest.mark.parametrize("timesteps", [1, 7])
def test_a_linear_network_is_decoded_exactly(timesteps):
    """Without spikes nothing but the rounding of input currents is lost, whatever the window."""
    weight, bias = np.random.default_rng(2).normal(size=(3, 4)), np.array([0.5, -2.0, 0.0])
    last = op.Linear(np.float32(weight), np.float32(bias))
    layers = [Layer("input", op.Input(), (), (4, 1, 1)), Layer("out", last, ("input",), (3, 1, 1))]
    calibration = uniform(4)
    made = compiled(build_layer_graph(layers, ("out",)), calibration, timesteps=timesteps)
    potentials = simulate(made.network, calibration.samples).potentials
    expected = calibration.samples[:, :, 0, 0] @ weight.T + bias
    np.testing.assert_allclose(decode(made.network, potentials), expected, rtol=0, atol=2e-3)


def test_same_input_same_result(digits):
    module, calibration, x, _ = digits
    first, second = (
        compiled(trace(module, x[:1]), split_calibration(calibration, "digits"), timesteps=8) for _ in range(2)
    )
    assert first.recipe == second.recipe
    assert first.audit == second.audit
    assert first.placement == second.placement
    for one, other in zip(first.network.populations, second.network.populations, strict=True):
        assert_same_fields(one, other)
    for one, other in zip(first.network.projections, second.network.projections, strict=True):
        assert_same_fields(one, other)
        assert_same_fields(one.connectivity, other.connectivity)
    for one, other in zip(first.network.input_projections, second.network.input_projections, strict=True):
        assert_same_fields(one, other)


def assert_same_fields(one, other):
    assert type(one) is type(other)
    for name in type(one).__dataclass_fields__:
        if name != "connectivity":
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
