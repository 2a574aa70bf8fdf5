"""Cut a part out of a photo, pad it to a square and resize it, as face-api does on tensors.

Bilinear: sample i of n is at i/n of the square (corners are not aligned, and samples are not in the
middle of their pixels), and nothing is averaged. So a photo of any size costs the same: only the
pixels that are needed are read. Source: tfjs's `resizeBilinear(images, size, false, false)`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from containers.face_analyzer.spec import Numbers
from pipeline.photo.pixels import Pixels

Places = npt.NDArray[np.int64]
_STRIP: Final = 16  # rows of the result: as floats, all samples of a square take 20 MB


class Part(NamedTuple):
    """A rectangle of whole pixels inside a photo."""

    left: int
    top: int
    width: int
    height: int

    @property
    def longer(self) -> int:
        return max(self.width, self.height)


def sampled(photo: Pixels, part: Part, side: int, *, centred: bool = False) -> Numbers:
    """Return a part of an H×W×3 photo as 3×side×side, 0…255, padded with black to a square.

    The padding is at the right or bottom, or, if `centred`, on both sides.
    """
    square = part.longer
    rows, row_weights = _taken(part.top, part.height, square, side, centred=centred)
    columns, column_weights = _taken(part.left, part.width, square, side, centred=centred)
    result = np.empty((3, side, side), np.float32)
    for first in range(0, side, _STRIP):
        strip = slice(first, first + _STRIP)
        above, below = (
            photo[rows[half, strip, None], columns.ravel()] * row_weights[half, strip, None, None]
            for half in (0, 1)
        )
        above += below
        above *= column_weights.reshape(-1, 1)
        result[:, strip] = (above[:, :side] + above[:, side:]).transpose(2, 0, 1)
    return result


def _taken(
    start: int, length: int, square: int, side: int, *, centred: bool
) -> tuple[Places, Numbers]:
    """Return the pixels before and after the samples of one axis, 2×side, and their weights.

    Pixels of the padding weigh nothing.
    """
    at = np.arange(side) * (square / side)
    before = np.floor(at)
    share = at - before
    after = np.minimum(before + 1, square - 1)
    places = np.stack([before, after]).astype(np.int64)
    places -= (square - length) // 2 if centred else 0
    inside = (places >= 0) & (places < length)
    weights = np.where(inside, np.stack([1 - share, share]), 0)
    return start + np.clip(places, 0, length - 1), weights.astype(np.float32)
