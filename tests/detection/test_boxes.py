"""Overlaps against counted pixels and torchvision, suppression against torchvision and by hand."""

import numpy as np
import pytest
from detections import boxes_of, random_detections

from examples.detection.boxes import overlaps, suppress

PIXELS = 24


def pixels(box):
    x1, y1, x2, y2 = box.astype(int)
    covered = np.zeros((PIXELS, PIXELS), dtype=bool)
    covered[y1:y2, x1:x2] = True
    return covered


def test_overlaps_count_pixels():
    first, second = random_detections(0, 25).boxes, random_detections(1, 30).boxes
    expected = [[(pixels(a) & pixels(b)).sum() / (pixels(a) | pixels(b)).sum() for b in second] for a in first]
    assert 0.0 < np.mean(np.array(expected) == 0) < 1.0
    np.testing.assert_allclose(overlaps(first, second), expected, rtol=1e-12)


def test_empty_boxes_overlap_nothing():
    empty = boxes_of((3, 3, 3, 3)).boxes
    assert overlaps(empty, empty)[0, 0] == 0.0
    assert overlaps(empty, boxes_of((0, 0, 9, 9)).boxes)[0, 0] == 0.0


def test_suppression_by_hand():
    found = boxes_of(
        (0, 0, 10, 10), (0, 0, 10, 9), (0, 0, 10, 8), (0, 0, 10, 10), (50, 50, 60, 60),
        scores=[0.6, 0.9, 0.7, 0.5, 0.8], classes=[0, 0, 0, 1, 0],
    )  # fmt: skip
    # the second overlaps the first by 0.9 and the third by 8/9; the fourth is of another class
    kept = suppress(found, 0.5)
    assert kept.scores.tolist() == [0.9, 0.8, 0.5]
    assert kept.classes.tolist() == [0, 0, 1]
    # at 0.89 the third stays, since 8/9 is no more, and takes nothing with it: the first is gone already
    assert suppress(found, 0.89).scores.tolist() == [0.9, 0.8, 0.7, 0.5]


def test_what_is_suppressed_suppresses_nothing():
    chain = boxes_of((0, 0, 10, 10), (4, 0, 14, 10), (8, 0, 18, 10), scores=[0.9, 0.8, 0.7])
    assert suppress(chain, 0.4).scores.tolist() == [0.9, 0.7]


@pytest.mark.parametrize("seed", range(5))
def test_suppression_is_torchvision_s(seed):
    torch, ops = pytest.importorskip("torch"), pytest.importorskip("torchvision.ops")
    found = random_detections(seed, 80)
    found.scores[:] = np.random.default_rng(seed).permutation(80) / 80
    order = ops.batched_nms(*(torch.from_numpy(part) for part in (found.boxes, found.scores, found.classes)), 0.45)
    expected = found.pick(order.numpy())
    kept = suppress(found, 0.45)
    assert 5 < len(expected) < 75
    np.testing.assert_array_equal(kept.boxes, expected.boxes)
    np.testing.assert_array_equal(kept.classes, expected.classes)
