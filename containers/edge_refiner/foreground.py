"""Estimate the foreground: the subject's colour in soft pixels, without the background's share.

Blur fusion (Forte and Pitié, 2021) in three passes. Colours vary slowly, so they are estimated on a
small copy and then applied at full resolution.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np

from containers.edge_refiner.box_filter import Plane, box_mean
from containers.edge_refiner.edge_band import Alpha
from containers.edge_refiner.linear_model import in_planes
from containers.edge_refiner.resampling import Indices, Places, reduced, sample, shrink, small_size
from containers.edge_refiner.tiling import Tile, strips
from pipeline.parallel import each
from pipeline.photo.pixels import Pixels

_COPY_SIDE: Final = 640  # pixels of the small copy's longer side
# Each pass: the window's radius in longer sides of the copy, and how far the copy is reduced first.
_PASSES: Final = ((1 / 12, 2), (1 / 60, 1), (1 / 320, 1))
_TINY: Final = np.float32(1e-5)


class Colours(NamedTuple):
    """Smooth colours of foreground and background, each 3×h×w in 0…1."""

    foreground: Plane
    background: Plane

    def enlarged(self, shape: tuple[int, ...], reduction: int) -> Colours:
        """Enlarge to h×w = `shape`, which is `reduction` times larger."""
        if reduction == 1:
            return self
        place = Tile(0, 0, *shape)
        return Colours(
            *(
                np.stack(
                    [
                        place.enlarged_from(plane, Tile(0, 0, *plane.shape), reduction)
                        for plane in planes
                    ]
                )
                for planes in self
            )
        )


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
    fields = _smooth_colours(shrink(photo, size), shrink(opacity_of(alpha), size))
    each(strips(photo.shape), _Painting(photo, alpha, np.concatenate(fields), onto).paint)


def _smooth_colours(image: Pixels, opacity: Pixels) -> Colours:
    """Estimate both layers' colours from wide windows to narrow ones.

    The first pass fills the band with colours from afar, the others add detail.
    """
    _, before = _PASSES[0]
    start = in_planes(reduced(image, before))
    found = Colours(start, start)
    for reach, reduction in _PASSES:
        colours = in_planes(reduced(image, reduction))
        alpha = reduced(opacity, reduction) * np.float32(1 / 255)
        guess = found.enlarged(alpha.shape, before // reduction)
        radius = max(1, round(max(alpha.shape) * reach))
        found, before = _fuse(colours, guess, alpha, radius), reduction
    return found


def _fuse(colours: Plane, guess: Colours, alpha: Plane, radius: int) -> Colours:
    """Blur each layer over its own pixels, and add the part of the colours that no layer explains.

    `colours` are the image's, 3×h×w; `alpha` is h×w.
    """
    rest = 1 - alpha
    with ThreadPoolExecutor(1) as second:
        job = second.submit(_spread, guess.background, rest, radius, otherwise=colours)
        foreground = _spread(guess.foreground, alpha, radius, otherwise=colours)
        background = job.result()
    residual = foreground - background
    residual *= -alpha
    residual += colours
    residual -= background
    residual /= alpha * alpha + rest * rest
    foreground += alpha * residual
    residual *= rest
    background += residual
    return Colours(
        np.clip(foreground, 0, 1, out=foreground), np.clip(background, 0, 1, out=background)
    )


def _spread(layer: Plane, share: Plane, radius: int, *, otherwise: Plane) -> Plane:
    """Average a 3×h×w layer in windows, weighted by its h×w share; `otherwise` where that is zero.

    Shares are cubed, so that half-transparent pixels, which mix both layers, hardly count.
    """
    weighted = np.empty((4, *share.shape), dtype=np.float32)
    weight = np.multiply(share * share, share, out=weighted[3])
    np.multiply(layer, weight, out=weighted[:3])
    blurred = box_mean(weighted, radius)
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
