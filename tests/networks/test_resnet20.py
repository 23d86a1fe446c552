"""ResNet-20 on CIFAR-10, trained by others: shortcuts without weights, several chips, Lava."""

import numpy as np
import pytest
from command_line import nmdeploy
from real_networks import assert_lava_computes_the_same, assert_legal, compiled, ran

from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.lava.runner import run_on_lava
from nmdeploy.simulator import simulate
from nmdeploy.spiking.evaluate import evaluate

PUBLISHED_CORRECT = 1833
"""Of the first 2,000 test images, measured in torch."""


def compile_resnet20(shared_data, folder, timesteps):
    images = shared_data / "cifar10"
    return compiled(
        images / "resnet20_cifar10.pt",
        folder,
        *("--model", "examples.networks.resnet:resnet20", "--input-shape", "3,32,32", "--layout", "NHWC"),
        *("--scale", "255", "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"),
        *("--calibration", images / "cifar10_train_calib2000.npz", "--calibration-limit", "128"),
        *("--method", "channel-percentile", "-T", str(timesteps)),
    )


@pytest.fixture(scope="module")
def test_images(shared_data):
    return shared_data / "cifar10" / "cifar10_test_0000_1999.npz"


@pytest.fixture(scope="module")
def short(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("resnet20") / "resnet20.nmd"
    return compile_resnet20(shared_data, folder, 8), folder


def float_logits(folder, test_images, count):
    artifact = read_artifact(folder)
    with np.load(test_images) as data:
        samples = artifact.manifest.preprocessing.apply(data["x"][:count], artifact.network.input_shape)
    return evaluate(artifact.float_network, samples)


def test_summary(short):
    summary, _ = short
    assert summary["activations_converted"] == summary["activations_total"] == 19
    assert summary["approximate_layers"] == []
    assert summary["neurons"] == 7 * 16 * 32**2 + 6 * 32 * 16**2 + 6 * 64 * 8**2 + 10
    assert summary["chips"] > 1
    assert summary["cores_bound"] <= summary["cores"]


def test_converted_network_has_the_logits_of_torch(short, shared_data, test_images):
    stored = np.load(shared_data / "cifar10" / "resnet20_logits_test_0000_1999.npy")[:100]
    np.testing.assert_allclose(float_logits(short[1], test_images, 100), stored, atol=1e-3, rtol=0)


def test_placement_is_legal(short):
    assert_legal(short[1])


@pytest.mark.lava
def test_lava(short, test_images, tmp_path):
    pytest.importorskip("lava.magma", reason="Lava is not installed")
    assert_lava_computes_the_same(short[1], test_images, 2, tmp_path)


@pytest.mark.slow
@pytest.mark.lava
def test_lava_with_a_process_for_each_core(short, test_images, tmp_path):
    pytest.importorskip("lava.magma", reason="Lava is not installed")
    summary, folder = short
    assert summary["cores"] > 300
    assert_lava_computes_the_same(folder, test_images, 2, tmp_path, "core")


@pytest.mark.slow
@pytest.mark.lava
def test_every_spike_of_twenty_images_on_lava(shared_data, test_images, tmp_path):
    pytest.importorskip("lava.magma", reason="Lava is not installed")
    folder = tmp_path / "long.nmd"
    summary = compile_resnet20(shared_data, folder, 64)
    assert summary["chips"] > 1
    assert_legal(folder)
    artifact = read_artifact(folder)
    with np.load(test_images) as data:
        samples = artifact.manifest.preprocessing.apply(data["x"][:20], artifact.network.input_shape)
    ours = simulate(artifact.network, samples, record_spike_trains=True)
    lava = run_on_lava(folder / "network.h5", samples, record_spike_trains=True)
    np.testing.assert_array_equal(ours.potentials, lava.potentials)
    assert sum(int(np.count_nonzero(train)) for train in ours.spike_trains.values()) > 20_000_000
    for name, train in ours.spike_trains.items():
        np.testing.assert_array_equal(train, lava.spike_trains[name], err_msg=name)


@pytest.mark.slow
def test_all_logits_and_accuracy(short, shared_data, test_images):
    stored = np.load(shared_data / "cifar10" / "resnet20_logits_test_0000_1999.npy")
    logits = float_logits(short[1], test_images, 2000)
    np.testing.assert_allclose(logits, stored, atol=1e-3, rtol=0)
    with np.load(test_images) as data:
        assert int((logits.argmax(1) == data["y"]).sum()) == PUBLISHED_CORRECT


@pytest.mark.slow
def test_accuracy_of_the_integer_network(shared_data, test_images, tmp_path):
    """Within three percentage points on 200 images with a window of 128 steps."""
    folder = tmp_path / "accurate.nmd"
    compile_resnet20(shared_data, folder, 128)
    report = ran(folder, test_images, "--limit", "200")
    assert report["accuracy"] >= report["float_accuracy"] - 0.03


@pytest.mark.slow
def test_report_with_an_analysis_stays_under_two_megabytes(short, test_images, tmp_path):
    """Analysed over 64 steps, of which it has as many points and bins as any network."""
    options = ("--data", test_images, "--limit", "20", "--timesteps", "64", "--json")
    ended = nmdeploy("analyze", short[1], *options)
    assert ended.code == 0, ended.stderr
    (tmp_path / "analysis.json").write_text(ended.stdout)
    page = tmp_path / "report.html"
    assert nmdeploy("report", short[1], "-o", page, "--analysis", tmp_path / "analysis.json").code == 0
    text = page.read_text(encoding="utf-8")
    assert text.count('<svg class="map"') == 4 * short[0]["chips"] + 1
    assert text.count('<svg role="img"') == 6
    assert page.stat().st_size < 2_000_000
