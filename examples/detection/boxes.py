"""Boxes with scores and classes, and the suppression of those that mean the same object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Detections:
    """Of one image.

    Attributes
    ----------
    boxes : float64 array, (boxes, 4)
        x1 y1 x2 y2 in pixels.
    scores : float64 array, (boxes,)
        0 to 1; ones for what is known to be there.
    classes : int64 array, (boxes,)
    """

    boxes: FloatArray
    scores: FloatArray
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.boxes)

    def pick(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Detections:
        """Some of them."""
        return Detections(self.boxes[which], self.scores[which], self.classes[which])


def overlaps(first: FloatArray, second: FloatArray) -> FloatArray:
    """Intersection over union of every box of one set with every box of another.

    Parameters
    ----------
    first, second : float64 arrays, (n, 4) and (m, 4)

    Returns
    -------
    float64 array, (n, m)
        0 where both boxes are empty.
    """
    upper_left = np.maximum(first[:, None, :2], second[None, :, :2])
    lower_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.maximum(lower_right - upper_left, 0.0).prod(axis=2)
    union = _areas(first)[:, None] + _areas(second)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _areas(boxes: FloatArray) -> FloatArray:
    areas: FloatArray = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return areas


def suppress(detections: Detections, overlap: float) -> Detections:
    """Keep of boxes of one class that overlap by more than `overlap` the one of the highest score.

    Returns
    -------
    Detections
        By falling score.
    """
    ordered = detections.pick(np.argsort(-detections.scores, kind="stable"))
    kept = np.zeros(len(ordered), dtype=bool)
    for number in np.unique(ordered.classes):
        members = np.flatnonzero(ordered.classes == number)
        shared = overlaps(ordered.boxes[members], ordered.boxes[members])
        stays = np.ones(len(members), dtype=bool)
        for place in range(len(members)):
            if stays[place]:
                stays[place + 1 :] &= shared[place, place + 1 :] <= overlap
        kept[members] = stays
    return ordered.pick(kept)
