"""The NxTF tutorial's network on MNIST, trained by others, from its state dict to Lava."""

import pytest
from real_networks import assert_lava_computes_the_same, assert_legal, compiled, ran

PUBLISHED_CORRECT = 1962
"""Of the first 2,000 test digits, measured with Keras' weights in torch."""


@pytest.fixture(scope="module")
def mnist(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mnist") / "mnist.nmd"
    summary = compiled(
        shared_data / "mnist" / "mnist_cnn_nxtf.pt",
        folder,
        *("--model", "examples.networks.mnist_cnn:mnist_cnn", "--input-shape", "1,28,28"),
        *("--scale", "255", "--layout", "NHW", "-T", "32"),
        *("--calibration", shared_data / "mnist" / "mnist_train_part10000.npz", "--calibration-limit", "500"),
    )
    return summary, folder, shared_data / "mnist" / "mnist_test_0000_1999.npz"


def test_summary(mnist):
    summary, _, _ = mnist
    assert summary["neurons"] == 16 * 12 * 12 + 32 * 10 * 10 + 64 * 4 * 4 + 10
    # the first convolution is input current, not synapses
    assert summary["synapses"] == 100 * 16 * 9 * 32 + 16 * 32 * 9 * 64 + 64 * 16 * 10
    assert summary["activations_converted"] == summary["activations_total"] == 3
    assert summary["approximate_layers"] == []


def test_accuracy(mnist):
    _, folder, data = mnist
    report = ran(folder, data)
    assert report["samples"] == 2000
    assert round(report["float_accuracy"] * 2000) == PUBLISHED_CORRECT
    assert abs(report["correct"] - PUBLISHED_CORRECT) <= 10  # half a percentage point
    assert report["saturations"] == 0


def test_placement_is_legal(mnist):
    assert_legal(mnist[1])


@pytest.mark.lava
@pytest.mark.parametrize("granularity", ["layer", "core"])
def test_lava(mnist, tmp_path, granularity):
    pytest.importorskip("lava.magma", reason="Lava is not installed")
    _, folder, data = mnist
    assert_lava_computes_the_same(folder, data, 20, tmp_path, granularity)
