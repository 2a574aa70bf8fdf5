"""Arithmetic on boxes, as MTCNN was trained with: overlaps, corrections and squares.

facenet-pytorch computes in float32, and so does this.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from containers.face_embedder.spec import Boxes, Indices, Scores, Tensor


def suppress(
    boxes: Boxes, scores: Scores, most: float, *, of: Literal["union", "smaller"] = "union"
) -> Indices:
    """Return the boxes to keep, by falling score.

    A box is dropped if more than `most` of its union with a better one, or of the smaller of the
    two, is in both. With `smaller`, boxes include their last row and column, as in MTCNN's own
    last step.
    """
    extra = np.float32(of == "smaller")
    left, top, right, bottom = boxes.T
    areas = (right - left + extra) * (bottom - top + extra)
    rest = np.argsort(-scores, kind="stable")
    kept = []
    while len(rest):
        best, rest = rest[0], rest[1:]
        kept.append(best)
        across = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest]) + extra
        down = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest]) + extra
        common = np.maximum(across, 0) * np.maximum(down, 0)
        if of == "union":
            whole = areas[best] + areas[rest] - common
        else:
            whole = np.minimum(areas[best], areas[rest])
        rest = rest[common <= np.float32(most) * whole]
    return np.array(kept, np.intp)


def corrected(boxes: Boxes, offsets: Tensor, *, extra: int) -> Boxes:
    """Move each side of a box by its offset (n × 4), a share of its size plus `extra` pixels."""
    sizes = boxes[:, 2:] - boxes[:, :2] + np.float32(extra)
    moved: Boxes = boxes + offsets * np.tile(sizes, 2)
    return moved


def squared(boxes: Boxes) -> Boxes:
    """Return squares of the longer side around the same centres."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    sides = sizes.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + sizes * np.float32(0.5) - sides * np.float32(0.5)
    return np.concatenate([corner, corner + sides], axis=1)


def overlaps(one: Boxes, other: Boxes) -> Tensor:
    """Return which share of the union of two boxes is in both, 0…1, for each pair (n × m)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    areas = [np.maximum(each[:, 2:] - each[:, :2], 0).prod(axis=1) for each in (one, other)]
    union = areas[0][:, None] + areas[1][None] - common
    shares: Tensor = common / np.maximum(union, np.finfo(np.float32).tiny)
    return shares
