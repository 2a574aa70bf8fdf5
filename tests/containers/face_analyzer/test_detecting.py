"""What the detectors' answers mean in pixels: by hand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from containers.face_analyzer.boxes import Found
from containers.face_analyzer.detecting import _placed, found_by_ssd, found_by_tiny
from containers.face_analyzer.landmarks import crop_of
from containers.face_analyzer.sampling import Part
from containers.face_analyzer.spec import Numbers
from pipeline.photo.pixels import Pixels

SQUARE = Part(0, 0, 512, 512)


class Rule(NamedTuple):
    """The part of a detector that says how large its square is."""

    side: int
    overlap: float

    def find(self, photo: Pixels, part: Part, *, min_score: float) -> Found:
        raise NotImplementedError


SSD = Rule(512, 0.5)
TINY = Rule(64, 0.4)


def by_ssd(*faces: tuple[float, ...], part: Part = SQUARE, min_score: float = 0.5) -> Found:
    """Faces as the network returns them: top, left, bottom, right, of 1, and the score."""
    numbers = np.array(faces, np.float32)
    return found_by_ssd(numbers[:, :4], numbers[:, 4], part, SSD, min_score=min_score)


def grid(*changes: tuple[int, int, int, tuple[float, ...]]) -> Numbers:
    """Two by two cells; changes: anchor, row, column, five numbers."""
    numbers = np.zeros((5, 5, 2, 2), np.float32)
    numbers[:, 4] = -20
    for anchor, row, column, values in changes:
        numbers[anchor, :, row, column] = values
    return numbers.reshape(25, 2, 2)


def test_ssds_boxes_are_shares_of_the_square_from_the_top() -> None:
    found = by_ssd((0.25, 0.5, 0.5, 0.75, 0.9))

    assert found.boxes.tolist() == [[256, 128, 384, 256]]
    assert found.scores.tolist() == pytest.approx([0.9])


def test_ssds_boxes_end_at_the_square() -> None:
    assert by_ssd((-0.1, -0.2, 1.1, 0.5, 0.9)).boxes.tolist() == [[0, 0, 256, 512]]


def test_overlap_counts_before_boxes_are_cut_off() -> None:
    """Cut off, the two would be nearly the same."""
    outer, inner = (0, -3, 1, 1, 0.9), (0, 0, 1, 1, 0.8)

    assert len(by_ssd(outer, inner).boxes) == 2


def test_a_wide_photos_padding_is_below() -> None:
    part = Part(0, 0, 1024, 512)

    assert by_ssd((0.25, 0.5, 0.5, 0.75, 0.9), part=part).boxes.tolist() == [[512, 256, 768, 512]]


def test_the_resized_side_is_rounded_as_face_api_does() -> None:
    """300 × 168 pixels become 512 × 287 (286.72)."""
    found = by_ssd((0.0, 0.0, 0.5, 0.5, 0.9), part=Part(0, 0, 300, 168))

    assert found.boxes[0] == pytest.approx([0, 0, 150, 0.5 * 512 / 287 * 168])


def test_a_tiles_boxes_are_places_in_the_photo() -> None:
    part = Part(1000, 2000, 512, 512)

    assert by_ssd((0, 0, 0.5, 0.5, 0.9), part=part).boxes.tolist() == [[1000, 2000, 1256, 2256]]


def test_a_box_in_the_padding_is_no_face() -> None:
    part = Part(0, 0, 512, 256)

    assert len(by_ssd((0.6, 0.1, 0.9, 0.4, 0.9), part=part).boxes) == 0
    assert len(by_ssd((0.4, 0.1, 0.9, 0.4, 0.9), part=part).boxes) == 1


@pytest.mark.parametrize(("min_score", "count"), [(0.05, 2), (0.75, 2), (0.76, 1), (1.0, 0)])
def test_scores_below_the_least_are_left_out(min_score: float, count: int) -> None:
    faces = (0, 0, 0.1, 0.1, 0.9), (0.5, 0.5, 0.6, 0.6, 0.75)

    assert len(by_ssd(*faces, min_score=min_score).boxes) == count


def test_the_tiny_detectors_boxes_by_hand() -> None:
    """The middle is half a cell of 32 pixels in; the anchor is 1.603231 × 2.094468 cells."""
    found = found_by_tiny(grid((0, 1, 0, (0, 0, 0, 0, 2))), Part(0, 0, 64, 64), TINY, min_score=0.5)

    half = 16 * np.array([1.603231, 2.094468])
    assert found.boxes[0] == pytest.approx([16 - half[0], 48 - half[1], 16 + half[0], 48 + half[1]])
    assert found.scores.tolist() == pytest.approx([1 / (1 + np.exp(-2))])


def test_the_tiny_detectors_offsets_are_sigmoids_and_sizes_powers() -> None:
    numbers = (np.log(3), -np.log(3), np.log(2), np.log(0.5), 5)

    found = found_by_tiny(grid((2, 0, 1, numbers)), Part(0, 0, 128, 128), TINY, min_score=0.5)

    middle, size = (64 * 1.75, 64 * 0.25), (64 * 2.882459 * 2, 64 * 3.518061 / 2)
    left, top, right, bottom = found.boxes[0]
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx(middle)
    assert (right - left, bottom - top) == pytest.approx(size)


def test_the_tiny_detectors_boxes_that_overlap_are_one_face() -> None:
    """Of the same cell, the third anchor covers 0.46 of the fourth, and the first 0.15 of it."""
    answer = grid(*((anchor, 0, 0, (0, 0, 0, 0, 9 - anchor)) for anchor in (0, 2, 3)))

    found = found_by_tiny(answer, Part(0, 0, 64, 64), TINY, min_score=0.5)

    assert found.scores.tolist() == pytest.approx([1 / (1 + np.exp(-each)) for each in (9, 7)])


def test_a_box_of_a_tile_that_is_barely_a_pixel_wide_has_a_crop_or_is_left_out() -> None:
    """Where the tile begins, a pixel may be rounded to a little less."""
    photo = np.zeros((3000, 4000, 3), np.uint8)
    lefts = np.random.default_rng(0).random(20_000) * 400
    boxes = np.stack([lefts, np.full_like(lefts, 40), lefts + 1, np.full_like(lefts, 90)], axis=1)

    found = _placed(boxes / 416, np.ones(20_000, np.float32), Part(2048, 64, 416, 416), 416)

    assert all(crop_of(box, photo) for box in found.boxes)
