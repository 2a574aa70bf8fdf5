"""A picture in tiles: memory and time are bounded by what a tile takes, not by the photo."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image

from containers.edge_refiner.box_filter import Plane

T = TypeVar("T")
Box = tuple[float, float, float, float]


class Tile(NamedTuple):
    """A rectangle of pixels of a picture."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def inside(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def pixels(self) -> int:
        return (self.bottom - self.top) * (self.right - self.left)

    def pieces(self, side: int) -> list[Tile]:
        """The same rectangle as tiles of at most side × side pixels."""
        return [
            Tile(top, left, min(top + side, self.bottom), min(left + side, self.right))
            for top in range(self.top, self.bottom, side)
            for left in range(self.left, self.right, side)
        ]

    def grown(self, around: int, shape: tuple[int, ...]) -> Tile:
        """With its surroundings, as far as the H×W picture reaches."""
        return self.reduced(1, halo=around, shape=shape)

    def reduced(self, ratio: int, *, halo: int, shape: tuple[int, ...]) -> Tile:
        """The same place in an h×w copy `ratio` times smaller, with `halo` pixels around it."""
        return Tile(
            max(self.top // ratio - halo, 0),
            max(self.left // ratio - halo, 0),
            min(-(-self.bottom // ratio) + halo, shape[0]),
            min(-(-self.right // ratio) + halo, shape[1]),
        )

    def enlarged_from(self, plane: Plane, origin: Tile, ratio: int) -> Plane:
        """The same place of an h×w plane, whose first pixel is `origin`, enlarged `ratio` times."""
        if ratio == 1:
            rows = slice(self.top - origin.top, self.bottom - origin.top)
            return plane[rows, self.left - origin.left : self.right - origin.left].copy()
        box = (
            self.left / ratio - origin.left,
            self.top / ratio - origin.top,
            self.right / ratio - origin.left,
            self.bottom / ratio - origin.top,
        )
        size = (self.right - self.left, self.bottom - self.top)
        box = _within(box, plane)
        image = Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR, box=box)
        return np.array(image, dtype=np.float32)

    def box_in(self, small: tuple[int, ...], whole: tuple[int, ...]) -> Box:
        """Left, top, right and bottom of this tile of an H×W picture, in an h×w copy of it."""
        down, across = small[0] / whole[0], small[1] / whole[1]
        return self.left * across, self.top * down, self.right * across, self.bottom * down


def tiles(shape: tuple[int, ...], side: int) -> list[Tile]:
    """An H×W picture cut into tiles of at most side × side pixels."""
    return Tile(0, 0, *shape[:2]).pieces(side)


def each(pieces: Iterable[T], work: Callable[[T], object], *, threads: int | None = None) -> None:
    """Do `work` for every piece, as many at a time as there are processors."""
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        for _ in pool.map(work, pieces):
            pass


def _within(box: Box, plane: Plane) -> Box:
    """A copy is rounded up to whole pixels, so a box never leaves it but by rounding."""
    height, width = plane.shape[:2]
    return box[0], box[1], min(box[2], width), min(box[3], height)
