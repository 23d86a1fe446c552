"""Two trained detectors, the images that they are calibrated on, and those that they are judged on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from examples.detection.boxes import Detections
from examples.detection.coco import image_paths, true_boxes
from examples.detection.decode import TINY_FACE_DETECTOR, YOLOV3_TINY, Detector
from examples.detection.letterbox import Letterbox, read_squares
from examples.networks.tiny_face_detector import tiny_face_detector
from examples.networks.yolov3_tiny import yolov3_tiny

Samples = NDArray[np.float32]
GREY = 127.5
FACE_MEAN = np.array([117.001, 114.697, 97.404], dtype=np.float32)


@dataclass(frozen=True)
class Judged:
    """A detector with its data.

    Attributes
    ----------
    name : str
    detector : Detector
    module : nn.Module
        Trained.
    calibration : float32 array, (images, 3, rows, columns)
        Of COCO's training images, as the network takes them.
    samples : float32 array, (images, 3, rows, columns)
    truth : list of Detections
        The true boxes; of the face detector, whose images have none, those that its authors' program finds.
    score : float
        From which a box of the face detector counts, and with which boxes are compared with the float network's.
    """

    name: str
    detector: Detector
    module: nn.Module
    calibration: Samples
    samples: Samples
    truth: list[Detections]
    score: float


def yolo(data: Path) -> Judged:
    """YOLOv3-tiny on 32 images of COCO."""
    folder = data / "detector"
    side = YOLOV3_TINY.side

    def read(name: str) -> tuple[list[Path], Samples, list[Letterbox]]:
        paths = image_paths(folder / name)
        squares, places = read_squares(paths, side, GREY, centred=True)
        return paths, _channels_first(squares / np.float32(255)), places

    paths, samples, places = read("coco_val_32")
    truth = [true_boxes(path, _size(path), place) for path, place in zip(paths, places, strict=True)]
    module = _trained(yolov3_tiny, folder / "yolov3_tiny_coco_fp16.pt")
    return Judged("YOLOv3-tiny", YOLOV3_TINY, module, read("coco_train_calib_24")[1], samples, truth, 0.25)


def face(data: Path) -> Judged:
    """The tiny face detector on 5 images."""
    folder, side = data / "face", TINY_FACE_DETECTOR.side

    def read(paths: list[Path]) -> tuple[Samples, list[Letterbox]]:
        squares, places = read_squares(paths, side, 0.0, centred=False)
        return _channels_first((squares - FACE_MEAN) / np.float32(256)), places

    paths = sorted((folder / "images").glob("*.jpg"))
    samples, places = read(paths)
    known = json.loads((folder / "tiny_face_detector_reference_boxes.json").read_text())
    truth = [_in_square(np.array(known[path.name]), place) for path, place in zip(paths, places, strict=True)]
    calibration = read(image_paths(data / "detector" / "coco_train_calib_24"))[0]
    module = _trained(tiny_face_detector, folder / "tiny_face_detector.pt")
    return Judged("tiny face detector", TINY_FACE_DETECTOR, module, calibration, samples, truth, 0.5)


def _in_square(found: NDArray[np.float64], place: Letterbox) -> Detections:
    boxes = found[:, :4] * place.scale + np.array([place.left, place.top, place.left, place.top])
    return Detections(boxes, found[:, 4], np.zeros(len(found), dtype=np.int64))


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def _channels_first(squares: NDArray[np.float32]) -> Samples:
    return np.ascontiguousarray(squares.transpose(0, 3, 1, 2))


def _trained(make: Callable[[], nn.Module], weights: Path) -> nn.Module:
    module = make()
    state = torch.load(weights, map_location="cpu", weights_only=True)
    module.load_state_dict({name: value.float() for name, value in state.items()})
    return module.eval()
