"""A real network, trained by others, from its state dict through netx to Lava."""

import numpy as np
import pytest
from command_line import nmdeploy

from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.data_file import read_data

from .conftest import NETX_OPTIONS
from .exported import assert_netx_computes_the_same

pytestmark = pytest.mark.lava


def test_mnist(netx, shared_data, tmp_path):
    """Every spike of 6,538 neurons on two digits, and their labels."""
    folder, mnist = tmp_path / "mnist.nmd", shared_data / "mnist"
    ended = nmdeploy(
        *("compile", mnist / "mnist_cnn_nxtf.pt", "-o", folder, "-T", "32", *NETX_OPTIONS),
        *("--model", "examples.networks.mnist_cnn:mnist_cnn", "--input-shape", "1,28,28"),
        *("--scale", "255", "--layout", "NHW"),
        *("--calibration", mnist / "mnist_train_part10000.npz", "--calibration-limit", "500"),
    )
    assert ended.code == 0, ended.stderr
    assert nmdeploy("export", folder, "-o", tmp_path / "mnist.net").code == 0
    compiled, data = read_artifact(folder), read_data(mnist / "mnist_test_0000_1999.npz", 2)
    samples = compiled.manifest.preprocessing.apply(data.samples, compiled.network.input_shape)
    result = assert_netx_computes_the_same(netx, tmp_path, compiled.network, samples)
    assert (tmp_path / "mnist.net").read_bytes() == (tmp_path / "network.net").read_bytes()
    assert sum(int(counts.sum()) for counts in result.spike_counts.values()) > 5_000
    np.testing.assert_array_equal(result.potentials[:, -1].argmax(axis=1), data.labels)
