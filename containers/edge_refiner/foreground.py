"""Estimate the foreground: the subject's colour in soft pixels, without the background's share.

Blur fusion (Forte and Pitié, 2021) in three passes. Colours vary slowly, so they are estimated on a
small copy and then applied at full resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Box, Plane, box_mean
from containers.edge_refiner.edge_band import Alpha
from containers.edge_refiner.linear_model import in_planes
from containers.edge_refiner.resampling import Indices, Places, reduced, sample, shrink, small_size
from containers.edge_refiner.tiling import Tile, strips
from pipeline.parallel import each
from pipeline.photo.pixels import Pixels

_COPY_SIDE: Final = 640  # pixels of the small copy's longer side
# Each pass: the window's radius in longer sides of the copy, and how far the copy is reduced first.
_PASSES: Final = ((1 / 12, 2), (1 / 60, 1), (1 / 320, 1))
_STRIP_ROWS: Final = 240  # of the copy
_TINY: Final = np.float32(1e-5)


def opacity_of(alpha: Alpha) -> Pixels:
    """Round an H×W alpha matte (0…1) to uint8."""
    opacity = np.empty(alpha.shape, dtype=np.uint8)
    for strip in strips(alpha.shape):  # the float levels stay in the processor's cache
        opacity[strip.inside] = alpha[strip.inside] * np.float32(255) + np.float32(0.5)
    return opacity


def estimate_foreground(photo: Pixels, alpha: Alpha) -> Pixels:
    """Return an H×W×3 photo's foreground: its own colours where opaque, unmixed where soft.

    Pixels are opaque or invisible if their H×W alpha rounds to 255 or 0. Invisible ones are black.
    """
    foreground = np.empty_like(photo)
    paint_foreground(photo, alpha, onto=foreground)
    return foreground


def paint_foreground(photo: Pixels, alpha: Alpha, *, onto: Pixels) -> None:
    """Write the result of `estimate_foreground` into an H×W×3 array."""
    size = small_size(photo.shape, _COPY_SIDE)
    opacity = opacity_of(alpha)
    fields = _smooth_colours(
        shrink(photo, size), shrink(opacity, size), _soft_box(opacity, size[::-1])
    )
    each(strips(photo.shape), _Painting(photo, alpha, fields, onto).paint)


def _soft_box(opacity: Pixels, small: tuple[int, int]) -> Tile:
    """Return the smallest box of the h×w = `small` copy that holds all soft pixels of the photo."""
    soft = opacity - np.uint8(1) < np.uint8(254)  # 0 wraps round to 255
    box = []
    for axis, length in enumerate(small):
        places = np.flatnonzero(soft.any(axis=1 - axis))
        first, last = (int(places[0]), int(places[-1]) + 1) if places.size else (0, 0)
        side = soft.shape[axis]
        box.append((first * length // side, -(-last * length // side)))
    (top, bottom), (left, right) = box
    return Tile(top, left, bottom, right)


def _smooth_colours(image: Pixels, opacity: Pixels, soft: Tile) -> Plane:
    """Estimate both layers' colours on an h×w×3 copy, around its `soft` box; elsewhere 0.

    The first pass, with wide windows, fills the band with colours from afar, the others add detail.
    Returns 6×h×w in 0…1, foreground first.
    """
    longest, coarsest = max(opacity.shape), _PASSES[0][1]
    radii = [max(1, round(-(-longest // reduction) * reach)) for reach, reduction in _PASSES]
    first = in_planes(reduced(image, coarsest))
    found, before = np.concatenate([first, first]), coarsest
    for number, (_, reduction) in enumerate(_PASSES):
        # The later passes look this far, in pixels of the copy, and interpolate.
        halo = sum(radii[number + 1 :]) + 2 * coarsest
        step = _Pass(
            reduced(image, reduction), reduced(opacity, reduction), found, before // reduction,
            radii[number],
        )  # fmt: skip
        shape = step.opacity.shape
        found, before = np.zeros((6, *shape), np.float32), reduction
        box = soft.reduced(reduction, halo=-(-halo // reduction), shape=shape)
        each(box.strips(_STRIP_ROWS // reduction), partial(step.fuse, onto=found))
    return found


class _Pass(NamedTuple):
    """One pass: a copy, its opacity, both layers' colours so far, and the radius of its windows.

    The colours so far, 6×h×w in 0…1, are those of a copy `reduction` times smaller.
    """

    image: Pixels
    opacity: Pixels
    guess: Plane
    reduction: int
    radius: int

    def fuse(self, tile: Tile, *, onto: Plane) -> None:
        """Write a tile of 6×h×w: each layer blurred over its own pixels, and the unexplained.

        The unexplained is the part of the colours that no layer explains.
        """
        around = tile.reduced(1, halo=self.radius, shape=self.opacity.shape)
        inside = tile.moved(-around.top, -around.left).inside
        alpha = self.opacity[around.inside] * np.float32(1 / 255)
        colours = in_planes(self.image[tile.inside])
        whole = Tile(0, 0, *self.guess.shape[1:])
        guess = [around.enlarged_from(plane, whole, self.reduction) for plane in self.guess]
        foreground, background = onto[:3, *tile.inside], onto[3:, *tile.inside]
        for layer, share, found in (
            (guess[:3], alpha, foreground), (guess[3:], 1 - alpha, background)
        ):  # fmt: skip
            found[:] = _spread(layer, share, self.radius, inside, otherwise=colours)
        alpha = alpha[inside]
        rest = 1 - alpha
        residual = foreground - background
        residual *= -alpha
        residual += colours
        residual -= background
        residual /= alpha * alpha + rest * rest
        foreground += alpha * residual
        residual *= rest
        background += residual
        for found in (foreground, background):
            np.clip(found, 0, 1, out=found)


def _spread(
    layer: Sequence[Plane], share: Plane, radius: int, inside: Box, *, otherwise: Plane
) -> Plane:
    """Average a layer's three h×w planes in windows, weighted by its h×w share.

    Shares are cubed, so that half-transparent pixels, which mix both layers, hardly count. Only
    pixels `inside` are returned; they are those of `otherwise` where all shares are zero.
    """
    weighted = np.empty((4, *share.shape), dtype=np.float32)
    weight = np.multiply(share * share, share, out=weighted[3])
    for plane, product in zip(layer, weighted, strict=False):
        np.multiply(plane, weight, out=product)
    blurred = box_mean(weighted, radius, inside)
    mean, total = blurred[:3], blurred[3]
    mean /= np.maximum(total, _TINY)
    np.copyto(mean, otherwise, where=total <= _TINY)
    return mean


class _Painting(NamedTuple):
    """A photo, its matte, both layers' colours as 6×h×w, foreground first, and the canvas."""

    photo: Pixels
    alpha: Alpha
    colours: Plane
    canvas: Pixels

    def paint(self, strip: Tile) -> None:
        """Write one strip: opaque pixels as they are, invisible ones black, soft ones unmixed."""
        photo, alpha = self.photo[strip.inside], self.alpha[strip.inside]
        canvas = self.canvas[strip.inside]
        opacity = opacity_of(alpha)
        visible = opacity > 0
        soft = np.flatnonzero(visible & (opacity < 255))
        rows = soft // opacity.shape[1]
        columns = soft - rows * opacity.shape[1]
        fields = sample(self.colours, self._places(0, rows + strip.top), self._places(1, columns))
        mixed = photo.reshape(-1, 3).take(soft, axis=0).T
        unmixed = _unmix(mixed, alpha.ravel().take(soft), fields[:3], fields[3:])
        for channel in range(3):
            onto = canvas[..., channel]
            np.multiply(photo[..., channel], visible, out=onto)
            onto[rows, columns] = unmixed[channel]

    def _places(self, axis: int, chosen: Indices) -> Places:
        """Return pixels of the photo's rows (axis 0) or columns (1), in the colours."""
        small, large = self.colours.shape[1 + axis], self.alpha.shape[axis]
        return Places.enlarged(small, scale=large / small, start=0, end=large).at(chosen)


def _unmix(mixed: Pixels, weight: Plane, foreground: Plane, background: Plane) -> Pixels:
    """Return the foreground, 3×n, that explains 3×n mixed colours; both layers are overwritten.

    The share of the mixture that the layers do not explain is added to the foreground, as far as
    its `weight` (0…1) goes.
    """
    unexplained = mixed * np.float32(1 / 255)
    unexplained -= background
    background -= foreground
    background *= weight
    unexplained += background
    unexplained *= weight
    foreground += unexplained
    np.clip(foreground, 0, 1, out=foreground)
    foreground *= 255
    foreground += np.float32(0.5)
    return foreground.astype(np.uint8)
