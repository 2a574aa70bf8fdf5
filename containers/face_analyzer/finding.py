"""Find the faces of a photo: in the whole of it, and, for small faces, also in tiles.

A detector finds no face that is smaller than about a twentieth of the square it looks at. With
`small_faces` it also looks at tiles of its own side, at full resolution, and at tiles of four times
that, of sixteen times, and so on, so that it sees a face of any size in a tile that is neither too
large for it nor too small. The values are measured: docs/decisions/0056.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from containers.face_analyzer.boxes import Found, are_whole, merged, together
from containers.face_analyzer.detecting import Detector
from containers.face_analyzer.sampling import Part
from pipeline.contracts.faces import FacesOptions
from pipeline.photo.pixels import Pixels

_COARSER: Final = 4  # times the side: the next larger tiles
_OVERLAP: Final = 0.2  # of a tile, at least, with the next one
_CUT: Final = 0.01  # of a tile: how close to its edge the box of a face ends that it cuts


def find_faces(detector: Detector, photo: Pixels, options: FacesOptions) -> Found:
    """Return all faces whose score is high enough, by falling score."""
    height, width = photo.shape[:2]
    parts = [Part(0, 0, width, height)]
    if options.small_faces:
        parts += tiles_of(width, height, side=detector.side)
    found = [detector.find(photo, part, min_score=options.min_score) for part in parts]
    if len(parts) == 1:
        return found[0]
    whole = [
        are_whole(one.boxes, part, (width, height), margin=_CUT * part.longer)
        for one, part in zip(found, parts, strict=True)
    ]
    return merged(together(found), np.concatenate(whole), overlap=detector.overlap)


def tiles_of(width: int, height: int, *, side: int) -> Iterator[Part]:
    """Yield tiles that cover a photo and overlap, of each size that is below the photo's."""
    while side < max(width, height):
        for top, tall in _spans(height, side):
            for left, wide in _spans(width, side):
                yield Part(left, top, wide, tall)
        side *= _COARSER


def _spans(length: int, side: int) -> Iterator[tuple[int, int]]:
    """Yield start and length of the fewest spans of `side` that cover an axis and overlap."""
    if length <= side:
        yield 0, length
        return
    steps = -(-(length - side) // round(side * (1 - _OVERLAP)))
    for index in range(steps + 1):
        yield round(index * (length - side) / steps), side
