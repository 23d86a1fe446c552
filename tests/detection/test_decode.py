"""Output maps with one object each, whose box is worked out by hand."""

import numpy as np
import pytest

from examples.detection.decode import TINY_FACE_DETECTOR, YOLOV3_TINY

OFF = -20.0


def silent(detector):
    """Maps of one image, (anchors, values, rows, columns) for each head, in which nothing is found."""
    return [
        np.full((len(head.anchors), head.outputs // len(head.anchors) // head.cells**2, head.cells, head.cells), OFF)
        for head in detector.heads
    ]


def found_in(detector, maps, lowest_score=0.25):
    outputs = np.concatenate([one.ravel() for one in maps])[None]
    (found,) = detector.detections(outputs, lowest_score)
    return found


def logit(share):
    return np.log(share / (1 - share))


def test_coarse_head():
    maps = silent(YOLOV3_TINY)
    # anchor 1 is 135 x 169; column 5 and row 3 of cells of 32 pixels
    maps[0][1, :5, 3, 5] = logit(0.25), logit(0.75), np.log(2), np.log(0.5), logit(0.8)
    maps[0][1, 5 + 17, 3, 5] = logit(0.9)
    found = found_in(YOLOV3_TINY, maps)
    assert found.classes.tolist() == [17]
    assert found.scores[0] == pytest.approx(0.72)
    x, y, width, height = 5.25 * 32, 3.75 * 32, 270, 84.5
    np.testing.assert_allclose(found.boxes[0], [x - width / 2, y - height / 2, x + width / 2, y + height / 2])


def test_fine_head():
    maps = silent(YOLOV3_TINY)
    # anchor 0 is 23 x 27; column 25 and row 0 of cells of 16 pixels; two classes, two boxes
    maps[1][0, :5, 0, 25] = 0, 0, 0, 0, 20
    maps[1][0, 5, 0, 25] = logit(0.6)
    maps[1][0, 84, 0, 25] = logit(0.3)
    found = found_in(YOLOV3_TINY, maps)
    assert found.classes.tolist() == [0, 79]
    np.testing.assert_allclose(found.scores, [0.6, 0.3])
    np.testing.assert_allclose(found.boxes, [[408 - 11.5, 8 - 13.5, 408 + 11.5, 8 + 13.5]] * 2)


def test_face_head_has_no_classes():
    maps = silent(TINY_FACE_DETECTOR)
    maps[0][0, :5, 12, 0] = 0, 0, 0, 0, logit(0.7)
    found = found_in(TINY_FACE_DETECTOR, maps)
    assert found.classes.tolist() == [0]
    assert found.scores[0] == pytest.approx(0.7)
    width, height = 1.603231 * 32, 2.094468 * 32
    np.testing.assert_allclose(found.boxes[0], [16 - width / 2, 400 - height / 2, 16 + width / 2, 400 + height / 2])


def test_one_object_in_both_heads_is_one_box():
    maps = silent(YOLOV3_TINY)
    for head, row, column in ((0, 6, 6), (1, 12, 12)):
        # the anchor 81 x 82 is in both
        anchor = YOLOV3_TINY.heads[head].anchors.index((81, 82))
        maps[head][anchor, :5, row, column] = 0, 0, 0, 0, 20
        maps[head][anchor, 5, row, column] = logit(0.6 + head / 10)
    assert found_in(YOLOV3_TINY, maps).scores.tolist() == [pytest.approx(0.7)]


def test_scores_at_the_limit_are_left_out():
    maps = silent(TINY_FACE_DETECTOR)
    maps[0][0, 4, 0, 0] = 0.0
    assert len(found_in(TINY_FACE_DETECTOR, maps, 0.5)) == 0
    assert len(found_in(TINY_FACE_DETECTOR, maps, 0.499)) == 1


def test_boxes_beyond_all_numbers():
    maps = silent(TINY_FACE_DETECTOR)
    maps[0][0, :5, 0, 0] = 0, 0, 1000, 1000, 20
    maps[0][0, :5, 1, 1] = 0, 0, 0, 0, 10
    found = found_in(TINY_FACE_DETECTOR, maps)
    assert len(found) == 2
    assert np.isfinite(found.boxes).all()


def test_outputs_of_another_network():
    with pytest.raises(ValueError, match="845 outputs; the heads have 4225"):
        TINY_FACE_DETECTOR.detections(np.zeros((1, 845)), 0.5)
