"""Folders of images with boxes in YOLO's text form: ``images/NAME.jpg`` and ``labels/NAME.txt``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from examples.detection.boxes import Detections
from examples.detection.letterbox import Letterbox


def image_paths(folder: Path) -> list[Path]:
    """The images of a folder, by name.

    Raises
    ------
    FileNotFoundError
        There is none.
    """
    paths = sorted((folder / "images").glob("*.jpg"))
    if not paths:
        raise FileNotFoundError(f"{folder / 'images'}: no .jpg files")
    return paths


def true_boxes(image: Path, size: tuple[int, int], place: Letterbox) -> Detections:
    """Boxes of an image in pixels of its square.

    Parameters
    ----------
    image : Path
        ``images/NAME.jpg``; without ``labels/NAME.txt`` it shows nothing.
    size : (int, int)
        Columns and rows of the image.
    place : Letterbox
    """
    labels = image.parent.parent / "labels" / f"{image.stem}.txt"
    lines = labels.read_text().split("\n") if labels.is_file() else []
    values = np.array([[float(part) for part in line.split()] for line in lines if line.strip()]).reshape(-1, 5)
    whole = np.array([*size, *size]) * place.scale
    centre, extent = values[:, 1:3], values[:, 3:5]
    boxes = np.concatenate([centre - extent / 2, centre + extent / 2], axis=1) * whole
    moved = boxes + np.array([place.left, place.top, place.left, place.top])
    return Detections(moved, np.ones(len(values)), values[:, 0].astype(np.int64))
