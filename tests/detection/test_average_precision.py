"""Average precision by hand and against a count of every cut of the scores."""

import numpy as np
import pytest
from detections import boxes_of, random_detections

from examples.detection.average_precision import average_precision, matches, mean_average_precision
from examples.detection.boxes import overlaps, suppress

A, B, C = (0, 0, 10, 10), (20, 20, 30, 30), (40, 0, 50, 10)


def test_all_found_first():
    found = boxes_of(A, B, C, scores=[0.9, 0.8, 0.1])
    assert average_precision([found], [boxes_of(A, B)], 0, 0.5) == 1.0


def test_a_false_box_between():
    """Recall 1/2 at precision 1, recall 1 at precision 2/3: 51 levels of the 101 up to 0.5, 50 above."""
    found = boxes_of(A, C, B, scores=[0.9, 0.8, 0.7])
    assert average_precision([found], [boxes_of(A, B)], 0, 0.5) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_nothing_found():
    assert average_precision([boxes_of()], [boxes_of(A)], 0, 0.5) == 0.0


def test_one_box_is_found_once():
    found = boxes_of(A, A, scores=[0.9, 0.8])
    truth = [boxes_of(A, B)]
    assert average_precision([found], truth, 0, 0.5) == pytest.approx(51 / 101)
    assert matches(found.boxes, boxes_of(A).boxes, 0.5).tolist() == [0, -1]


def test_the_other_of_two_near_boxes_is_left():
    """A box takes what it overlaps most; the next one takes what is left if that overlaps enough."""
    wanted = boxes_of((0, 0, 10, 10), (0, 0, 10, 8)).boxes
    assert matches(boxes_of((0, 0, 10, 8), (0, 0, 10, 8)).boxes, wanted, 0.5).tolist() == [1, 0]
    assert matches(boxes_of((0, 0, 10, 8), (0, 0, 10, 8)).boxes, wanted, 0.9).tolist() == [1, -1]


def test_mean_over_the_classes_of_the_truth():
    truth = [boxes_of(A, B, classes=[3, 7])]
    found = [boxes_of(A, B, C, scores=[0.9, 0.8, 0.7], classes=[3, 5, 9])]
    assert mean_average_precision(found, truth) == 0.5
    with pytest.raises(ValueError, match="no box to find"):
        mean_average_precision([boxes_of()], [boxes_of()])


def counted(found, truth, overlap):
    """Average precision of one class from the count of right and wrong boxes at every cut, matched anew in Python."""
    total = sum(map(len, truth))
    points = []
    for cut in np.unique(np.concatenate([one.scores for one in found])):
        right = wrong = 0
        for one, known in zip(found, truth, strict=True):
            left = list(known.boxes)
            for box in one.boxes[one.scores >= cut]:
                shared = [overlaps(box[None], other[None])[0, 0] for other in left]
                if shared and max(shared) >= overlap:
                    left.pop(int(np.argmax(shared)))
                    right += 1
                else:
                    wrong += 1
        points.append((right / total, right / (right + wrong)))
    return sum(max([p for r, p in points if r >= level / 100], default=0.0) for level in range(101)) / 101


@pytest.mark.parametrize("seed", range(8))
def test_against_every_cut(seed):
    # a number of true boxes that divides 100, so that recalls which are levels are met exactly
    truth = [random_detections(100 * seed + image, 5, classes=1) for image in range(4)]
    found = [suppress(random_detections(100 * seed + 50 + image, 25, classes=1), 0.7) for image in range(4)]
    scores = np.random.default_rng(seed).permutation(sum(map(len, found))) / 200  # no two alike
    for one in found:
        one.scores[:], scores = np.sort(scores[: len(one)])[::-1], scores[len(one) :]
    expected = counted(found, truth, 0.4)
    assert 0.01 < expected < 0.99
    assert average_precision(found, truth, 0, 0.4) == pytest.approx(expected, abs=1e-12)
