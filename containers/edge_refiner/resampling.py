"""Reduce images to working copies, and read single pixels of an enlarged copy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from containers.edge_refiner.box_filter import Plane
from pipeline.photo.pixels import Pixels

Indices = npt.NDArray[np.intp]
_HALF: Final = np.float32(0.5)
_SMOOTH: Final = Image.Resampling.HAMMING
_STRIP_PIXELS: Final = 2**20
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


def reduced_to(longest: int | None, pixels: Pixels) -> Pixels:
    """Return an H×W, H×W×3 or H×W×4 picture with at most `longest` pixels on its longer side.

    Colours are weighted by their alpha, in floating point: where little of the subject is left,
    8 bits would change its colour. The filter is nearly as sharp as a bicubic one, but has
    no negative weights: no ripples in alpha around an edge, no colour brighter or darker than the
    photo's.
    """
    if longest is None or max(pixels.shape[:2]) <= longest:
        return pixels
    width, height = small_size(pixels.shape, longest)
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        return np.asarray(Image.fromarray(pixels).resize((width, height), _SMOOTH))
    picture = np.zeros((height, width, *pixels.shape[2:]), dtype=np.uint8)
    for strip in _strips(pixels.shape, (width, height)):
        _reduce(pixels[strip.source], strip, onto=picture[strip.target])
    return picture


class _Strip(NamedTuple):
    """Rows of the reduced picture (`target`), and the rows and the box in them they are made of."""

    source: slice
    target: slice
    box: tuple[float, float, float, float]


def _strips(shape: tuple[int, ...], size: tuple[int, int]) -> Iterator[_Strip]:
    """Yield strips of about a million source pixels, with the rows that the filter reaches."""
    (rows, columns), height = shape[:2], size[1]
    scale = rows / height
    step = max(1, round(_STRIP_PIXELS / (columns * scale)))
    for top in range(0, height, step):
        bottom = min(top + step, height)
        first = max(0, math.floor((top - 1) * scale) - 1)
        last = min(rows, math.ceil((bottom + 1) * scale) + 1)
        box = (0, top * scale - first, columns, min(bottom * scale, rows) - first)
        yield _Strip(slice(first, last), slice(top, bottom), box)


def _reduce(pixels: Pixels, strip: _Strip, *, onto: Pixels) -> None:
    """Write the reduced alpha of h×w or h×w×4 pixels, and the colours that it weights."""
    size = onto.shape[1], onto.shape[0]

    def reduced_plane(plane: Plane) -> Plane:
        return np.asarray(Image.fromarray(plane).resize(size, _SMOOTH, box=strip.box))

    weight = (pixels if pixels.ndim == 2 else pixels[..., 3]).astype(np.float32)
    total = reduced_plane(weight)
    opacity = onto if pixels.ndim == 2 else onto[..., 3]
    opacity[:] = total + _HALF
    if pixels.ndim == 2:
        return
    visible = opacity > 0
    for channel in range(3):
        mixed = reduced_plane(pixels[..., channel] * weight)
        onto[visible, channel] = mixed[visible] / total[visible] + _HALF


class Places(NamedTuple):
    """n positions along one side of a small image: the pixels before and after, and its weight.

    The weight, 0…1, is that of the pixel after.
    """

    before: Indices
    after: Indices
    share: Plane

    @classmethod
    def enlarged(cls, small: int, *, scale: float, start: int, end: int) -> Places:
        """Return pixels `start` to `end` of a side that is `scale` times as long as `small`."""
        centres = np.clip((np.arange(start, end) + 0.5) / scale - 0.5, 0, small - 1)
        before = centres.astype(np.intp)
        share = (centres - before).astype(np.float32)
        return cls(before, np.minimum(before + 1, small - 1), share)

    def at(self, chosen: Indices) -> Places:
        """Return some of the positions."""
        return Places(self.before[chosen], self.after[chosen], self.share[chosen])


def sample(planes: Plane, down: Places, across: Places) -> Plane:
    """Return n pixels of C×h×w planes, interpolated bilinearly, as C×n."""
    above, below = (rows * planes.shape[2] for rows in (down.before, down.after))
    both = down.share * across.share
    corners = (
        (above + across.before, 1 - down.share - across.share + both),
        (above + across.after, across.share - both),
        (below + across.before, down.share - both),
        (below + across.after, both),
    )
    sampled = np.zeros((len(planes), len(both)), dtype=np.float32)
    taken = np.empty(len(both), dtype=np.float32)
    for channel, plane in enumerate(planes.reshape(len(planes), -1)):
        for places, weight in corners:
            np.take(plane, places, out=taken, mode="clip")  # "raise" would copy
            taken *= weight
            sampled[channel] += taken
    return sampled
