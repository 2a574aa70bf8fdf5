"""Reduce images to working copies, and read single pixels of an enlarged copy."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from containers.edge_refiner.box_filter import Plane
from pipeline.photo.pixels import Pixels

Indices = npt.NDArray[np.intp]
AnyPlane = TypeVar("AnyPlane", Pixels, Plane)


def small_size(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """Return (width, height) of a copy whose longer side is at most `longest`; never enlarge."""
    height, width = shape[:2]
    scale = min(1.0, longest / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrink(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize an H×W or H×W×3 image to a smaller (width, height) by averaging, without aliasing."""
    image = Image.fromarray(pixels)
    return np.asarray(image.resize(size, Image.Resampling.BOX, reducing_gap=2.0))


def reduced(plane: AnyPlane, reduction: int) -> AnyPlane:
    """Reduce an H×W or H×W×3 array by a whole number: each pixel is the mean of a block.

    Sides are rounded up. With a `reduction` of 1 the array itself is returned, not a copy.
    """
    return plane if reduction == 1 else np.asarray(Image.fromarray(plane).reduce(reduction))


def sample(plane: Plane, rows: Indices, columns: Indices, shape: tuple[int, int]) -> Plane:
    """Return n pixels of an h×w×C array enlarged bilinearly to H×W = `shape`, as n×C.

    Only these pixels are computed. `rows` and `columns` are their n positions in H×W.
    """
    above, below, down = _neighbours(rows, plane.shape[0], shape[0])
    left, right, across = _neighbours(columns, plane.shape[1], shape[1])
    upper = plane[above, left] + across * (plane[above, right] - plane[above, left])
    lower = plane[below, left] + across * (plane[below, right] - plane[below, left])
    sampled: Plane = upper + down * (lower - upper)
    return sampled


def _neighbours(positions: Indices, small: int, large: int) -> tuple[Indices, Indices, Plane]:
    """Return the small pixels on either side of each position, and the second's weight, n×1."""
    places = np.clip((positions + 0.5) * (small / large) - 0.5, 0, small - 1)
    first = places.astype(np.intp)
    share = (places - first).astype(np.float32)[:, None]
    return first, np.minimum(first + 1, small - 1), share
