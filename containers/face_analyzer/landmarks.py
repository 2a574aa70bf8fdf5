"""Find the 68 landmarks of faces, and the crops in which face-api looks for more.

face-api finds landmarks in the face's box, cut off at the edges of the photo and rounded down to
whole pixels. It then adds the box's own corner, so its landmarks are up to a pixel off, and at
the edges of a photo by all that was cut off. Here the corner of the crop is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from containers.face_analyzer.network import Network
from containers.face_analyzer.sampling import Part, sampled
from containers.face_analyzer.spec import Boxes, Numbers
from pipeline.photo.pixels import Pixels

SIDE: Final = 112  # pixels of the crops that the three networks take
Points = npt.NDArray[np.float64]  # (faces, 68, 2) or (68, 2): x, y in pixels of the photo

_NUMBERS: Final = 136  # of a face: x and y of each landmark
_MOST_AT_ONCE: Final = 1  # crops: more leave the processor's caches, see docs/decisions/0056
_PADDING: Final = 0.2  # of the landmarks' own box, half of it on each side


def answers(
    network: Network, photo: Pixels, crops: Sequence[Part], *lengths: int
) -> Iterator[tuple[Numbers, ...]]:
    """Yield a network's outputs for a few crops at a time; of each crop, so many numbers."""
    shapes = [(length,) for length in lengths]
    for start in range(0, len(crops), _MOST_AT_ONCE):
        some = crops[start : start + _MOST_AT_ONCE]
        pixels = np.stack([sampled(photo, crop, SIDE, centred=True) for crop in some])
        yield network.run(pixels, *shapes)


def find_landmarks(network: Network, photo: Pixels, crops: Sequence[Part]) -> Points:
    """Return the landmarks of a face in each crop, faces×68×2."""
    found = [points for (points,) in answers(network, photo, crops, _NUMBERS)]
    shares = np.concatenate([np.zeros((0, _NUMBERS), np.float32), *found]).astype(np.float64)
    return placed(shares.reshape(-1, 68, 2), crops)


def placed(shares: Points, crops: Sequence[Part]) -> Points:
    """Convert landmarks from shares of the padded crop to pixels of the photo."""
    numbers = np.array(crops, np.float64).reshape(-1, 4)
    corners, sizes = numbers[:, :2], numbers[:, 2:]
    square = sizes.max(axis=1, keepdims=True)
    points: Points = shares * square[:, None] - ((square - sizes) / 2)[:, None] + corners[:, None]
    return points


def crop_of(box: Boxes, photo: Pixels) -> Part | None:
    """Return a box cut off at the photo's edges, in whole pixels; None if nothing is left."""
    height, width = photo.shape[:2]
    left, top = np.maximum(box[:2], 0)
    sizes = np.floor(np.minimum(box[2:], (width, height)) - (left, top))
    part = Part(int(left), int(top), *(int(size) for size in sizes))
    return part if part.width > 0 and part.height > 0 else None


def box_around(points: Points) -> Boxes:
    """Return the box of one face's landmarks, with a tenth more on each side."""
    low, high = points.min(axis=0), points.max(axis=0)
    more = (high - low) * (_PADDING / 2)
    return np.concatenate([low - more, high + more])
