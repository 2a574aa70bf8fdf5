"""Average rectangles of a photo, each at the same small cost.

The table has, for each pixel, the sum of all pixels above and to the left of it. So the sum of a
rectangle is that of four entries. Sums are exact: unsigned integers wrap around, and so does their
difference, and no rectangle of an average sums up to 2³².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from containers.face_embedder.spec import Indices, Pixels, Tensor
from pipeline.photo.pixels import Reserve, unlimited

_Sums = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False)
class Windows:
    """The parts along one axis that become one pixel each: pixel i is the mean from start to end.

    Both arrays have the same shape; the last axis is that of the pixels.
    """

    start: Indices
    end: Indices

    @classmethod
    def of(cls, first: Indices | int, length: Indices | int, count: int) -> Windows:
        """Return `count` windows of each stretch that starts at `first` and is `length` long.

        They are those of PyTorch's interpolation by area: neighbours overlap by a pixel where the
        length is no multiple of the count.
        """
        steps = np.arange(count + 1) * np.asarray(length)[..., None]
        begin = np.asarray(first)[..., None]
        return cls(begin + steps[..., :-1] // count, begin - (-steps[..., 1:] // count))

    @property
    def sizes(self) -> Tensor:
        return (self.end - self.start).astype(np.float32)

    def part(self, start: int, end: int) -> Windows:
        return Windows(self.start[..., start:end], self.end[..., start:end])


@dataclass(frozen=True, eq=False)
class AreaTable:
    """The table of a photo of `height` × `width` pixels. It takes 12 bytes for each pixel."""

    sums: _Sums  # (3, height + 1, width + 1)

    @classmethod
    def of(cls, photo: Pixels, *, reserve: Reserve = unlimited) -> AreaTable:
        """Add up a photo. Raises OutOfMemory if the table does not fit."""
        height, width, channels = photo.shape
        shape = (channels, height + 1, width + 1)
        reserve(4 * channels * (height + 1) * (width + 1))
        sums = np.zeros(shape, np.uint32)
        above = np.zeros((channels, width), np.uint32)  # the sum of each column
        for row in range(height):
            above += photo[row].T
            np.cumsum(above, axis=1, out=sums[:, row + 1, 1:])
        return cls(sums)

    @property
    def height(self) -> int:
        return int(self.sums.shape[1]) - 1

    @property
    def width(self) -> int:
        return int(self.sums.shape[2]) - 1

    def scaled(self, rows: Windows, columns: Windows) -> Tensor:
        """Return the photo scaled down, 1 × 3 × rows × columns, 0…255."""
        strips = self.sums.take(rows.end, axis=1)
        strips -= self.sums.take(rows.start, axis=1)
        sums = strips.take(columns.end, axis=2)
        sums -= strips.take(columns.start, axis=2)
        return _means(sums, rows.sizes[:, None], columns.sizes)[None]

    def cropped(self, rows: Windows, columns: Windows) -> Tensor:
        """Return crops, n × 3 × side × side, 0…255: windows are n × side."""
        flat = self.sums.reshape(len(self.sums), -1)
        line = self.width + 1
        top, bottom = rows.start[:, :, None] * line, rows.end[:, :, None] * line
        left, right = columns.start[:, None], columns.end[:, None]
        sums = (
            flat.take(bottom + right, axis=1)
            - flat.take(bottom + left, axis=1)
            - flat.take(top + right, axis=1)
            + flat.take(top + left, axis=1)
        )
        return _means(
            sums.transpose(1, 0, 2, 3), rows.sizes[:, None, :, None], columns.sizes[:, None, None]
        )


def _means(sums: _Sums, heights: Tensor, widths: Tensor) -> Tensor:
    means: Tensor = sums.astype(np.float32)
    means /= heights * widths
    return means
