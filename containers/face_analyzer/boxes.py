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

    def split(self, count: int) -> tuple[Found, Found]:
        """Return the first faces, and all others."""
        first, others = slice(count), slice(count, None)
        return (
            Found(self.boxes[first], self.scores[first]),
            Found(self.boxes[others], self.scores[others]),
        )


def distinct(boxes: Boxes, scores: Scores, *, overlap: float) -> Indices:
    """Return the indices of boxes by falling score, without those that overlap a better one.

    Two boxes overlap if their intersection over union is above `overlap`.
    """
    order = np.argsort(-scores, kind="stable")
    return _best(boxes, order, lambda box, others: shared(box, others) > overlap)


def merged(found: Found, whole: Flags, *, overlap: float) -> Found:
    """Return the faces of several searches of one photo, each once, by falling score.

    To a search at a finer scale, a part of a face may look like a face. So two boxes are also one
    face if more than half of the smaller one is in both. A box that is not `whole`, because an edge
    of what was searched cuts it, counts only where there is no whole one.
    """

    def same(box: Boxes, others: Boxes) -> Flags:
        parts = shared(box, others, of_smaller=True) > _INSIDE
        return parts | (shared(box, others) > overlap)

    kept = _best(found.boxes, np.lexsort((-found.scores, ~whole)), same)
    kept = kept[np.argsort(-found.scores[kept], kind="stable")]
    return Found(found.boxes[kept], found.scores[kept])


def together(found: Sequence[Found]) -> Found:
    """Return all boxes and scores in one, in their order."""
    return Found(
        np.concatenate([one.boxes for one in found]), np.concatenate([one.scores for one in found])
    )


def are_whole(boxes: Boxes, part: Part, size: tuple[int, int], *, margin: float) -> Flags:
    """Return False for boxes that end at an edge of a part, unless it is one of the photo's.

    `size` is the photo's width and height. A box that is within `margin` pixels of an edge ends
    there.
    """
    low = np.array([part.left, part.top])
    high = np.array([part.left + part.width, part.top + part.height])
    after = (low == 0) | (boxes[:, :2] > low + margin)
    before = (high == size) | (boxes[:, 2:] < high - margin)
    whole: Flags = (after & before).all(axis=1)
    return whole


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


def _best(boxes: Boxes, order: Indices, same: Callable[[Boxes, Boxes], Flags]) -> Indices:
    """Return the first box in an order, and each later one that is not the same as one of these."""
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[~same(boxes[best], boxes[order])]
    return np.array(kept, np.int64)


def _area(boxes: Boxes) -> Shares:
    area: Shares = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return area
