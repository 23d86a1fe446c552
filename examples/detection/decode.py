"""From the output maps of two detectors to boxes; numbers as their authors trained them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from examples.detection.boxes import Detections, suppress

FloatArray = NDArray[np.float64]
BOX_VALUES = 4
# Larger than any image, and its square still a number.
LARGEST_EXPONENT = 50.0


@dataclass(frozen=True)
class Head:
    """One output map: for each anchor tx, ty, tw, th, objectness and class logits, as channels.

    Attributes
    ----------
    cells : int
        Rows and columns of the map.
    anchors : tuple of (float, float)
        Width and height in pixels.
    classes : int
        0 where objectness alone is the score.
    """

    cells: int
    anchors: tuple[tuple[float, float], ...]
    classes: int

    @property
    def outputs(self) -> int:
        """Values of the map."""
        return len(self.anchors) * (BOX_VALUES + 1 + self.classes) * self.cells**2


@dataclass(frozen=True)
class Detector:
    """How outputs become boxes.

    Attributes
    ----------
    side : int
        Pixels of the square that the network takes.
    heads : tuple of Head
        In the order of the network's outputs.
    suppression : float
        Overlap beyond which two boxes of a class are one object.
    """

    side: int
    heads: tuple[Head, ...]
    suppression: float

    def split(self, outputs: FloatArray) -> list[FloatArray]:
        """Outputs (images, values) as one array for each head, (images, values of the head)."""
        stops = np.cumsum([head.outputs for head in self.heads])
        if outputs.shape[1] != stops[-1]:
            raise ValueError(f"{outputs.shape[1]} outputs; the heads have {stops[-1]}")
        return np.split(outputs, stops[:-1], axis=1)

    def detections(self, outputs: FloatArray, lowest_score: float) -> list[Detections]:
        """Boxes of every image in pixels of the square, by falling score.

        Parameters
        ----------
        outputs : float64 array, (images, values)
            Of the network: heads joined, each in C order of (channel, row, column).
        lowest_score : float
            Only boxes of a higher score.
        """
        by_head = zip(self.heads, self.split(outputs), strict=True)
        found = [[_boxes(head, one, self.side, lowest_score) for one in values] for head, values in by_head]
        return [suppress(_joined(parts), self.suppression) for parts in zip(*found, strict=True)]


def _boxes(head: Head, values: FloatArray, side: int, lowest_score: float) -> Detections:
    """Of one image and head; one box for each anchor and class above the lowest score."""
    maps = values.reshape(len(head.anchors), -1, head.cells, head.cells)
    objectness = _sigmoid(maps[:, BOX_VALUES : BOX_VALUES + 1])
    scores = objectness * _sigmoid(maps[:, BOX_VALUES + 1 :]) if head.classes else objectness
    anchor, number, row, column = np.nonzero(scores > lowest_score)
    offsets = _sigmoid(maps[anchor, :2, row, column])
    centres = (offsets + np.stack([column, row], axis=1)) * side / head.cells
    sizes = (
        np.exp(np.minimum(maps[anchor, 2:BOX_VALUES, row, column], LARGEST_EXPONENT)) * np.array(head.anchors)[anchor]
    )
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    return Detections(boxes, scores[anchor, number, row, column], number)


def _sigmoid(values: FloatArray) -> FloatArray:
    result: FloatArray = 0.5 * (np.tanh(0.5 * values) + 1.0)
    return result


def _joined(parts: tuple[Detections, ...]) -> Detections:
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.classes for part in parts]),
    )


YOLOV3_TINY = Detector(
    side=416,
    heads=(
        Head(13, ((81, 82), (135, 169), (344, 319)), 80),
        # anchors 1 to 3 of six: those that the published weights were trained with
        Head(26, ((23, 27), (37, 58), (81, 82)), 80),
    ),
    suppression=0.45,
)
CELL = 32
TINY_FACE_DETECTOR = Detector(
    side=416,
    heads=(
        Head(
            13,
            tuple(
                (CELL * width, CELL * height)
                for width, height in (
                    (1.603231, 2.094468),
                    (6.041143, 7.080126),
                    (2.882459, 3.518061),
                    (4.266906, 5.178857),
                    (9.041765, 10.66308),
                )
            ),
            0,
        ),
    ),
    suppression=0.4,
)
