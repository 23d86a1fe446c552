"""The simulator against traces worked out by hand, and its batches; `test_paths.py` has the loop over the clock."""

import numpy as np
import pytest
from integer_networks import input_projection, network, one_to_one, population, projection, whole

from nmdeploy.simulator import simulate
from nmdeploy.simulator.engine import Engine
from nmdeploy.simulator.torch_engine import TorchEngine

NOTHING = np.zeros((1, 1, 1, 1), np.float32)


def single(**fields):
    """One neuron that receives its bias only."""
    bias = fields.pop("bias")
    return network([population("n", (1, 1, 1), bias_mantissa=np.full((1, 1, 1), bias), **fields)])


def train(net, **options):
    return simulate(net, NOTHING, record_spike_trains=True, **options).spike_trains["n"][0, :, 0].tolist()


def test_reset_by_subtraction_keeps_the_rest():
    """Potentials 7, 14 -> 4, 11 -> 1, 8, 15 -> 5, 12 -> 2, 9, 16 -> 6."""
    assert train(single(bias=7)) == [0, 1, 1, 0, 1, 1, 0, 1]


def test_reset_to_zero_drops_the_rest():
    assert train(single(bias=7, reset="zero")) == [0, 1, 0, 1, 0, 1, 0, 1]


def test_threshold_itself_fires():
    assert train(single(bias=5)) == [0, 1] * 4


def test_signed_neuron_with_imbalanced_thresholds():
    """Spiking-YOLO's leaky rectifier: thresholds 10 and -20, a current of -5, fires -1 each fourth step."""
    net = single(bias=-5, negative_threshold=np.array([20]))
    assert train(net) == [0, 0, 0, -1] * 2
    assert simulate(net, NOTHING).spike_counts["n"].tolist() == [[2]], "both signs are counted"


def test_negative_spikes_take_weights_away():
    neuron = population(
        "n", (1, 1, 1), bias_mantissa=np.full((1, 1, 1), -10), negative_threshold=np.array([10])
    )
    out = population("out", (1, 1, 1), reset="none", threshold=np.zeros(1, np.int64), is_output=True)
    net = network([neuron, out], [projection("n", "out", whole((1, 1, 1), (1, 1, 1)), [3])], timesteps=4)
    assert simulate(net, NOTHING).potentials[0, :, 0].tolist() == [-3, -6, -9, -12]


@pytest.mark.parametrize(
    ("bias", "initial", "expected"),
    [(7, 0, 6), (-7, 13, 4)],
    ids=["7, 14, then six times cut to 15", "6, -1, -8, exactly -15, then four times cut to -15"],
)
def test_saturations_are_counted(bias, initial, expected):
    net = single(bias=bias, threshold=np.array([100]), initial_potential=np.array([initial]))
    small = network(net.populations, timesteps=8, state_max=15)
    assert simulate(small, np.concatenate([NOTHING] * 3)).saturations == 3 * expected


def driven(random, timesteps=6):
    """Input, two hidden populations, a readout."""
    shape = (3, 4, 4)
    first = population("a", shape, threshold=random.integers(20, 60, 3), initial_potential=np.array([9, 4, 20]))
    second = population("b", (5, 1, 1), threshold=random.integers(5, 40, 5))
    out = population("out", (2, 1, 1), reset="none", threshold=np.zeros(2, np.int64), is_output=True)
    inner, outer = whole(shape, (5, 1, 1)), whole((5, 1, 1), (2, 1, 1))
    return network(
        [first, second, out],
        [
            projection("a", "b", inner, random.integers(-9, 10, inner.weight_shape)),
            projection("b", "out", outer, random.integers(-9, 10, outer.weight_shape)),
        ],
        [input_projection("a", one_to_one(shape), random.integers(10, 40, 3), 2, 8)],
        input_shape=shape,
        timesteps=timesteps,
    )


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_samples_do_not_touch_each_other(monkeypatch, engine):
    """Together, one by one, and in small batches: the same spikes."""
    random = np.random.default_rng(5)
    net, samples = driven(random), random.normal(2, 3, size=(11, 3, 4, 4)).astype(np.float32)
    together = simulate(net, samples, record_spike_trains=True)
    assert together.spike_counts["b"].any()
    assert len(np.unique(together.potentials[:, -1], axis=0)) > 1
    alone = [simulate(net, samples[i : i + 1], record_spike_trains=True) for i in range(11)]
    done = []
    # memory for three samples
    for kind in (Engine, TorchEngine):
        largest = max(kind(net).working_bytes(population) for population in net.populations)
        monkeypatch.setattr(kind, "preferred_bytes", 6 * largest * 3)
    split = simulate(net, samples, record_spike_trains=True, progress=done.append, engine=engine)
    assert done == [3, 3, 3, 2]
    for name in ("a", "b", "out"):
        joined = np.concatenate([result.spike_trains[name] for result in alone])
        np.testing.assert_array_equal(together.spike_trains[name], joined)
        np.testing.assert_array_equal(split.spike_trains[name], joined)
        np.testing.assert_array_equal(together.spike_counts[name], np.abs(joined).sum(axis=1))
        np.testing.assert_array_equal(split.spike_counts[name], together.spike_counts[name])
    np.testing.assert_array_equal(together.potentials, np.concatenate([result.potentials for result in alone]))
    np.testing.assert_array_equal(split.potentials, together.potentials)


def test_a_longer_window_begins_like_a_shorter_one():
    random = np.random.default_rng(6)
    net, samples = driven(random), random.normal(2, 3, size=(3, 3, 4, 4)).astype(np.float32)
    long = simulate(net, samples, timesteps=20)
    short = simulate(net, samples)
    assert short.potentials.shape == (3, 6, 2)
    assert long.potentials.shape == (3, 20, 2)
    np.testing.assert_array_equal(long.potentials[:, :6], short.potentials)


def test_no_samples_give_empty_results():
    net = driven(np.random.default_rng(7))
    result = simulate(net, np.zeros((0, 3, 4, 4), np.float32), record_spike_trains=True)
    assert result.potentials.shape == (0, 6, 2)
    assert result.spike_counts["b"].shape == (0, 5)
    assert result.spike_trains["a"].shape == (0, 6, 48)
    assert result.saturations == 0


def test_outputs_are_joined_in_order_of_the_network():
    fields = {"reset": "none", "threshold": np.zeros(1, np.int64), "is_output": True}
    outputs = [population(f"o{i}", (1, 1, 1), bias_mantissa=np.full((1, 1, 1), i + 1), **fields) for i in range(3)]
    assert simulate(network(outputs), NOTHING).potentials[0, 0].tolist() == [1, 2, 3]
