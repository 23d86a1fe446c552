"""Trained detectors on real images find what was measured with others' code."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from examples.detection.average_precision import average_precision, mean_average_precision
from examples.detection.coco import image_paths, true_boxes
from examples.detection.decode import TINY_FACE_DETECTOR, YOLOV3_TINY
from examples.detection.letterbox import read_squares
from examples.networks.tiny_face_detector import tiny_face_detector
from examples.networks.yolov3_tiny import yolov3_tiny

PERSON = 0


def outputs_of(module, weights, samples):
    state = torch.load(weights, map_location="cpu", weights_only=True)
    module.load_state_dict({name: value.float() for name, value in state.items()})
    with torch.no_grad():
        outputs = module.eval()(torch.from_numpy(np.ascontiguousarray(samples.transpose(0, 3, 1, 2))))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return torch.cat([output.flatten(1) for output in outputs], 1).double().numpy()


def test_mean_average_precision_of_yolov3_tiny(shared_data):
    """0.4967 over 48 classes and 221 boxes, 0.598 for persons; 0.296 with the anchors of the packaged configuration."""
    paths = image_paths(shared_data / "detector" / "coco_val_32")
    squares, places = read_squares(paths, YOLOV3_TINY.side, 127.5, centred=True)
    truth = [true_boxes(path, Image.open(path).size, place) for path, place in zip(paths, places, strict=True)]
    assert sum(map(len, truth)) == 221
    weights = shared_data / "detector" / "yolov3_tiny_coco_fp16.pt"
    found = YOLOV3_TINY.detections(outputs_of(yolov3_tiny(), weights, squares / np.float32(255)), 0.005)
    assert mean_average_precision(found, truth) == pytest.approx(0.4967, abs=5e-5)
    assert average_precision(found, truth, PERSON, 0.5) == pytest.approx(0.598, abs=5e-4)


def test_boxes_of_the_face_detector(shared_data):
    """The 21 boxes that the detector's own page finds, to the digit that was written down."""
    folder = shared_data / "face"
    paths = sorted((folder / "images").glob("*.jpg"))
    squares, places = read_squares(paths, TINY_FACE_DETECTOR.side, 0.0, centred=False)
    samples = (squares - np.array([117.001, 114.697, 97.404], dtype=np.float32)) / np.float32(256)
    outputs = outputs_of(tiny_face_detector(), folder / "tiny_face_detector.pt", samples)
    reference = json.loads((folder / "tiny_face_detector_reference_boxes.json").read_text())
    assert sum(map(len, reference.values())) == 21
    for path, place, found in zip(paths, places, TINY_FACE_DETECTOR.detections(outputs, 0.5), strict=True):
        measured = np.concatenate([place.to_image(found.boxes), found.scores[:, None]], axis=1)
        np.testing.assert_allclose(measured[:, :4], np.array(reference[path.name])[:, :4], atol=0.0501)
        np.testing.assert_allclose(measured[:, 4], np.array(reference[path.name])[:, 4], atol=5.1e-5)
