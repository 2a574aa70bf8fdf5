"""Cut a photo into tiles or strips.

Working memory depends on the size of a tile, not on the size of the photo.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from containers.edge_refiner.box_filter import Plane

Box = tuple[float, float, float, float]

_STRIP_PIXELS: Final = 250_000  # about a processor's cache


class Tile(NamedTuple):
    """A rectangle of pixels; `bottom` and `right` are exclusive."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def inside(self) -> tuple[slice, slice]:
        """Index of the rectangle's rows and columns in an H×W array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in Pillow's order."""
        return self.right - self.left, self.bottom - self.top

    @property
    def pixels(self) -> int:
        return (self.bottom - self.top) * (self.right - self.left)

    def moved(self, down: int, across: int) -> Tile:
        """Return the rectangle moved by a number of pixels."""
        return Tile(self.top + down, self.left + across, self.bottom + down, self.right + across)

    def pieces(self, side: int) -> list[Tile]:
        """Cut the rectangle into tiles of at most side × side pixels."""
        return [
            Tile(top, left, min(top + side, self.bottom), min(left + side, self.right))
            for top in range(self.top, self.bottom, side)
            for left in range(self.left, self.right, side)
        ]

    def strips(self, rows: int) -> list[Tile]:
        """Cut the rectangle into strips of at most `rows` rows."""
        return [
            Tile(top, self.left, min(top + rows, self.bottom), self.right)
            for top in range(self.top, self.bottom, rows)
        ]

    def reduced(self, reduction: int, *, halo: int, shape: tuple[int, ...]) -> Tile:
        """Return the same place in an h×w copy of the image, `reduction` times smaller.

        The place is widened by `halo` pixels of the copy on each side, up to the copy's border.
        """
        return Tile(
            max(self.top // reduction - halo, 0),
            max(self.left // reduction - halo, 0),
            min(-(-self.bottom // reduction) + halo, shape[0]),
            min(-(-self.right // reduction) + halo, shape[1]),
        )

    def enlarged_from(self, plane: Plane, origin: Tile, reduction: int) -> Plane:
        """Enlarge the part of an h×w plane that covers this tile to the tile's size.

        `origin` is the place that the plane covers in the copy, `reduction` times smaller.
        """
        if reduction == 1:
            rows = slice(self.top - origin.top, self.bottom - origin.top)
            return plane[rows, self.left - origin.left : self.right - origin.left].copy()
        height, width = plane.shape
        # A copy is rounded up to whole pixels, so only rounding can exceed it.
        box = (
            self.left / reduction - origin.left,
            self.top / reduction - origin.top,
            min(self.right / reduction - origin.left, width),
            min(self.bottom / reduction - origin.top, height),
        )
        image = Image.fromarray(plane).resize(self.size, Image.Resampling.BILINEAR, box=box)
        return np.array(image, dtype=np.float32)

    def box_in(self, small: tuple[int, ...], whole: tuple[int, ...]) -> Box:
        """Return left, top, right and bottom of this tile of an H×W image in an h×w copy of it."""
        down, across = small[0] / whole[0], small[1] / whole[1]
        return self.left * across, self.top * down, self.right * across, self.bottom * down


def tiles(shape: tuple[int, ...], side: int) -> list[Tile]:
    """Cut an H×W image into tiles of at most side × side pixels."""
    return Tile(0, 0, *shape[:2]).pieces(side)


def strips(shape: tuple[int, ...]) -> list[Tile]:
    """Cut an H×W image into strips of whole rows that fit into a processor's cache."""
    return Tile(0, 0, *shape[:2]).strips(max(1, _STRIP_PIXELS // shape[1]))
