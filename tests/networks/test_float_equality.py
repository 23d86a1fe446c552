"""Real networks after conversion, still in float, compute what torch computes."""

import numpy as np
import pytest
from real_networks import converted_outputs, filled, torch_outputs

from examples.networks.resnet8 import resnet8
from examples.networks.tiny_face_detector import tiny_face_detector
from examples.networks.yolov3_tiny import yolov3_tiny


def test_resnet8_accuracy(shared_data):
    """Convolutions that pad to the right and below only; 1758 of 2,000, as in torch and in Keras."""
    module = filled(resnet8(), shared_data / "cifar10" / "resnet8_mlperf_tiny.pt")
    with np.load(shared_data / "cifar10" / "cifar10_test_0000_1999.npz") as data:
        samples, labels = data["x"].transpose(0, 3, 1, 2).astype(np.float32), data["y"]
    outputs = converted_outputs(module, samples, 64)
    assert int((outputs.argmax(1) == labels).sum()) == 1758
    np.testing.assert_allclose(outputs[:64], torch_outputs(module, samples[:64]), atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("factory", "weights", "darkest", "outputs"),
    [
        (yolov3_tiny, "detector/yolov3_tiny_coco_fp16.pt", 0.0, 255 * (3 * 3 + 6 * 6)),
        (tiny_face_detector, "face/tiny_face_detector.pt", -0.45, 25 * 3 * 3),
    ],
    ids=["yolov3_tiny", "tiny_face_detector"],
)
def test_detectors(shared_data, factory, weights, darkest, outputs):
    """Leaky ReLU, max pooling, padding by -inf, upsampling, concatenation, depthwise convolution, two outputs."""
    module = filled(factory(), shared_data / weights)
    samples = np.random.default_rng(0).random((2, 3, 96, 96), dtype=np.float32) + np.float32(darkest)
    expected = torch_outputs(module, samples)
    assert expected.shape == (2, outputs)
    assert np.abs(expected).max() > 5
    np.testing.assert_allclose(converted_outputs(module, samples, 2), expected, atol=1e-3, rtol=0)
