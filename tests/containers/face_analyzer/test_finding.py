"""Which parts of a photo are searched, and what is one face in several of them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from containers.face_analyzer.boxes import Found
from containers.face_analyzer.finding import find_faces, tiles_of
from containers.face_analyzer.sampling import Part
from pipeline.contracts.faces import FacesOptions
from pipeline.photo.pixels import Pixels

SIDE = 100
Face = tuple[float, float, float]  # left, top, side


class Eyes:
    """A detector that sees the part of a face in its tile, if it is at least a share of that."""

    side = SIDE
    overlap = 0.5

    def __init__(self, *faces: Face, least: float = 0.05) -> None:
        self.faces = faces
        self.least = least
        self.searched: list[Part] = []

    def find(self, photo: Pixels, part: Part, *, min_score: float) -> Found:
        assert photo.size
        self.searched.append(part)
        edges = np.array([part.left, part.top, part.left + part.width, part.top + part.height])
        boxes = np.array([(x, y, x + side, y + side) for x, y, side in self.faces], float)
        boxes = boxes.reshape(-1, 4)
        seen = np.clip(boxes, np.tile(edges[:2], 2), np.tile(edges[2:], 2))
        large = (seen[:, 2:] - seen[:, :2] >= part.longer * self.least).all(axis=1)
        scores = np.linspace(0.9, 0.6, len(boxes)).astype(np.float32)
        good = large & (scores >= min_score)
        return Found(seen[good], scores[good])


def photo(width: int, height: int) -> Pixels:
    return np.zeros((height, width, 3), np.uint8)


def options(**changes: Any) -> FacesOptions:
    return FacesOptions.model_validate({"model": "m", **changes})


def lefts(found: Found) -> list[float]:
    return sorted(found.boxes[:, 0].tolist())


def test_only_the_whole_photo_is_searched_unless_small_faces_are_asked_for() -> None:
    eyes = Eyes((10, 10, 30))

    found = find_faces(eyes, photo(1000, 500), options())

    assert eyes.searched == [Part(0, 0, 1000, 500)]
    assert len(found.boxes) == 0


def test_a_small_face_is_found_in_a_tile_at_its_place_in_the_photo() -> None:
    found = find_faces(Eyes((815, 333, 30)), photo(1000, 500), options(small_faces=True))

    assert found.boxes.tolist() == [[815, 333, 845, 363]]


@pytest.mark.parametrize("size", [12, 30, 60, 90, 150, 240, 450])
def test_a_face_of_any_size_is_found_once_and_whole_wherever_it_is(size: int) -> None:
    for left, top in itertools.product((0, 61, 90, 155, 390, 1500 - size), (0, 95, 1000 - size)):
        found = find_faces(Eyes((left, top, size)), photo(1500, 1000), options(small_faces=True))

        assert found.boxes.tolist() == [[left, top, left + size, top + size]]


def test_a_face_that_every_tile_cuts_is_found_once() -> None:
    """Tiles of 400 do not see 30 pixels; of those of 100, one ends at 178 and one begins at 156."""
    eyes = Eyes((155, 0, 30), least=0.1)

    (box,) = find_faces(eyes, photo(1500, 1000), options(small_faces=True)).boxes.tolist()

    assert pytest.approx([box[0], box[1], box[3]], abs=1) == [155, 0, 30]
    assert 177 <= box[2] <= 185


def test_faces_come_by_falling_score() -> None:
    eyes = Eyes((10, 10, 30), (200, 10, 30), (400, 10, 30), (600, 10, 30))

    found = find_faces(eyes, photo(1000, 500), options(small_faces=True))

    assert lefts(found) == [10, 200, 400, 600]
    assert found.scores.tolist()[:2] == pytest.approx([0.9, 0.8])


def test_the_least_score_holds_for_tiles() -> None:
    eyes = Eyes((10, 10, 30), (400, 10, 30))

    found = find_faces(eyes, photo(1000, 500), options(small_faces=True, min_score=0.8))

    assert lefts(found) == [10]


@pytest.mark.parametrize("size", [(100, 100), (100, 40), (1, 1)])
def test_a_photo_that_the_detector_sees_at_full_size_needs_no_tiles(size: tuple[int, int]) -> None:
    assert list(tiles_of(*size, side=SIDE)) == []


@pytest.mark.parametrize("size", [(101, 100), (1000, 37), (399, 401), (950, 633), (3, 2500)])
def test_tiles_of_each_size_cover_the_photo_and_overlap(size: tuple[int, int]) -> None:
    width, height = size
    for side in (SIDE, 4 * SIDE, 16 * SIDE):
        tiles = [
            tile
            for tile in tiles_of(width, height, side=SIDE)
            if (tile.width, tile.height) == (min(side, width), min(side, height))
        ]
        covered = np.zeros((height, width), int)
        for tile in tiles:
            covered[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] += 1

        assert bool(tiles) == (side < max(size))
        assert covered.all() or not tiles
        for axis, start in ((0, 0), (1, 1)):
            starts = sorted({tile[start] for tile in tiles})
            assert all(b - a <= 0.8 * side for a, b in itertools.pairwise(starts)), axis
