"""Which faces are considered, which are the same, and which are rejected."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from containers.face_embedder.faces import Candidate, analysed, judged, matched
from containers.face_embedder.mtcnn import Found
from containers.face_embedder.spec import EmbedderSpec
from pipeline.contracts.faces import Box, Detection, FacesDocument
from tests import embedding_models
from tests.embedding_models import Square

SPEC = EmbedderSpec(dimension=8, same_above=0.5, least_score=0.95, least_side=60)


def known(*squares: tuple[int, int, int]) -> FacesDocument:
    return embedding_models.analysed(900, 900, *(Square(*each) for each in squares))


def found(left: float, top: float, side: float, score: float = 0.99) -> Found:
    box = np.array([left, top, left + side, top + side], np.float32)
    return Found(box, score, np.zeros((5, 2)))


def candidate(width: float, height: float, score: float, **fields: Any) -> Candidate:
    box = Box(x=0, y=0, width=width, height=height)
    return Candidate(0, Detection(box=box, score=score), np.zeros((5, 2)), **fields)


def faces(candidates: list[Candidate]) -> list[int | None]:
    return [each.face for each in candidates]


def test_found_faces_get_their_index_and_keep_their_order() -> None:
    """The second found is the first known."""
    candidates = matched([found(500, 0, 100), found(0, 0, 100)], known((5, 5, 100), (500, 3, 90)))

    assert faces(candidates) == [1, 0]
    assert not any(each.rejected for each in candidates)


# Boxes of 100 × 100 that are moved by x have (100 - x) / (100 + x) of their union in both.
@pytest.mark.parametrize(("moved", "face"), [(33, 0), (34, None)])
def test_half_of_the_union_makes_two_boxes_one_face(moved: int, face: int | None) -> None:
    """67 of 133 are more than half, 66 of 134 are less."""
    (first, *_) = matched([found(moved, 0, 100)], known((0, 0, 100)))

    assert first.face == face


def test_a_face_is_nobody_else_s() -> None:
    """Of two found faces, the one that overlaps more is the known face; the other is new."""
    candidates = matched([found(20, 0, 100), found(5, 0, 100)], known((0, 0, 100)))

    assert faces(candidates) == [None, 0]


def test_a_face_that_is_not_found_is_listed_with_the_reason() -> None:
    """It comes after those that were found."""
    candidates = matched([found(0, 0, 100)], known((500, 500, 80), (0, 0, 100)))

    assert faces(candidates) == [1, 0]
    assert candidates[1].rejected == "the detector of the embedder does not find it"
    assert candidates[1].detection.box.x == 500


@pytest.mark.parametrize(
    ("finds", "document", "indices"),
    [([], known(), []), ([found(0, 0, 99)], known(), [None]), ([], known((0, 0, 99)), [0])],
)
def test_either_side_may_have_no_faces(
    finds: list[Found], document: FacesDocument, indices: list[int | None]
) -> None:
    """No pairs, and no failure."""
    assert faces(matched(finds, document)) == indices


def test_known_faces_keep_their_landmarks() -> None:
    """They are what dlib's square is made of."""
    (face,) = analysed(known((10, 20, 100)))

    assert face.points.shape == (68, 2)
    assert face.points[36].tolist() == [40, 55]


@pytest.mark.parametrize(
    ("width", "height", "score", "reason"),
    [
        (60, 60, 0.95, None),
        (59.9, 100, 0.99, "a side is shorter than 60 pixels"),
        (100, 59.9, 0.99, "a side is shorter than 60 pixels"),
        (100, 100, 0.949, "its score is below 0.95"),
    ],
)
def test_small_and_uncertain_faces_are_rejected(
    width: float, height: float, score: float, reason: str | None
) -> None:
    """The limits are the row's; a face at a limit passes."""
    assert judged(candidate(width, height, score), SPEC).rejected == reason


def test_a_reason_has_no_number_of_the_face() -> None:
    """Reasons may be shown and logged; boxes and scores may not."""
    for each in (candidate(31.5, 77, 0.99), candidate(100, 100, 0.4321)):
        reason = judged(each, SPEC).rejected
        assert reason
        assert "31" not in reason
        assert "4321" not in reason


def test_the_first_reason_stays() -> None:
    """What the detector did not find is not judged."""
    assert judged(candidate(1, 1, 0.1, rejected="why"), SPEC).rejected == "why"
