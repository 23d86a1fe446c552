"""Second moments of what projections read, against sums over every neuron, tap and sample."""

import numpy as np
import pytest
from layer_graphs import Builder

from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import apply_method, convert
from nmdeploy.layers import operators as op
from nmdeploy.quantize import input_moments
from nmdeploy.quantize.input_moments import InputMoments
from nmdeploy.spiking.evaluate import activations
from nmdeploy.spiking.network import INPUT


@pytest.fixture(scope="module")
def made():
    """Grouped, depthwise, strided and pooled projections, a shortcut, a dense one; with samples."""
    builder = Builder((2, 6, 5), seed=4)
    builder.convolution(4)
    first = builder.add(op.ReLU())
    builder.convolution(6, groups=2, stride=2)
    builder.add(op.ReLU())
    builder.convolution(6, groups=6)
    builder.add(op.Add(), builder.last, builder.convolution(6, stride=2, source=first))
    builder.add(op.ReLU())
    builder.add(op.MaxPool((2, 2), (1, 1)))
    builder.linear(3)
    samples = np.random.default_rng(5).normal(size=(12, 2, 6, 5)).astype(np.float32)
    converted = convert(builder.graph(), split_calibration(samples, ""), 99.9, frozenset({"maximum"}))
    # a low percentile, so that many activations are clipped
    return apply_method(converted, "channel-mse", 4)[0], samples


def expected(network, samples):
    """By the definition of `Connectivity`, one field at a time."""
    found = {}
    for population, values in activations(network, samples):
        rates = np.clip(population.activate(values) / population.scale, -1, 1)
        for projection in network.outgoing(population.name):
            table = projection.connectivity
            per_group = table.in_channels // table.groups
            taps = [(k, j) for k in range(table.rows.shape[1]) for j in range(table.columns.shape[1])]
            moments = np.zeros((table.groups, len(taps) * per_group, len(taps) * per_group))
            for sample, y, x in np.ndindex(len(samples), len(table.rows), len(table.columns)):
                for group in range(table.groups):
                    start = table.source_channels[0] + group * per_group
                    field = np.zeros((len(taps), per_group))
                    for tap, (k, j) in enumerate(taps):
                        row, column = table.rows[y, k], table.columns[x, j]
                        if row >= 0 and column >= 0:
                            field[tap] = rates[sample, row, column, start : start + per_group]
                    moments[group] += np.outer(field, field)
            found[projection.name] = moments
    return found


def weighted(network):
    """Projections whose weights are rounded."""
    return [
        one.name
        for one in network.projections
        if one.source != INPUT and network.population(one.target).activation != "maximum"
    ]


def test_every_projection(made):
    network, samples = made
    wanted, moments = expected(network, samples), InputMoments(network, samples)
    assert len(weighted(network)) == 4
    for name in weighted(network):
        (found,) = moments.take(name)
        np.testing.assert_allclose(found, wanted[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "value"), [("MOMENTS_BYTES", 1), ("WORKING_BYTES", 1)])
def test_little_memory_changes_nothing(made, monkeypatch, name, value):
    network, samples = made
    moments = InputMoments(network, samples)
    plenty = {name: moments.take(name)[0] for name in weighted(network)}
    monkeypatch.setattr(input_moments, name, value)
    scarce = InputMoments(network, samples)
    for projection in weighted(network):
        (found,) = scarce.take(projection)
        np.testing.assert_allclose(found, plenty[projection], rtol=1e-4, atol=1e-4)
        assert name != "MOMENTS_BYTES" or not scarce._held, "moments of several projections at a time"


def test_many_inputs_are_split_up(made, monkeypatch):
    network, samples = made
    name = weighted(network)[-1]
    (whole,) = InputMoments(network, samples).take(name)
    inputs = whole.shape[1]
    monkeypatch.setattr(input_moments, "BLOCK", inputs // 2 + 1)
    first, second = InputMoments(network, samples).take(name)
    assert first.shape[1] + second.shape[1] == inputs
    np.testing.assert_allclose(first, whole[:, : first.shape[1], : first.shape[1]], rtol=1e-5)
    np.testing.assert_allclose(second, whole[:, first.shape[1] :, first.shape[1] :], rtol=1e-5)


def test_samples_and_fields_are_limited(made, monkeypatch):
    """Few of the fields, but of every sample that is looked at, and nearly the same mean."""
    network, _ = made
    samples = np.random.default_rng(6).normal(size=(160, 2, 6, 5)).astype(np.float32)
    name = weighted(network)[0]
    assert (InputMoments(network, samples).take(name)[0] == InputMoments(network, samples[:128]).take(name)[0]).all()
    (whole,) = InputMoments(network, samples).take(name)
    monkeypatch.setattr(input_moments, "FIELDS", 200)
    (some,) = InputMoments(network, samples).take(name)
    (table,) = (projection.connectivity for projection in network.projections if projection.name == name)
    # samples that are not looked at together start at other fields all the same
    monkeypatch.setattr(input_moments, "WORKING_BYTES", 1)
    np.testing.assert_allclose(InputMoments(network, samples).take(name)[0], some, rtol=1e-4)
    fields = 128 * len(table.rows) * len(table.columns)
    share = np.trace(some, axis1=1, axis2=2) / np.trace(whole, axis1=1, axis2=2)
    np.testing.assert_allclose(share, 1 / np.ceil(fields / 200), rtol=0.3)
