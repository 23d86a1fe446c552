"""Random boxes for the tests of detection."""

import numpy as np

from examples.detection.boxes import Detections


def random_detections(seed, count, classes=3, side=12):
    """Boxes with whole corners, so that their pixels can be counted, and scores of which some are equal."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, side, (count, 2))
    sizes = rng.integers(1, side, (count, 2))
    boxes = np.concatenate([corners, corners + sizes], axis=1).astype(np.float64)
    return Detections(boxes, rng.integers(1, 20, count) / 20, rng.integers(0, classes, count))


def boxes_of(*corners, scores=None, classes=None):
    count = len(corners)
    return Detections(
        np.array(corners, dtype=np.float64).reshape(-1, 4),
        np.array(scores if scores is not None else [1.0] * count),
        np.array(classes if classes is not None else [0] * count, dtype=np.int64),
    )
