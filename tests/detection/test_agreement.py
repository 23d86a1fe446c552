"""Boxes that two networks have in common."""

import pytest
from detections import boxes_of

from examples.detection.agreement import Agreement, agreement

A, B, C = (0, 0, 10, 10), (20, 20, 30, 30), (40, 0, 50, 10)


def test_counts():
    found = boxes_of(A, B, C, (0, 0, 10, 9), scores=[0.9, 0.8, 0.7, 0.2], classes=[0, 0, 1, 0])
    wanted = boxes_of(A, B, C, scores=[0.4, 0.26, 0.6], classes=[0, 0, 2])
    # A and B agree, C is of another class, the last found one is below the score
    same = agreement([found], [wanted], 0.25)
    assert same == Agreement(common=2, only_found=1, only_wanted=1)
    assert same.f1 == pytest.approx(2 * 2 / (3 + 3))


def test_images_are_apart():
    same = agreement([boxes_of(A), boxes_of(B)], [boxes_of(B), boxes_of(B)], 0.5)
    assert same == Agreement(1, 1, 1)


def test_boxes_too_far_apart():
    moved = boxes_of((5, 0, 15, 10))  # overlaps A by 1/3
    assert agreement([moved], [boxes_of(A)], 0.5).common == 0
    assert agreement([moved], [boxes_of(A)], 0.5, overlap=0.33).common == 1


def test_nothing_anywhere():
    assert agreement([boxes_of()], [boxes_of()], 0.25).f1 == 1.0
    assert agreement([boxes_of(A)], [boxes_of()], 0.25).f1 == 0.0
