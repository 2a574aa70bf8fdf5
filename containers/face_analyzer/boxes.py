"""Boxes of faces: overlaps, and leaving out all but the best of those that are one face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from containers.face_analyzer.spec import Boxes, Scores

Indices = npt.NDArray[np.int64]


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
    left = np.argsort(-scores, kind="stable")
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[shares(boxes[best], boxes[left]) <= overlap]
    return np.array(kept, np.int64)


def shares(box: Boxes, others: Boxes) -> npt.NDArray[np.float64]:
    """Return the intersection over union of a box with each of `others`; 0 for an empty one."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    both = np.clip(sides, 0, None).prod(axis=1)
    either = _area(box[None]) + _area(others) - both
    shared = np.zeros(len(others))
    np.divide(both, either, out=shared, where=either > 0)
    return shared


def merged(found: Sequence[Found], *, overlap: float) -> Found:
    """Return the faces of several searches of one photo, each once."""
    boxes = np.concatenate([one.boxes for one in found])
    scores = np.concatenate([one.scores for one in found])
    kept = distinct(boxes, scores, overlap=overlap)
    return Found(boxes[kept], scores[kept])


def _area(boxes: Boxes) -> npt.NDArray[np.float64]:
    area: npt.NDArray[np.float64] = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return area
