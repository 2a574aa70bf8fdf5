"""Planes between the photo's resolution and a small working copy, a strip of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from containers.edge_refiner.box_filter import Plane
from pipeline.photo import Pixels

_STRIP_PIXELS: Final = 2_000_000


class Strip(NamedTuple):
    """Rows `top`…`bottom` of a picture of `height` rows."""

    top: int
    bottom: int
    height: int

    @property
    def rows(self) -> slice:
        return slice(self.top, self.bottom)


def strips(shape: tuple[int, ...]) -> Iterator[Strip]:
    """Cut an H×W picture into strips of about two megapixels, so that memory stays bounded."""
    height, width = shape[:2]
    step = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, step):
        yield Strip(top, min(top + step, height), height)


def small_size(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """(width, height) of a copy whose longer side is at most `longest`; never enlarged."""
    height, width = shape[:2]
    scale = min(1.0, longest / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrink(pixels: Pixels, size: tuple[int, int]) -> Plane:
    """A copy of `pixels` at (width, height), 0…1, averaged so that nothing aliases."""
    image = Image.fromarray(pixels).resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(image, dtype=np.float32) / np.float32(255)


def enlarge(plane: Plane, strip: Strip, width: int) -> Plane:
    """The rows of `strip` of an h×w plane enlarged to `strip.height` × `width`."""
    small_height, small_width = plane.shape
    rows_per_row = small_height / strip.height
    box = (0.0, strip.top * rows_per_row, float(small_width), strip.bottom * rows_per_row)
    size = (width, strip.bottom - strip.top)
    enlarged = Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR, box=box)
    return np.asarray(enlarged, dtype=np.float32)
