"""All passes for crossbars together: what is said, what is stopped, what is refused, and that results repeat."""

import dataclasses

import drawn_networks as drawn
import numpy as np
import pytest

from nmdeploy.compiler_options import CompilerOptions
from nmdeploy.convert.calibration import noise_calibration, split_calibration
from nmdeploy.crossbar.axon_plan import Precision
from nmdeploy.decode import decode
from nmdeploy.errors import NmdeployError
from nmdeploy.layers import operators as op
from nmdeploy.layers.graph import Layer, build_layer_graph
from nmdeploy.passes import PassRunner, StoppedAfterPassError
from nmdeploy.pipeline_crossbars import CROSSBAR_PASSES, compile_for_crossbars
from nmdeploy.preprocessing import Preprocessing
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.simulator import simulate
from nmdeploy.spiking.evaluate import evaluate


def layers(inputs=6, hidden=(9, 8), outputs=4, seed=0):
    """Dense layers, rectified but for the last."""
    generator = np.random.default_rng(seed)
    made = [Layer("input", op.Input(), (), (inputs, 1, 1))]
    for number, size in enumerate((*hidden, outputs)):
        before = made[-1]
        weight = generator.normal(size=(size, before.shape[0])).astype(np.float32)
        bias = generator.normal(size=size).astype(np.float32)
        made.append(Layer(f"dense{number}", op.Linear(weight, bias), (before.name,), (size, 1, 1)))
        if number < len(hidden):
            made.append(Layer(f"relu{number}", op.ReLU(), (f"dense{number}",), (size, 1, 1)))
    return build_layer_graph(made, (made[-1].name,))


def samples(inputs=6, count=80):
    return np.random.default_rng(1).normal(size=(count, inputs, 1, 1)).astype(np.float32)


def compiled(
    graph=None,
    profile=None,
    calibration=None,
    method="channel-max",
    timesteps=32,
    stop_after=None,
    bits=None,
    announced=None,
    compensation="auto",
):
    calibration = split_calibration(samples(), "drawn") if calibration is None else calibration
    return compile_for_crossbars(
        layers() if graph is None else graph,
        calibration,
        profile or drawn.crossbars(64, 32),
        CompilerOptions(QuantizationOptions(timesteps), method, compensation=compensation),
        Precision(bits),
        PassRunner((announced if announced is not None else []).append, stop_after),
    )


def error_of(made):
    """On the calibration samples, whose largest activations are not clipped."""
    calibration = split_calibration(samples(), "drawn").samples
    reference = evaluate(made.float_network, calibration)
    decoded = decode(made.network, simulate(made.network, calibration).potentials)
    return np.linalg.norm(decoded - reference) / np.linalg.norm(reference)


def test_every_pass_is_announced_and_timed():
    announced = []
    made = compiled(announced=announced)
    assert tuple(announced) == tuple(made.seconds) == CROSSBAR_PASSES
    assert made.violations == ()
    assert len(made.placement.cores) >= made.core_bounds.of_any_mapping >= 1
    assert made.program is not None
    assert {entry.population for entry in made.audit.sums} <= {one.name for one in made.network.populations}


@pytest.mark.parametrize("name", CROSSBAR_PASSES)
def test_stop_after_each_pass(name):
    announced = []
    with pytest.raises(StoppedAfterPassError) as stop:
        compiled(stop_after=name, announced=announced)
    assert tuple(announced) == CROSSBAR_PASSES[: CROSSBAR_PASSES.index(name) + 1]
    assert str(stop.value) == name


def test_outputs_approach_those_of_the_float_network():
    """Longer windows and finer weights come closer."""
    errors = [error_of(compiled(timesteps=steps, bits=8)) for steps in (8, 64, 512)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.02
    assert error_of(compiled(timesteps=512, bits=2, compensation="none")) > 2 * errors[2]


def test_sums_in_parts_are_listed_with_what_they_lose():
    made = compiled(profile=drawn.crossbars(20, 32))
    in_parts = [entry for entry in made.audit.sums if not entry.exact]
    assert in_parts
    assert made.audit.approximate_layers == [entry.population for entry in in_parts]
    for entry in in_parts:
        assert any(note.startswith(f"{entry.population.partition('.')[0]}:") for note in made.audit.notes)
    assert compiled(profile=drawn.crossbars(256, 256)).audit.approximate_layers == []


def test_no_calibration_data_is_said_loudly():
    noise = noise_calibration((6, 1, 1), Preprocessing(), seed=0)
    made = compiled(calibration=noise)
    assert any(note.startswith("NO CALIBRATION DATA") for note in made.audit.notes)
    assert made.violations == ()


def test_refusals():
    with pytest.raises(NmdeployError, match="unknown method 'best'"):
        compiled(method="best")
    graph = layers()
    broken = Layer("dense2", op.Linear(np.ones((4, 3), np.float32), np.zeros(4, np.float32)), ("relu1",), (4, 1, 1))
    with pytest.raises(NmdeployError, match="not sound: dense2"):
        compiled(build_layer_graph([*graph.layers[:-1], broken], ("dense2",)))
    with pytest.raises(NmdeployError, match="nothing is left for the chip"):
        compiled(layers(hidden=()))


def test_results_repeat():
    first, second = compiled(), compiled()
    for table in ("columns", "axons"):
        tables = (getattr(made.program, table) for made in (first, second))
        for one, other in zip(*(dataclasses.astuple(each) for each in tables), strict=True):
            assert np.array_equal(one, other)
    assert first.placement == second.placement
    assert first.counts == second.counts
    assert first.audit == second.audit
