"""The benchmark of faces pairs faces and finds their largest differences."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench.faces.compared import Differences, overlap, pairs


def face(left: float, **more: Any) -> dict[str, Any]:
    return {"box": [left, 0, 10, 10], "score": 0.9, **more}


def test_faces_are_paired_by_place_and_not_by_order() -> None:
    ours, theirs = [face(0), face(100)], [face(101), face(1)]

    assert sorted((mine["box"][0], other["box"][0]) for mine, other in pairs(ours, theirs)) == [
        (0, 1), (100, 101),
    ]  # fmt: skip


def test_boxes_that_overlap_by_a_third_are_no_pair() -> None:
    assert overlap(face(0)["box"], face(5)["box"]) == pytest.approx(1 / 3)
    assert pairs([face(0)], [face(5)]) == []


def test_a_photo_with_another_number_of_faces_is_named() -> None:
    found = Differences()

    found.add("same", [face(0)], [face(0)])
    found.add("more", [face(0), face(100)], [face(0)])

    assert (found.paired, found.other_counts) == (2, ["more"])


def test_the_largest_difference_of_each_kind_counts() -> None:
    ours = face(0.5, landmarks=[[1, 2], [3, 4]], expressions={"sad": 0.1, "happy": 0.9},
        age=30, gender="male", gender_probability=0.51, descriptor=[2, 0])  # fmt: skip
    theirs = face(0, landmarks=[[1, 2], [3, 4.25]], expressions={"happy": 0.9, "sad": 0.1},
        age=31, gender="female", gender_probability=0.52, descriptor=[1, 0])  # fmt: skip
    found = Differences()

    found.add("photo", [ours], [theirs])

    assert found.other_genders == 1
    assert found.largest == pytest.approx(
        {"box": 0.5, "score": 0, "landmarks": 0.25, "age": 1, "probability": 0.03, "descriptor": 0}
    )
