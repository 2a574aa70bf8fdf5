"""Find the faces of a photo: in the whole of it, and, for small faces, also in parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from containers.face_analyzer.boxes import Found, merged
from containers.face_analyzer.detecting import Detector
from containers.face_analyzer.sampling import Part
from pipeline.contracts.faces import FacesOptions
from pipeline.photo.pixels import Pixels

_FINEST: Final = 2  # a tile of so many times the detector's side
_OVERLAP: Final = 0.25  # of a tile, with the next one


def find_faces(detector: Detector, photo: Pixels, options: FacesOptions) -> Found:
    """Return the faces that were asked for, by falling score."""
    parts = tuple(parts_of(photo, side=_FINEST * detector.side, small=options.small_faces))
    found = [detector.find(photo, part, min_score=options.min_score) for part in parts]
    whole = found[0] if len(found) == 1 else merged(found, overlap=detector.overlap)
    return whole.first(options.max_faces)


def parts_of(photo: Pixels, *, side: int, small: bool) -> Iterator[Part]:
    """Yield the whole photo, and, for `small` faces, the tiles that cover it."""
    height, width = photo.shape[:2]
    yield Part(0, 0, width, height)
    if small and max(width, height) > side:
        for top, tall in _spans(height, side):
            for left, wide in _spans(width, side):
                yield Part(left, top, wide, tall)


def _spans(length: int, side: int) -> Iterator[tuple[int, int]]:
    """Yield start and length of the fewest spans of `side` that cover an axis and overlap."""
    if length <= side:
        yield 0, length
        return
    count = 1 + -(-(length - side) // round(side * (1 - _OVERLAP)))
    for index in range(count):
        yield round(index * (length - side) / (count - 1)), side
