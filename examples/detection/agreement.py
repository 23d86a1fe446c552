"""How far two networks find the same boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from examples.detection.average_precision import matches
from examples.detection.boxes import Detections


@dataclass(frozen=True)
class Agreement:
    """Boxes that two networks have in common.

    Attributes
    ----------
    common, only_found, only_wanted : int
    """

    common: int
    only_found: int
    only_wanted: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0 to 1; 1 if neither finds anything."""
        total = 2 * self.common + self.only_found + self.only_wanted
        return 2 * self.common / total if total else 1.0


def agreement(
    found: list[Detections], wanted: list[Detections], lowest_score: float, overlap: float = 0.5
) -> Agreement:
    """Match boxes of the same class above a score, best first.

    Parameters
    ----------
    found, wanted : list of Detections
        One of each an image, in pixels of the same square.
    lowest_score : float
        Boxes of both must exceed it.
    overlap : float
        Intersection over union from which two boxes are the same.
    """
    common, found_total, wanted_total = 0, 0, 0
    for image, known in zip(found, wanted, strict=True):
        own, other = (one.pick(one.scores > lowest_score) for one in (image, known))
        own = own.pick(np.argsort(-own.scores, kind="stable"))
        found_total += len(own)
        wanted_total += len(other)
        for number in np.unique(own.classes):
            taken = matches(own.boxes[own.classes == number], other.boxes[other.classes == number], overlap)
            common += int((taken >= 0).sum())
    return Agreement(common, found_total - common, wanted_total - common)
