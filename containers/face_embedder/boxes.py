"""Arithmetic on boxes, as MTCNN was trained with: overlaps, corrections and squares.

facenet-pytorch computes in float32, and so does this.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from containers.face_embedder.spec import Boxes, Indices, Scores, Tensor

_BLOCK: Final = 32  # boxes that are compared with all others at once

Whole = Literal["union", "smaller"]


def suppress(boxes: Boxes, scores: Scores, most: float, *, of: Whole = "union") -> Indices:
    """Return the boxes to keep, by falling score.

    A box is dropped if more than `most` of its union with a better one, or of the smaller of the
    two, is in both. With `smaller`, boxes include their last row and column, as in MTCNN's own
    last step.
    """
    rest = np.argsort(-scores, kind="stable")
    kept = []
    while len(rest):
        block, rest = rest[:_BLOCK], rest[_BLOCK:]
        among = _too_near(boxes[block], boxes[block], most, of)
        alive = np.ones(len(block), bool)
        for place in range(len(block)):
            if alive[place]:
                alive[place + 1 :] &= ~among[place, place + 1 :]
        kept.append(block[alive])
        rest = rest[~_too_near(boxes[kept[-1]], boxes[rest], most, of).any(axis=0)]
    return np.concatenate(kept) if kept else np.zeros(0, np.intp)


def _too_near(one: Boxes, other: Boxes, most: float, of: Whole) -> npt.NDArray[np.bool_]:
    """Return which pairs of boxes have more than `most` in common (n × m)."""
    extra = np.float32(of == "smaller")
    left, top, right, bottom = one.T[:, :, None]
    lefts, tops, rights, bottoms = other.T
    common = np.minimum(right, rights) - np.maximum(left, lefts) + extra
    common = np.maximum(common, 0)
    common *= np.maximum(np.minimum(bottom, bottoms) - np.maximum(top, tops) + extra, 0)
    areas = (right - left + extra) * (bottom - top + extra)
    others = (rights - lefts + extra) * (bottoms - tops + extra)
    whole = areas + others - common if of == "union" else np.minimum(areas, others)
    near: npt.NDArray[np.bool_] = common > np.float32(most) * whole
    return near


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
