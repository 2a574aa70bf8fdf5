"""Overlaps of boxes, and which of them are one face."""

from __future__ import annotations

import numpy as np
import pytest

from containers.face_analyzer.boxes import Found, are_whole, distinct, merged, shared, together
from containers.face_analyzer.sampling import Part


def found(*faces: tuple[float, float, float, float, float]) -> Found:
    """Faces: left, top, right, bottom, score."""
    numbers = np.array(faces, float).reshape(-1, 5)
    return Found(numbers[:, :4], numbers[:, 4].astype(np.float32))


def test_shares_by_hand() -> None:
    box = np.array([0, 0, 10, 10.0])
    others = np.array(
        [[0, 0, 10, 10], [5, 0, 15, 10], [20, 0, 30, 10], [2, 2, 4, 4], [3, 3, 3, 9]], float
    )

    assert shared(box, others) == pytest.approx([1, 50 / 150, 0, 4 / 100, 0])
    assert shared(box, others, of_smaller=True) == pytest.approx([1, 0.5, 0, 1, 0])


def test_of_boxes_that_overlap_the_best_stays_and_order_is_by_score() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [40, 0, 50, 10], [2, 0, 12, 10]], float)
    scores = np.array([0.6, 0.9, 0.95, 0.7], np.float32)

    assert distinct(boxes, scores, overlap=0.5).tolist() == [2, 1]


def test_an_overlap_of_just_the_limit_is_two_faces() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10]], float)

    assert len(distinct(boxes, np.array([0.9, 0.8], np.float32), overlap=50 / 150)) == 2
    assert len(distinct(boxes, np.array([0.9, 0.8], np.float32), overlap=50 / 150 - 1e-6)) == 1


def test_a_box_that_was_left_out_leaves_out_no_other() -> None:
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], float)

    assert distinct(boxes, np.array([0.9, 0.8, 0.7], np.float32), overlap=0.4).tolist() == [0, 2]


def test_no_box_stays_none() -> None:
    assert distinct(np.zeros((0, 4)), np.zeros(0, np.float32), overlap=0.5).tolist() == []


def test_a_part_of_a_face_that_another_search_found_is_no_second_face() -> None:
    large, eye, neighbour = (0, 0, 90, 90, 0.9), (20, 20, 50, 50, 0.8), (100, 0, 130, 30, 0.7)
    both = together([found(large), found(eye, neighbour)])

    faces = merged(both, np.array([True] * 3), overlap=0.5)

    assert faces.boxes.tolist() == [[0, 0, 90, 90], [100, 0, 130, 30]]
    assert faces.scores.tolist() == pytest.approx([0.9, 0.7])


def test_faces_of_several_searches_are_in_one_order() -> None:
    both = together([found((0, 0, 9, 9, 0.6)), found((50, 0, 59, 9, 0.8), (90, 0, 99, 9, 0.7))])

    faces = merged(both, np.array([True, True, False]), overlap=0.5)

    assert faces.boxes[:, 0].tolist() == [50, 90, 0]


def test_a_cut_face_counts_only_where_no_whole_one_is() -> None:
    both = found((0, 0, 20, 30, 0.9), (0, 0, 30, 30, 0.6), (70, 0, 90, 30, 0.8))

    faces = merged(both, np.array([False, True, False]), overlap=0.5)

    assert faces.boxes.tolist() == [[70, 0, 90, 30], [0, 0, 30, 30]]


@pytest.mark.parametrize(
    ("box", "whole"),
    [
        ((110, 110, 140, 140), True),
        ((100.5, 110, 140, 140), False),
        ((110, 100.5, 140, 140), False),
        ((110, 110, 199.5, 140), False),
        ((110, 110, 140, 199.5), False),
        ((90, 110, 140, 140), False),
    ],
)
def test_a_box_that_ends_at_an_edge_of_its_part_is_cut(
    box: tuple[float, float, float, float], *, whole: bool
) -> None:
    part = Part(100, 100, 100, 100)

    assert are_whole(np.array([box]), part, (1000, 1000), margin=1).tolist() == [whole]


def test_at_an_edge_of_the_photo_a_box_is_whole() -> None:
    corners = found((0, 0, 20, 20, 0.9), (180, 180, 200, 200, 0.9), (-5, 150, 20, 205, 0.9))

    assert are_whole(corners.boxes, Part(0, 0, 200, 200), (200, 200), margin=1).all()
