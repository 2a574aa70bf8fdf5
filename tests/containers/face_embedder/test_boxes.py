"""Arithmetic on boxes, by hand."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from containers.face_embedder.boxes import corrected, overlaps, squared, suppress
from containers.face_embedder.spec import Boxes


def boxes(*rows: tuple[float, float, float, float]) -> Boxes:
    return np.array(rows, np.float32).reshape(-1, 4)


# Two boxes of 10 × 10: 6 × 10 are in both, of a union of 140. Their share is 0.43.
PAIR = boxes((0, 0, 10, 10), (4, 0, 14, 10))
SCORES = np.array([0.8, 0.9], np.float32)


@pytest.mark.parametrize(("most", "kept"), [(0.5, [1, 0]), (0.4, [1])])
def test_a_box_is_dropped_if_a_better_one_covers_too_much(most: float, kept: list[int]) -> None:
    """The better one is kept, and comes first."""
    assert suppress(PAIR, SCORES, most).tolist() == kept


def test_a_box_at_the_limit_is_kept() -> None:
    """Half of the union is in both: that is not more than half."""
    pair = boxes((0, 0, 3, 1), (1, 0, 4, 1))

    assert suppress(pair, SCORES, 0.5).tolist() == [1, 0]


def test_a_dropped_box_drops_no_other() -> None:
    """The third box overlaps only the second, which the first has dropped."""
    three = boxes((0, 0, 10, 10), (4, 0, 14, 10), (8, 0, 18, 10))

    assert suppress(three, np.array([0.9, 0.8, 0.7], np.float32), 0.4).tolist() == [0, 2]


def test_equal_scores_keep_their_order() -> None:
    """The first of two equals wins, on every machine."""
    assert suppress(PAIR, np.array([0.9, 0.9], np.float32), 0.4).tolist() == [0]


@pytest.mark.parametrize(("most", "kept"), [(0.99, [0]), (1.0, [0, 1])])
def test_a_box_inside_another_is_dropped_by_the_smaller(most: float, kept: list[int]) -> None:
    """All of the smaller one is in both, though it is a small part of the union."""
    nested = boxes((0, 0, 100, 100), (40, 40, 50, 50))

    assert suppress(nested, np.array([0.9, 0.8], np.float32), most, of="smaller").tolist() == kept
    assert suppress(nested, np.array([0.9, 0.8], np.float32), 0.5).tolist() == [0, 1]


def test_sides_of_the_smaller_include_their_last_pixel() -> None:
    """Boxes 0…9 and 10…19 touch: a column of 1 × 10 is in both if the last pixel counts."""
    touching = boxes((0, 0, 9, 9), (9, 0, 18, 9))

    assert suppress(touching, SCORES, 0.05, of="smaller").tolist() == [1]
    assert suppress(touching, SCORES, 0.05).tolist() == [1, 0]


def test_no_boxes_are_no_boxes() -> None:
    """Nothing to keep."""
    assert suppress(boxes(), np.zeros(0, np.float32), 0.5).tolist() == []


def test_offsets_are_shares_of_the_size() -> None:
    """A box of 20 × 10, and of 21 × 11 with the last pixel."""
    box, moved = boxes((10, 20, 30, 30)), boxes((0.1, -0.1, 0.2, 0))

    assert corrected(box, moved, extra=0).tolist() == [[12, 19, 34, 30]]
    assert corrected(box, moved, extra=1)[0] == pytest.approx([12.1, 18.9, 34.2, 30])


def test_a_square_has_the_longer_side_and_the_same_middle() -> None:
    """30 × 10 becomes 30 × 30."""
    assert squared(boxes((10, 20, 40, 30))).tolist() == [[10, 10, 40, 40]]


def test_overlaps_are_shares_of_the_union() -> None:
    """The same box, 60 of 140, nothing, and nothing of a box without area."""
    others = boxes((0, 0, 10, 10), (4, 0, 14, 10), (10, 0, 20, 10), (5, 5, 5, 5))

    assert overlaps(PAIR[:1], others)[0] == pytest.approx([1, 60 / 140, 0, 0])


@pytest.mark.parametrize("of", ["union", "smaller"])
def test_many_boxes_are_dropped_as_if_one_by_one(of: Literal["union", "smaller"]) -> None:
    """They are compared in blocks, which changes nothing."""
    noise = np.random.default_rng(3)
    corners = noise.integers(0, 120, (300, 2))
    boxes = np.concatenate([corners, corners + noise.integers(20, 60, (300, 2))], axis=1)
    boxes = boxes.astype(np.float32)
    scores = noise.permutation(300).astype(np.float32)

    kept: list[int] = []
    for each in np.argsort(-scores).tolist():
        pairs = ([better, each] for better in kept)
        if all(len(suppress(boxes[pair], scores[pair], 0.5, of=of)) == 2 for pair in pairs):
            kept.append(each)

    assert len(kept) > 32
    assert suppress(boxes, scores, 0.5, of=of).tolist() == kept
