"""Mean average precision with 101 recall levels, as COCO counts it, at one overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from examples.detection.boxes import Detections, overlaps

LEVELS = 100


def mean_average_precision(found: list[Detections], truth: list[Detections], overlap: float = 0.5) -> float:
    """Mean over the classes that the truth has.

    Parameters
    ----------
    found, truth : list of Detections
        One of each an image, in pixels of the same square.
    overlap : float
        Intersection over union from which a box counts as found.

    Raises
    ------
    ValueError
        There is no box in the truth.
    """
    classes = np.unique(np.concatenate([one.classes for one in truth]))
    if not len(classes):
        raise ValueError("there is no box to find")
    return float(np.mean([average_precision(found, truth, int(number), overlap) for number in classes]))


def average_precision(found: list[Detections], truth: list[Detections], number: int, overlap: float) -> float:
    """Of one class: mean over the recall levels of the best precision at that recall or a higher one."""
    scores, hits, present = [], [], 0
    for image, known in zip(found, truth, strict=True):
        wanted = known.boxes[known.classes == number]
        own = image.pick(image.classes == number)
        own = own.pick(np.argsort(-own.scores, kind="stable"))
        present += len(wanted)
        scores.append(own.scores)
        hits.append(matches(own.boxes, wanted, overlap) >= 0)
    order = np.argsort(-np.concatenate(scores), kind="stable")
    right = np.concatenate(hits)[order].cumsum()
    precision = right / np.arange(1, len(right) + 1)
    best = np.concatenate([np.maximum.accumulate(precision[::-1])[::-1], [0.0]])
    # right / present >= level / LEVELS in whole numbers, since many recalls are levels
    reached = np.searchsorted(right * LEVELS, np.arange(LEVELS + 1) * present)
    return float(best[reached].mean())


def matches(boxes: NDArray[np.float64], wanted: NDArray[np.float64], overlap: float) -> NDArray[np.int64]:
    """Give every box, best first, the wanted box not yet taken that it overlaps most.

    Parameters
    ----------
    boxes : float64 array, (boxes, 4)
        By falling score.
    wanted : float64 array, (wanted, 4)
    overlap : float
        The least that counts.

    Returns
    -------
    int64 array, (boxes,)
        Index of the wanted box, -1 for none.
    """
    shared = overlaps(boxes, wanted)
    taken = np.full(len(boxes), -1, dtype=np.int64)
    for box in range(len(boxes) if len(wanted) else 0):
        best = int(shared[box].argmax())
        if shared[box, best] >= overlap:
            taken[box] = best
            shared[:, best] = -1.0
    return taken
