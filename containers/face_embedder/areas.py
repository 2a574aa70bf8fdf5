"""Average rectangles of a photo, each at the same small cost.

The table has, for each pixel, the sum of all pixels above and to the left of it. So the sum of a
rectangle is that of four entries. An entry is one number of 64 bits, 16 for each colour, so colours
are added and subtracted together. Sums overflow into each other and wrap around, and so do their
differences. But these are exact for rectangles of up to 257 pixels. Larger ones are taken in parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from containers.face_embedder.spec import Indices, Pixels, Tensor
from pipeline.photo.pixels import Reserve, unlimited

_Sums = npt.NDArray[np.uint64]

_LONGEST: Final = 16  # pixels: the sum of a white square of this side is 65,280, less than 2¹⁶
_STRIP: Final = 2**17  # entries of the table that are copied at once: more leave the caches


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

    def divided(self) -> tuple[Windows, int]:
        """Return the windows in parts of at most `_LONGEST` pixels, and how many parts each has."""
        sizes = self.end - self.start
        parts = max(1, -(-int(sizes.max(initial=0)) // _LONGEST))
        if parts == 1:
            return self, 1
        edges = self.start[..., None] + sizes[..., None] * np.arange(parts + 1) // parts
        shape = (*self.start.shape[:-1], -1)
        return Windows(edges[..., :-1].reshape(shape), edges[..., 1:].reshape(shape)), parts


@dataclass(frozen=True, eq=False)
class AreaTable:
    """The table of a photo of `height` × `width` pixels. It takes 8 bytes for each pixel."""

    sums: _Sums  # (height + 1, width + 1)

    @classmethod
    def of(cls, photo: Pixels, *, reserve: Reserve = unlimited) -> AreaTable:
        """Add up a photo. Raises OutOfMemory if the table does not fit."""
        height, width, _ = photo.shape
        reserve(8 * (height + 1) * (width + 1))
        sums = np.zeros((height + 1, width + 1), "<u8")
        line = np.zeros((width, 4), "<u2")
        for row in range(height):
            for colour in range(3):
                line[:, colour] = photo[row, :, colour]
            np.cumsum(line.view("<u8")[:, 0], out=sums[row + 1, 1:])
            sums[row + 1] += sums[row]
        return cls(sums)

    @property
    def height(self) -> int:
        return int(self.sums.shape[0]) - 1

    @property
    def width(self) -> int:
        return int(self.sums.shape[1]) - 1

    def scaled(self, rows: Windows, columns: Windows) -> Tensor:
        """Return the photo scaled down, 1 × 3 × rows × columns, 0…255."""
        (down, tall), (across, wide) = rows.divided(), columns.divided()
        first, last = int(across.start[0]), int(across.end[-1]) + 1
        strips = []
        step = max(1, _STRIP // (tall * (last - first))) * tall
        for start in range(0, down.start.size, step):
            some = down.part(start, start + step)
            lines = self.sums[some.end, first:last]
            lines -= self.sums[some.start, first:last]
            sums = lines.take(across.end - first, axis=1)
            sums -= lines.take(across.start - first, axis=1)
            strips.append(_added(_colours(sums), tall, wide))
        colours = np.concatenate(strips, axis=1)
        colours /= rows.sizes[:, None] * columns.sizes
        return colours[None]

    def cropped(self, rows: Windows, columns: Windows) -> Tensor:
        """Return crops, n × 3 × side × side, 0…255: windows are n × side."""
        (down, tall), (across, wide) = rows.divided(), columns.divided()
        flat = self.sums.reshape(-1)
        line = self.width + 1
        top, bottom = down.start[:, :, None] * line, down.end[:, :, None] * line
        left, right = across.start[:, None], across.end[:, None]
        sums = flat.take(bottom + right)
        sums -= flat.take(bottom + left)
        sums -= flat.take(top + right)
        sums += flat.take(top + left)
        colours = _added(_colours(sums), tall, wide)
        colours /= rows.sizes[:, :, None] * columns.sizes[:, None]
        return np.ascontiguousarray(colours.swapaxes(0, 1))


def _colours(sums: _Sums) -> Tensor:
    """Return the sums of each colour, 3 × … ."""
    apart = np.empty((3, *sums.shape), np.float32)
    for place, colour in enumerate(apart):
        colour[...] = sums.view("<u2").reshape(*sums.shape, 4)[..., place]
    return apart


def _added(colours: Tensor, tall: int, wide: int) -> Tensor:
    """Return the sums of windows from those of their parts, `tall` × `wide` each."""
    if tall == wide == 1:
        return colours
    *others, height, width = colours.shape
    apart = colours.reshape(*others, height // tall, tall, width // wide, wide)
    added: Tensor = apart.sum(axis=(-3, -1))
    return added
