"""Boxes of faces: overlaps, and leaving out all but the best of those that are one face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.face_analyzer.sampling import Part
from containers.face_analyzer.spec import Boxes, Scores

Indices = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_INSIDE: Final = 0.5  # of the smaller box: above, both are one face


class Found(NamedTuple):
    """Faces by falling score: their boxes and scores."""

    boxes: Boxes
    scores: Scores

    def first(self, count: int) -> Found:
        return Found(self.boxes[:count], self.scores[:count])


def distinct(boxes: Boxes, scores: Scores, *, overlap: float) -> Indices:
    """Return the indices of boxes by falling score, without those that overlap a better one.

    Two boxes overlap if their intersection over union is above `overlap`.
    """
    return _best(boxes, scores, lambda box, others: shared(box, others) > overlap)


def merged(found: Sequence[Found], *, overlap: float) -> Found:
    """Return the faces of several searches of one photo, each once.

    A part of a face may look like a face to a search at a finer scale. So boxes are one face also
    if one has more than half of the other inside.
    """
    boxes = np.concatenate([one.boxes for one in found])
    scores = np.concatenate([one.scores for one in found])
    kept = _best(
        boxes,
        scores,
        lambda box, others: (
            (shared(box, others) > overlap) | (shared(box, others, of_smaller=True) > _INSIDE)
        ),
    )
    return Found(boxes[kept], scores[kept])


def inside(found: Found, part: Part, size: tuple[int, int], *, margin: float) -> Found:
    """Return the faces that do not end at an edge of a part, unless it is one of the photo's.

    `size` is the photo's width and height; `margin`, in pixels, is how close is at the edge.
    """
    low = np.array([part.left, part.top])
    high = np.array([part.left + part.width, part.top + part.height])
    after = (low == 0) | (found.boxes[:, :2] > low + margin)
    before = (high == size) | (found.boxes[:, 2:] < high - margin)
    whole = (after & before).all(axis=1)
    return Found(found.boxes[whole], found.scores[whole])


def shared(box: Boxes, others: Boxes, *, of_smaller: bool = False) -> Shares:
    """Return the intersection of a box with each of `others`, over their union, as shares of 1.

    With `of_smaller`, it is over the area of the smaller of the two. An empty box has 0.
    """
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    both = np.clip(sides, 0, None).prod(axis=1)
    own, areas = _area(box[None]), _area(others)
    whole = np.minimum(own, areas) if of_smaller else own + areas - both
    shares = np.zeros(len(others))
    np.divide(both, whole, out=shares, where=whole > 0)
    return shares


def _best(boxes: Boxes, scores: Scores, same: Callable[[Boxes, Boxes], Flags]) -> Indices:
    left = np.argsort(-scores, kind="stable")
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[~same(boxes[best], boxes[left])]
    return np.array(kept, np.int64)


def _area(boxes: Boxes) -> Shares:
    area: Shares = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return area
