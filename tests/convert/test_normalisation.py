"""Scales by the formulas of the papers, by hand and on whole networks.

Spiking-YOLO (Kim et al. 2020) Eq. 4 and 5: ``w~_ij = w_ij lambda_i / lambda_j``, ``b~_j = b_j / lambda_j``, with
lambda the largest activation (or a percentile) of a layer or of a channel; Spiking ResNet (Hu et al. 2018) for
shortcuts.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from convertible_networks import Net, basic_block, chain, conv, samples, settled
from torch import nn

from nmdeploy.convert.calibration import split_calibration
from nmdeploy.convert.convert import convert
from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.convert.methods import METHODS, normalise
from nmdeploy.convert.statistics import collect_statistics
from nmdeploy.frontend.trace import trace
from nmdeploy.simplify import simplify
from nmdeploy.spiking.evaluate import activations


def by_hand(layers):
    """Linear layers given as (weight, bias) rows, rectified in between."""
    parts = []
    for weight, bias in layers:
        linear = nn.Linear(len(weight[0]), len(weight))
        linear.weight.data, linear.bias.data = torch.tensor(weight), torch.tensor(bias)
        parts += [linear, nn.ReLU()]
    return chain(*parts[:-1]).eval()


def normalised(module, x, method, percentile=99.9, timesteps=32, headroom=1.0, kinds=frozenset()):
    network, _ = lower_layers(simplify(trace(module, x)), kinds)
    values = x.reshape(*x.shape, *[1] * (4 - x.ndim)).numpy()
    return normalise(network, collect_statistics(network, values, percentile), METHODS[method], timesteps, headroom)


HIDDEN = ([[1.0, 2.0], [-1.0, 0.5], [3.0, 0.0]], [0.5, 0.0, -1.0])
READOUT = ([[2.0, -4.0, 1.0]], [0.25])
# activations of the three hidden units: (3.5, 0, 2), (2.5, 0.5, 0), (4.5, 0, 5)
INPUTS = torch.tensor([[1.0, 1.0], [0.0, 1.0], [2.0, 1.0]])


@pytest.mark.parametrize(
    ("method", "scales"),
    [("layer-max", [5.0, 5.0, 5.0]), ("channel-max", [4.5, 0.5, 5.0])],
)
def test_weights_and_biases_by_hand(method, scales):
    network, notes = normalised(by_hand([HIDDEN, READOUT]), INPUTS, method)
    assert notes == []
    hidden, readout = network.populations
    np.testing.assert_allclose(hidden.scale, scales)
    np.testing.assert_allclose(readout.scale, [1.0])
    (first,), (second,) = network.incoming(hidden.name), network.incoming(readout.name)
    lam = np.array(scales)
    np.testing.assert_allclose(network.normalised_weights(first)[:, :, 0, 0], HIDDEN[0] / lam[:, None], rtol=1e-6)
    np.testing.assert_allclose(network.normalised_weights(second)[0, :, 0, 0], READOUT[0][0] * lam, rtol=1e-6)


def test_percentiles_by_hand():
    """Of 0, 0.5, 0 the middle value; of all nine activations the fifth. A bin is at most 1/1024 of the largest."""
    network, _ = normalised(by_hand([HIDDEN, READOUT]), INPUTS, "layer-percentile", 50.0)
    np.testing.assert_allclose(network.populations[0].scale, [2.0, 2.0, 2.0], atol=5.0 / 1024)
    network, _ = normalised(by_hand([HIDDEN, READOUT]), INPUTS, "channel-percentile", 50.0)
    # the second unit is silent at this percentile: it gets the median of the living, 3.5 and 2
    np.testing.assert_allclose(network.populations[0].scale, [3.5, 2.75, 2.0], atol=5.0 / 1024)


def normalised_activations(network, x):
    """The network of thresholds 1, evaluated with its own weights and biases."""
    values = {"input": x}
    for population in network.populations:
        total = np.broadcast_to(population.bias / population.scale[:, None, None], (len(x), *population.shape)).copy()
        for projection in network.incoming(population.name):
            total += dense(projection.connectivity, network.normalised_weights(projection), values[projection.source])
        values[population.name] = total if population.activation == "none" else np.maximum(total, 0)
    return values


def dense(table, weights, x):
    """The docstring of `Connectivity`, gathered by index tables with a frame of zeros."""
    framed = np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 1)))[:, slice(*table.source_channels)]
    fields = framed[:, :, table.rows][:, :, :, :, table.columns]  # (n, i, y, k, x, l)
    out, per_group = weights.shape[:2]
    result = np.zeros((len(x), *table.target_shape))
    for o in range(out):
        first = o // (out // table.groups) * per_group
        picked = fields[:, first : first + per_group]
        result[:, table.target_channels[0] + o] = np.einsum("niykxl,ikl->nyx", picked, weights[o])
    return result


NETWORKS = {
    "chain": chain(conv(3, 5), nn.ReLU(), conv(5, 6, groups=1, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(54, 4)),
    "residual A": chain(conv(3, 4), nn.ReLU(), basic_block(4, 8, 2, "A"), conv(8, 2)),
    "residual B": chain(conv(3, 4), nn.ReLU(), basic_block(4, 6, 1, "B"), basic_block(6, 6, 1, "identity"), conv(6, 2)),
    "grouped": chain(conv(3, 4), nn.ReLU(), conv(4, 8, groups=4), nn.ReLU(), nn.MaxPool2d(2), conv(8, 2, groups=2)),
    "concatenation": Net(
        lambda self, x: self.c(torch.cat([F.relu(self.a(x)), F.relu(self.b(x))], 1)),
        a=conv(3, 4),
        b=conv(3, 2),
        c=conv(6, 4, groups=2),
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NETWORKS)
def test_normalised_activation_is_the_activation_over_its_scale(name, method):
    """Spiking-YOLO, A3: exact in the float network, whatever the scales; shortcuts and concatenations included."""
    x = samples(3, 6, 6, count=5)
    network, _ = normalised(settled(NETWORKS[name]), x, method)
    found = normalised_activations(network, x.numpy().astype(np.float64))
    for population, values in activations(network, x.numpy()):
        wanted = population.activate(values).transpose(0, 3, 1, 2) / population.scale[:, None, None]
        np.testing.assert_allclose(found[population.name], wanted, rtol=0, atol=1e-4)


def test_channel_max_brings_every_channel_to_one():
    x = samples(3, 6, 6, count=5)
    network, notes = normalised(settled(NETWORKS["residual B"]), x, "channel-max")
    assert notes == []
    found = normalised_activations(network, x.numpy().astype(np.float64))
    for population in network.populations[:-1]:
        np.testing.assert_allclose(found[population.name].max(axis=(0, 2, 3)), 1.0, rtol=1e-5)


def test_both_branches_of_a_residual_addition_are_rescaled():
    """Spiking ResNet, B4: identity synapses of weight lambda_in / lambda_out, not 1."""
    module = settled(chain(conv(3, 4), nn.ReLU(), basic_block(4, 4, 1, "identity")), seed=1)
    network, _ = normalised(module, samples(3, 6, 6, count=5), "channel-max")
    merge = network.populations[-2]
    assert len(list(network.incoming(merge.name))) == 2
    (shortcut,) = (p for p in network.incoming(merge.name) if p.connectivity.groups == 4)
    entering = network.population(shortcut.source)
    np.testing.assert_allclose(
        network.normalised_weights(shortcut)[:, 0, 0, 0], entering.scale / merge.scale, rtol=1e-6
    )
    assert np.abs(entering.scale / merge.scale - 1).max() > 0.05, "scales so alike would show nothing"


def with_dead_unit(dead):
    weight, bias = [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [4.0, 0.0]], [0.0] * 4
    for unit in dead:
        bias[unit] = -100.0
    return by_hand([(weight, bias), ([[1.0] * 4], [0.0])])


@pytest.mark.parametrize("method", ["channel-max", "channel-percentile"])
def test_dead_channels_get_the_median_and_a_note(method):
    x = torch.tensor([[1.0, 1.0]] * 3)
    network, notes = normalised(with_dead_unit([2]), x, method)
    np.testing.assert_allclose(network.populations[0].scale, [1.0, 2.0, 2.0, 4.0])
    (note,) = notes
    assert note.startswith(f"{network.populations[0].name}: 1 of 4 channels are silent")


def test_a_layer_all_dead_keeps_its_units():
    network, notes = normalised(with_dead_unit([0, 1, 2, 3]), torch.ones(3, 2), "channel-max")
    np.testing.assert_array_equal(network.populations[0].scale, np.ones(4))
    assert "4 of 4" in notes[0]


def test_a_layer_too_sparse_for_the_percentile_takes_its_maximum():
    """One activation of 50 in 300: the median is 0, but a scale of 1 would cut the activation to a fiftieth."""
    x = torch.zeros(100, 2)
    x[3] = torch.tensor([50.0, 0.0])
    module = by_hand([([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0.0] * 3), ([[1.0] * 3], [0.0])])
    for method in ("layer-percentile", "channel-percentile"):
        network, _ = normalised(module, x, method, 50.0)
        np.testing.assert_array_equal(network.populations[0].scale, [50.0] * 3)


def test_a_nearly_dead_channel_counts_as_dead():
    """Dividing by a ten-thousandth of the layer's maximum would make absurd weights."""
    module = by_hand([([[1e-5], [1.0], [2.0]], [0.0] * 3), ([[1.0] * 3], [0.0])])
    network, notes = normalised(module, torch.ones(3, 1), "channel-max")
    np.testing.assert_allclose(network.populations[0].scale, [1.5, 1.0, 2.0])
    assert "1 of 3" in notes[0]


def test_a_nearly_silent_channel_is_raised():
    """Half a percent of the median: more than a ten-thousandth of the maximum, yet no scale to divide by."""
    module = by_hand([([[0.01], [2.0], [2.0], [3.0]], [0.0] * 4), ([[1.0] * 4], [0.0])])
    network, notes = normalised(module, torch.ones(3, 1), "channel-max")
    np.testing.assert_allclose(network.populations[0].scale, [0.02, 2.0, 2.0, 3.0])
    (note,) = notes
    assert "1 of 4 channels are nearly silent" in note


def test_a_faint_channel_keeps_its_scale():
    module = by_hand([([[0.03], [2.0], [2.0], [3.0]], [0.0] * 4), ([[1.0] * 4], [0.0])])
    network, notes = normalised(module, torch.ones(3, 1), "channel-max")
    np.testing.assert_allclose(network.populations[0].scale, [0.03, 2.0, 2.0, 3.0])
    assert notes == []


def test_silent_channels_do_not_lower_the_median_of_the_others():
    weight = [[0.0]] * 5 + [[2.0], [3.0], [0.01]]
    network, notes = normalised(by_hand([(weight, [0.0] * 8), ([[1.0] * 8], [0.0])]), torch.ones(3, 1), "channel-max")
    np.testing.assert_allclose(network.populations[0].scale, [2.0] * 5 + [2.0, 3.0, 0.02])
    assert ["5 of 8" in notes[0], "1 of 8" in notes[1]] == [True, True]


def test_silent_channels_are_noted_by_methods_that_give_them_a_scale_too():
    _, notes = normalised(with_dead_unit([2]), torch.tensor([[1.0, 1.0]] * 3), "channel-mse-floor")
    assert "1 of 4 channels are silent" in notes[0]


def skewed(count=400):
    """Activations of two units: one exponential, one a hundredth of it."""
    x = torch.tensor(np.random.default_rng(3).exponential(size=(count, 1)).astype(np.float32))
    return by_hand([([[1.0], [0.1]], [0.0] * 2), ([[1.0] * 2], [0.0])]), x


def test_the_window_decides_how_much_the_mse_methods_clip():
    module, x = skewed()
    few, many = (normalised(module, x, "channel-mse", timesteps=steps)[0].populations[0].scale for steps in (2, 256))
    assert (few < 0.7 * many).all()
    assert (many > 0.9 * float(x.max()) * np.array([1.0, 0.1])).all()


def test_the_mean_is_the_floor():
    module, x = skewed()
    free = normalised(module, x, "channel-mse", timesteps=8)[0].populations[0].scale
    floored = normalised(module, x, "channel-mse-floor", timesteps=8)[0].populations[0].scale
    np.testing.assert_allclose(floored, [free[0], free.mean()])


def test_leaky_units_get_the_scale_of_their_larger_side():
    """Spiking-YOLO with leaky units: the larger of max(a) and max(-a); slope 2 makes -3 to -6."""
    linear, readout = nn.Linear(1, 1), nn.Linear(1, 1)
    linear.weight.data, linear.bias.data = torch.ones(1, 1), torch.zeros(1)
    x = torch.tensor([[5.0], [-3.0]])
    layers = simplify(trace(chain(linear, nn.LeakyReLU(2.0), readout).eval(), x))
    network, _ = lower_layers(layers, frozenset({"leaky"}))
    statistics = collect_statistics(network, x[:, :, None, None].numpy(), 100.0)
    for method in ("layer-max", "layer-percentile", "channel-max", "channel-percentile"):
        scaled, _ = normalise(network, statistics, METHODS[method], 16)
        np.testing.assert_allclose(scaled.populations[0].scale, [6.0])


@pytest.mark.parametrize("method", ["layer-max", "channel-max"])
def test_a_ceiling_caps_the_scale(method):
    """At its largest rate the neuron then stands for the ceiling."""
    linear = nn.Linear(1, 3)
    linear.weight.data, linear.bias.data = torch.tensor([[10.0], [3.0], [7.0]]), torch.zeros(3)
    network, _ = normalised(chain(linear, nn.ReLU6(), nn.Linear(3, 1)).eval(), torch.ones(2, 1), method)
    expected = [6.0, 6.0, 6.0] if method == "layer-max" else [6.0, 3.0, 6.0]
    np.testing.assert_allclose(network.populations[0].scale, expected)


@pytest.mark.parametrize("method", METHODS)
def test_headroom_is_a_factor_of_all_scales(method):
    """Of a maximum over counts too, once: it counts in the units of what it pools."""
    module = settled(chain(conv(3, 4), nn.ReLU(), nn.MaxPool2d(2), conv(4, 3), nn.ReLU(), conv(3, 2)))
    x, kinds = samples(3, 8, 8, count=6), frozenset({"maximum"})
    plain, _ = normalised(module, x, method, kinds=kinds)
    raised, _ = normalised(module, x, method, headroom=2.25, kinds=kinds)
    assert [population.activation for population in plain.populations].count("maximum") == 1
    for before, after in zip(plain.populations, raised.populations, strict=True):
        factor = 1.0 if before.is_output else 2.25
        np.testing.assert_allclose(after.scale, factor * before.scale, rtol=1e-12)


def test_headroom_of_silent_channels_is_that_of_the_others():
    network, _ = normalised(with_dead_unit([2]), torch.tensor([[1.0, 1.0]] * 3), "channel-max", headroom=1.5)
    np.testing.assert_allclose(network.populations[0].scale, [1.5, 3.0, 3.0, 6.0])


def test_headroom_ends_at_the_ceiling():
    """Activations are 2, 5 and 10, the last cut off at 6: nothing lies above that."""
    linear = nn.Linear(1, 3)
    linear.weight.data, linear.bias.data = torch.tensor([[2.0], [5.0], [10.0]]), torch.zeros(3)
    module = chain(linear, nn.ReLU6(), nn.Linear(3, 1)).eval()
    network, _ = normalised(module, torch.ones(2, 1), "channel-max", headroom=1.5)
    np.testing.assert_allclose(network.populations[0].scale, [3.0, 6.0, 6.0])


def test_outputs_are_not_scaled():
    network, _ = normalised(settled(NETWORKS["chain"]), samples(3, 6, 6), "channel-max")
    np.testing.assert_array_equal(network.outputs[0].scale, np.ones(4))


@pytest.mark.parametrize("name", METHODS)
def test_a_maximum_over_counts_counts_in_the_units_of_what_it_pools(name):
    """Spikes of a channel stand for the same activation before and after pooling."""
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 4)).eval()
    images = torch.rand(16, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    calibration = split_calibration(images.numpy(), "test")
    converted = convert(trace(module, images[:1]), calibration, 99.9, frozenset({"maximum"}))
    scaled, _ = normalise(converted.network, converted.statistics, METHODS[name], 8)
    pooling = next(population for population in scaled.populations if population.activation == "maximum")
    (source,) = {projection.source for projection in scaled.incoming(pooling.name)}
    np.testing.assert_array_equal(pooling.scale, scaled.population(source).scale)
