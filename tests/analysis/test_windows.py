"""Scores of windows of every length, and of reading out early, against neurons run one by one on the chip's clock."""

import numpy as np
import pytest
from chip_clock import chip_run, step_weights
from small_networks import KINDS, samples_of, small

from nmdeploy.analysis import windows as windows_module
from nmdeploy.analysis.windows import Expected, sample_steps, window_curve

LONGEST, SAMPLES = 7, 11
LABELS = np.random.default_rng(2).integers(0, 2, SAMPLES)


def decoded(made, samples, window, steps):
    """``scale v / T`` after some steps of a window, T being the sum of the weights of these steps."""
    potentials = chip_run(made.chip, samples, window)[1]["out"][:, steps - 1]
    elapsed = sum(step_weights(window, made.chip.refinement_steps)[:steps])
    return potentials * made.chip.population("out").scale / elapsed


def scores(outputs, reference, labels):
    decisions = outputs.argmax(axis=1)
    error = np.sqrt(((outputs - reference) ** 2).sum()) / np.sqrt((reference**2).sum())
    return (decisions == labels).mean(), (decisions == reference.argmax(axis=1)).mean(), error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("result_bytes", [2**28, 3000], ids=["at once", "in batches"])
def test_every_window(kind, result_bytes, monkeypatch):
    monkeypatch.setattr(windows_module, "RESULT_BYTES", result_bytes)
    made, samples = small(kind, timesteps=5), samples_of(SAMPLES)
    reference = made.activations(samples)["out"].reshape(SAMPLES, 2)
    expected = Expected(samples, reference.astype(np.float32), LABELS)
    done = []
    windows = list(range(1, LONGEST + 1))
    curve = window_curve(made.chip, expected, windows, progress=done.append)
    assert [point.timesteps for point in curve.points] == windows
    assert sum(done) == sample_steps(made.chip, SAMPLES, windows)
    assert curve.windows_are_prefixes == (kind == "plain")
    for steps, point in zip(windows, curve.points, strict=True):
        alone = scores(decoded(made, samples, steps, steps), reference, LABELS)
        early = scores(decoded(made, samples, LONGEST, steps), reference, LABELS)
        for found, wanted in ((point.window, alone), (point.read_out, early)):
            assert (found.accuracy, found.agreement, found.error) == pytest.approx(wanted, rel=1e-5)
            assert found.output_errors == {"out": pytest.approx(wanted[2], rel=1e-5)}
    if kind != "plain":
        assert any(point.window != point.read_out for point in curve.points[:-1])
    assert curve.points[-1].window == curve.points[-1].read_out


@pytest.mark.parametrize("kind", KINDS)
def test_latency_and_throughput(kind):
    """The output follows the first layer by its two sources' steps and two leads; a lead is also the gap."""
    made, samples = small(kind), samples_of(2)
    reference = np.ones((2, 2), np.float32)
    curve = window_curve(made.chip, Expected(samples, reference, None), [1, 3, LONGEST])
    depth, gap = (3, 0) if kind == "plain" else (5, 1)
    steps = [(point.timesteps, point.latency_steps, point.steps_per_sample) for point in curve.points]
    assert steps == [(t, t + depth, t + gap) for t in (1, 3, LONGEST)]
    # the last potential of a window comes in the last step of its latency
    output = made.chip.population("out")
    assert all(point.latency_steps == output.firing_start_step + point.timesteps for point in curve.points)


def test_few_windows_are_those_of_many():
    made, samples = small("leaky"), samples_of(4)
    expected = Expected(samples, np.ones((4, 2), np.float32), None)
    every = window_curve(made.chip, expected, [1, 2, 3, 4, 5, 6])
    few = window_curve(made.chip, expected, [2, 6])
    assert few.points == (every.points[1], every.points[5])
    assert few.points[0].window.accuracy is None
    assert sample_steps(made.chip, 4, [2, 6]) == 4 * (2 + 6)
    assert sample_steps(small("plain").chip, 4, [2, 6]) == 4 * 6
